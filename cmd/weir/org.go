package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/internal/web"
	"github.com/weirhq/weir/salesforce"
)

func (a *app) orgVerbs() *cobra.Command {
	return group("org", "Connect Salesforce orgs", a.orgAddVerb(), a.orgListVerb(), a.orgTestVerb())
}

// orgDoc is one configured org; secrets are references.
type orgDoc struct {
	Alias       string `json:"alias"`
	InstanceURL string `json:"instance_url"`
	APIVersion  string `json:"api_version"`
	AuthKind    string `json:"auth_kind"`
	DataMap     string `json:"data_map"`
	Slots       int    `json:"max_concurrent"`
}

func orgDocOf(o config.Org) orgDoc {
	return orgDoc{o.Alias, o.InstanceURL, o.APIVersion, o.Auth.Kind, relative(o.DataMap), o.Budget.MaxConcurrent}
}

// orgsDoc lists orgs.
type orgsDoc struct {
	Schema string   `json:"schema"`
	Orgs   []orgDoc `json:"orgs"`
}

func (a *app) orgListVerb() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the configured orgs",
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			doc := orgsDoc{Schema: "weir.orgs/v1", Orgs: []orgDoc{}}
			for _, o := range cfg.Orgs {
				doc.Orgs = append(doc.Orgs, orgDocOf(o))
			}
			return a.show(doc, func(p *page) {
				if len(doc.Orgs) == 0 {
					p.linef("No orgs. Next: weir org add ALIAS --instance-url https://…")
					return
				}
				rows := make([][]string, len(doc.Orgs))
				for i, o := range doc.Orgs {
					rows[i] = []string{o.Alias, o.InstanceURL, o.APIVersion, o.AuthKind, o.DataMap}
				}
				p.grid([]string{"alias", "instance", "api", "auth", "data map"}, rows)
			})
		},
	}
}

func (a *app) orgTestVerb() *cobra.Command {
	return &cobra.Command{
		Use: "test ORG", Short: "Sign in to an org and name what the integration user may not do",
		Long: "Sign in to an org, describe the mapped objects, and name the permissions that a mapped step\n" +
			"would miss (exit 7). Credentials that the org refuses are exit 4. It costs a handful of API calls.",
		Args: exactly("ORG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			out, err := a.testOrg(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if out.Fault != nil {
				return orgFault(args[0], out.Fault)
			}
			if err := a.show(out, func(p *page) { orgTestText(p, out) }); err != nil {
				return err
			}
			if len(out.Missing)+len(out.Findings) > 0 {
				return endWith(web.ExitFindings)
			}
			return nil
		},
	}
}

// testOrg asks the org itself: in this process, or by the weir that runs.
func (a *app) testOrg(ctx context.Context, alias string) (web.OrgTestAnswer, error) {
	var out web.OrgTestAnswer
	err := a.once(ctx, calling, "test-org", web.OrgInput{Org: weir.OrgID(alias)}, &out)
	return out, err
}

// orgFault explains why an org could not be asked.
func orgFault(alias string, f *web.FaultDoc) error {
	exit, hint := web.ExitFailure, "Nothing was changed. Try again later."
	switch f.Operator {
	case weir.OpAuthDrift:
		exit, hint = web.ExitAuth, "Check client id, secret or key, and that the integration user may use the app."
	case weir.OpPermission:
		exit, hint = web.ExitAuth, "Give the integration user the permission \"API Enabled\"."
	case weir.OpThrottled:
		exit, hint = web.ExitThrottled, "Nothing was changed. `weir limits "+alias+"` shows what the org said."
	default:
	}
	if text, next := oddAnswer(f); text != "" {
		return web.Fail(exit, string(f.Category), next, "%s %s", alias, text)
	}
	code := f.Code
	if code == "" {
		code = fmt.Sprintf("status %d", f.Status)
	}
	return web.Fail(exit, string(f.Category), hint, "%s did not answer as hoped: %s (%s)", alias, f.Category, code)
}

// oddAnswer explains what no Salesforce org answers: something else stands at
// its address, or between it and weir.
func oddAnswer(f *web.FaultDoc) (text, next string) {
	const address = "Nothing was changed. Check the org's instance_url, and what stands between it and weir; then try again."
	switch f.Code {
	case salesforce.CodeBrokenAnswer:
		return "gave an answer that ends early or is not what was asked for; it was dropped (" + f.Code + ")", address
	case salesforce.CodeAnswerTooLarge:
		return "gave an answer that is larger or deeper than any of Salesforce's; it was dropped unread (" + f.Code + ")", address
	case salesforce.CodeNoAnswer:
		return "gave no answer in time, or one with more than 64 KiB of headers (" + f.Code + ")", address
	case salesforce.CodeNotSent:
		return "cannot be reached; nothing was sent (" + f.Code + ")", "Check the org's instance_url and the way to it, then try again."
	case salesforce.CodeInstanceMoved:
		return "gave a token for another host; weir calls only the one that is configured (" + f.Code + ")",
			"Nothing was sent there. If the org has moved, configure its new instance_url."
	}
	if f.Category == weir.EndpointMoved {
		return fmt.Sprintf("sends weir elsewhere, where it does not go (status %d)", f.Status),
			"Nothing was sent there. If the org has moved, configure its new instance_url."
	}
	return "", ""
}

func orgTestText(p *page, out web.OrgTestAnswer) {
	who := out.OrgID
	if out.User != "" {
		who += " as " + out.User
	}
	p.linef("%s signed in to %s %s, %s used", p.paint(green, "✔"), out.Org, who, plural(out.Calls, "API call", "API calls"))
	for _, m := range out.Missing {
		p.linef("%s %s: %s permission is missing, needed for %s", p.paint(red, "✘"), m.Object, m.Need, m.For)
	}
	for _, f := range out.Findings {
		findingText(p, f)
	}
	if n := len(out.Missing) + len(out.Findings); n > 0 {
		p.linef("%s.", plural(n, "finding", "findings"))
		return
	}
	p.linef("%s every mapped object is there, with the permissions that its steps need", p.paint(green, "✔"))
}
