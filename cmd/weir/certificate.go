package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/web"
)

// certificateDoc says what was written where.
type certificateDoc struct {
	Schema string `json:"schema"`
	File   string `json:"file,omitempty"`
	HTML   string `json:"html,omitempty"`
	Signed string `json:"signed,omitempty"` // the certificate itself, when no file was named
}

func (a *app) certificateVerb() *cobra.Command {
	var file, html string
	cmd := &cobra.Command{
		Use: "certificate REQUEST", Short: "Print the signed certificate of a request",
		Long: "Print or save the signed certificate of a request: what was done to each record, what was\n" +
			"withheld and why, what was proven and what could not be. Anybody can check it offline:\n" +
			"  weir certificate verify FILE --key KEY",
		Args: exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out web.CertificateAnswer
			if err := a.ask(cmd.Context(), "certificate", web.IDInput{ID: args[0]}, &out); err != nil {
				return notYet(err, args[0], "certificate")
			}
			return a.keepCertificate(out, file, html)
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "save the signed certificate to this file")
	cmd.Flags().StringVar(&html, "html", "", "also save a readable page to this file")
	cmd.AddCommand(a.certificateVerifyVerb())
	return cmd
}

func (a *app) keepCertificate(out web.CertificateAnswer, file, html string) error {
	doc := certificateDoc{Schema: "weir.certificate-file/v1", File: file, HTML: html}
	for _, f := range []struct{ path, text string }{{file, out.Signed}, {html, out.HTML}} {
		if f.path == "" {
			continue
		}
		if err := createFrom(f.path, func(w io.Writer) error { _, err := io.WriteString(w, f.text); return err }); err != nil {
			return err
		}
	}
	if file == "" {
		doc.Signed = out.Signed
	}
	return a.show(doc, func(p *page) {
		if file == "" {
			p.raw(out.Signed)
			return
		}
		p.linef("Saved to %s. Check it with: weir certificate verify %s --key KEY", file, file)
	})
}

// checkedDoc is the verdict on a certificate.
type checkedDoc struct {
	Schema      string             `json:"schema"`
	OK          bool               `json:"ok"`
	Certificate ledger.Certificate `json:"certificate"`
}

func (a *app) certificateVerifyVerb() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use: "verify FILE --key KEY", Short: "Check a certificate offline with the ledger's public key",
		Long: "Check a certificate's signature and its proof in the log. It needs no configuration, no store\n" +
			"and no network. KEY is the public key that `weir init` printed, or a file that holds it.\n" +
			"Exit code 8 says that it is not what was signed.",
		Args: exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			doc, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("read the certificate: %w", err)
			}
			v, err := publicKey(key)
			if err != nil {
				return err
			}
			c, err := ledger.VerifyCertificate(doc, v)
			if err != nil {
				return web.Fail(web.ExitIntegrity, "integrity", "Either it was altered, or another key signed it.", "%s does not verify: %s", args[0], err.Error())
			}
			return a.show(checkedDoc{"weir.certificate-check/v1", true, c}, func(p *page) { checkedText(p, c) })
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "the ledger's public key, or a file that holds it")
	return cmd
}

func checkedText(p *page, c ledger.Certificate) {
	p.linef("%s The certificate is authentic: %s of %s, request %s, org %s.", p.paint(green, "✔"), c.Right, c.Subject, c.Request, c.Org)
	count := map[ledger.CertOutcome]int{}
	for _, it := range c.Items {
		count[it.Outcome] += it.Records()
	}
	var parts []string
	for _, o := range ledger.CertOutcomes() {
		if count[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[o], o))
		}
	}
	p.linef("  completed  %s", when(p.now, c.CompletedAt))
	p.linef("  records    %s", orDash(strings.Join(parts, ", ")))
	p.linef("  log        %s entries, %s proven to be in it", number(c.Ledger.Size), number(int64(len(c.Ledger.Entries))))
	for _, u := range c.Unproven {
		p.linef("  not proven %s", u)
	}
}
