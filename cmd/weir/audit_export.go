package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/web"
)

// savedDoc says which file was written, or holds the text when none was named.
type savedDoc struct {
	Schema string `json:"schema"`
	File   string `json:"file,omitempty"`
	Text   string `json:"text,omitempty"`
}

func (a *app) auditCheckpointVerb() *cobra.Command {
	return a.auditTextVerb("checkpoint", "checkpoint", "Sign the newest state of the ledger, for safe keeping elsewhere",
		"Sign the newest state of the ledger. Keep it elsewhere than the log: `weir audit verify --checkpoint FILE`\nthen sees even a log that was written anew.",
		func(ctx context.Context, d *desk, to io.Writer) error {
			var out web.TextAnswer
			if err := d.Call(ctx, "checkpoint", web.None{}, &out); err != nil {
				return err
			}
			_, err := io.WriteString(to, out.Text)
			return err
		})
}

func (a *app) auditExportVerb() *cobra.Command {
	return a.auditTextVerb("export", "audit-export", "Export the ledger, one JSON object a line",
		"Export the ledger, one JSON object a line: ids, codes and numbers, no personal data.\nCheck it anywhere: weir audit verify FILE --key KEY --checkpoint CHECKPOINT",
		exportLedger)
}

// exportLedger writes the log page by page: it can be far larger than memory.
func exportLedger(ctx context.Context, d *desk, to io.Writer) error {
	var in web.AuditExportInput
	for {
		var page web.AuditExportAnswer
		if err := d.Call(ctx, "audit-export", in, &page); err != nil {
			return err
		}
		if _, err := io.WriteString(to, page.Text); err != nil {
			return err
		}
		if page.Last >= page.Size {
			return nil
		}
		in.After, in.Size = page.Last, page.Size
	}
}

// auditTextVerb makes the two verbs that hand out a text of the ledger.
func (a *app) auditTextVerb(name, schema, short, long string, write func(context.Context, *desk, io.Writer) error) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: name + " [-o FILE]", Short: short, Long: long,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			to := func(w io.Writer) error {
				return a.at(cmd.Context(), looking, func(ctx context.Context, d *desk) error { return write(ctx, d, w) })
			}
			doc := savedDoc{Schema: "weir." + schema + "/v1", File: file}
			if file != "" {
				if err := createFrom(file, to); err != nil {
					return err
				}
				return a.show(doc, func(p *page) { p.linef("Saved to %s.", file) })
			}
			if !a.json {
				return to(inertWriter{a})
			}
			var text strings.Builder
			if err := to(&text); err != nil {
				return err
			}
			doc.Text = text.String()
			return writeJSON(a.out, doc)
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write; it is never replaced")
	return cmd
}

// inertWriter prints texts for people as every page is printed.
type inertWriter struct{ app *app }

func (w inertWriter) Write(text []byte) (int, error) {
	if err := w.app.print(w.app.out, func(p *page) { p.raw(string(text)) }); err != nil {
		return 0, fmt.Errorf("print the log: %w", err)
	}
	return len(text), nil
}
