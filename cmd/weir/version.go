package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the release; it stands in CHANGELOG.md too.
const version = "0.1.0"

// versionDoc says which weir this is.
type versionDoc struct {
	Schema   string `json:"schema"`
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionVerb() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which weir this is",
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			doc := thisVersion()
			return a.show(doc, func(p *page) {
				p.linef("weir %s %s %s", doc.Version, doc.Go, doc.Platform)
				if doc.Revision != "" {
					p.linef("revision %s", doc.Revision)
				}
			})
		},
	}
}

func thisVersion() versionDoc {
	doc := versionDoc{Schema: "weir.version/v1", Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return doc
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			doc.Revision = s.Value
		case "vcs.modified":
			doc.Modified = s.Value == "true"
		}
	}
	return doc
}
