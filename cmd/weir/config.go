package main

import (
	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/config"
)

func (a *app) configVerbs() *cobra.Command {
	return group("config", "Show and check the configuration", a.configShowVerb(), a.configCheckVerb())
}

// settingsDoc lists every value; secrets are references.
type settingsDoc struct {
	Schema   string           `json:"schema"`
	File     string           `json:"file"`
	Settings []config.Setting `json:"settings"`
}

func (a *app) configShowVerb() *cobra.Command {
	var origin bool
	cmd := &cobra.Command{
		Use: "show", Short: "Show every setting; secrets as references only",
		Long: "Show every setting, defaults included. With --origin, also where each value comes from:\n" +
			"a flag, a WEIR_… variable, the file with its line, or the default.",
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			doc := settingsDoc{"weir.config/v1", cfg.File(), cfg.Settings()}
			return a.show(doc, func(p *page) {
				for _, s := range doc.Settings {
					if origin {
						p.linef("%-32s %-28s %s", s.Path, s.Value, p.paint(dim, s.Origin.String()))
						continue
					}
					p.linef("%-32s %s", s.Path, s.Value)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&origin, "origin", false, "also print where each value comes from")
	return cmd
}

// checkDoc says that the configuration is right.
type checkDoc struct {
	Schema string   `json:"schema"`
	File   string   `json:"file"`
	OK     bool     `json:"ok"`
	Maps   []string `json:"data_maps"`
}

func (a *app) configCheckVerb() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Check the configuration and the data maps it names",
		Long: "Check the configuration and the data maps that it names. Every mistake is told at once,\n" +
			"as file:line:col (exit 3). No org is asked.",
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			doc := checkDoc{Schema: "weir.config-check/v1", File: cfg.File(), OK: true, Maps: []string{}}
			for _, o := range cfg.Orgs {
				if _, err := readMap(o); err != nil {
					return err
				}
				doc.Maps = append(doc.Maps, relative(o.DataMap))
			}
			return a.show(doc, func(p *page) {
				p.linef("%s %s is right; %s read.", p.paint(green, "✔"), doc.File, plural(len(doc.Maps), "data map", "data maps"))
			})
		},
	}
}
