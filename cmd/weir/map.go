package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) mapVerbs() *cobra.Command {
	return group("map", "Check data maps", a.mapCheckVerb())
}

// mapDoc is the verdict on a data map.
type mapDoc struct {
	Schema   string           `json:"schema"`
	Org      weir.OrgID       `json:"org"`
	File     string           `json:"file"`
	OK       bool             `json:"ok"`
	Findings []web.FindingDoc `json:"findings"`
}

func (a *app) mapCheckVerb() *cobra.Command {
	var offline bool
	cmd := &cobra.Command{
		Use: "check ORG", Short: "Check an org's data map against what the org describes",
		Long: "Check an org's data map: its words and cross references (exit 3 with file:line:col), and then\n" +
			"every object and field against the org's live describe (exit 7 when something does not fit).",
		Args: exactly("ORG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			o, ok := cfg.Org(args[0])
			if !ok {
				return unknownOrg(args[0])
			}
			m, err := readMap(o)
			if err != nil {
				return err
			}
			doc := mapDoc{Schema: "weir.map-check/v1", Org: m.Org, File: relative(o.DataMap), OK: true, Findings: []web.FindingDoc{}}
			if !offline {
				seen, err := a.testOrg(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if seen.Fault != nil {
					return orgFault(args[0], seen.Fault)
				}
				doc.Findings, doc.OK = seen.Findings, len(seen.Findings) == 0
			}
			if err := a.show(doc, func(p *page) { mapText(p, doc, offline) }); err != nil || doc.OK {
				return err
			}
			return endWith(web.ExitFindings)
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "check the file only, ask the org nothing")
	return cmd
}

func mapText(p *page, doc mapDoc, offline bool) {
	for _, f := range doc.Findings {
		findingText(p, f)
	}
	switch {
	case offline:
		p.linef("%s %s is well formed; the org was not asked.", p.paint(green, "✔"), doc.File)
	case doc.OK:
		p.linef("%s %s fits %s.", p.paint(green, "✔"), doc.File, doc.Org)
	default:
		p.linef("%s in %s.", plural(len(doc.Findings), "finding", "findings"), doc.File)
	}
}

func findingText(p *page, f web.FindingDoc) {
	colour := yellow
	if f.Severity == "block" {
		colour = red
	}
	line := fmt.Sprintf("%s: %s %s", f.At, p.paint(colour, f.Severity), f.Message)
	if f.Fix != "" {
		line += "; " + f.Fix
	}
	p.linef("%s", line)
}

func unknownOrg(alias string) error {
	return web.Fail(web.ExitNotFound, "unknown_org", "`weir org list` shows the configured orgs.", "no org %q in the configuration", alias)
}
