package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) auditVerbs() *cobra.Command {
	return group("audit", "Check, sign and export the ledger", a.auditVerifyVerb(), a.auditCheckpointVerb(), a.auditExportVerb())
}

func (a *app) auditVerifyVerb() *cobra.Command {
	var held, key string
	cmd := &cobra.Command{
		Use: "verify [FILE]", Short: "Check the ledger, or an exported log offline",
		Long: "Check every entry of the ledger against its tree and its signed checkpoints, and name the first\n" +
			"altered one (exit 8). Only a checkpoint that was saved elsewhere (--checkpoint) can show a log\n" +
			"that the holder of the signing key wrote anew. With FILE, an exported log is checked offline.",
		Args: atMost("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			saved, err := readHeld(held)
			if err != nil {
				return err
			}
			var out web.AuditAnswer
			if len(args) == 1 {
				out, err = a.verifyFile(args[0], key, saved)
			} else {
				out, err = a.verifyStore(cmd.Context(), key, saved)
			}
			if err != nil {
				return err
			}
			if err := a.show(out, func(p *page) { auditText(p, out) }); err != nil || out.OK {
				return err
			}
			return endWith(web.ExitIntegrity)
		},
	}
	cmd.Flags().StringVar(&held, "checkpoint", "", "a checkpoint that was saved earlier")
	cmd.Flags().StringVar(&key, "key", "", "the ledger's public key, or a file that holds it")
	return cmd
}

func readHeld(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	note, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint: %w", err)
	}
	return note, nil
}

// verifyStore checks the log of the store. A key that was kept elsewhere must
// be the one that signs it.
func (a *app) verifyStore(ctx context.Context, key string, held []byte) (web.AuditAnswer, error) {
	var out web.AuditAnswer
	if err := a.ask(ctx, "audit-verify", web.AuditInput{Held: string(held)}, &out); err != nil || key == "" {
		return out, err
	}
	given, err := publicKey(key)
	if err != nil {
		return out, err
	}
	signs, err := ledger.ParseVerifier(out.PublicKey)
	if err != nil {
		return out, err
	}
	if given.Name() != signs.Name() || given.KeyHash() != signs.KeyHash() {
		return out, web.Fail(web.ExitIntegrity, "other_key", "Find out who changed keys.signing, and when.", "another key signs this log than the one that you hold")
	}
	return out, nil
}

// verifyFile checks an exported log. Its own checkpoints are not in it, so
// only one that was saved can vouch for it.
func (a *app) verifyFile(path, key string, held []byte) (_ web.AuditAnswer, err error) {
	v, err := publicKey(key)
	if err != nil {
		return web.AuditAnswer{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return web.AuditAnswer{}, fmt.Errorf("open the log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rep, err := ledger.Verify(f, nil, held, nil, v)
	return web.AuditAnswer{Schema: "weir.audit/v1", OK: rep.OK(), Report: rep}, err
}

func auditText(p *page, out web.AuditAnswer) {
	r := out.Report
	if out.OK {
		p.linef("%s The log is intact: %s entries, %s of them under %s.", p.paint(green, "✔"), number(r.Entries), number(r.Signed), plural(r.Checkpoints, "signed checkpoint", "signed checkpoints"))
	} else {
		span := fmt.Sprintf("entry %d", r.FirstBad)
		if r.LastBad != r.FirstBad {
			span = fmt.Sprintf("between entries %d and %d", r.FirstBad, r.LastBad)
		}
		p.linef("%s The log was tampered with: %s, %s. %s", p.paint(red, "✘"), r.Tampering, span, r.Reason)
	}
	p.linef("  root       %s", r.Root)
	if out.PublicKey != "" {
		p.linef("  public key %s", out.PublicKey)
	}
	if r.HeldChecked {
		p.linef("  checkpoint the one you saved agrees, over %s entries", number(r.HeldSize))
	}
	for _, l := range r.Limits {
		p.linef("  not seen   %s", l)
	}
}

// savedDoc says which file was written, or holds the text when none was named.
type savedDoc struct {
	Schema string `json:"schema"`
	File   string `json:"file,omitempty"`
	Text   string `json:"text,omitempty"`
}

func (a *app) auditCheckpointVerb() *cobra.Command {
	return a.auditTextVerb("checkpoint", "checkpoint", "Sign the newest state of the ledger, for safe keeping elsewhere",
		"Sign the newest state of the ledger. Keep it elsewhere than the log: `weir audit verify --checkpoint FILE`\nthen sees even a log that was written anew.")
}

func (a *app) auditExportVerb() *cobra.Command {
	return a.auditTextVerb("export", "audit-export", "Export the ledger, one JSON object a line",
		"Export the ledger, one JSON object a line: ids, codes and numbers, no personal data.\nCheck it anywhere: weir audit verify FILE --key KEY --checkpoint CHECKPOINT")
}

// auditTextVerb makes the two verbs that hand out a text of the ledger.
func (a *app) auditTextVerb(name, operation, short, long string) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: name + " [-o FILE]", Short: short, Long: long,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out web.TextAnswer
			if err := a.ask(cmd.Context(), operation, web.None{}, &out); err != nil {
				return err
			}
			if file == "" {
				return a.show(savedDoc{Schema: out.Schema, Text: out.Text}, func(p *page) { p.raw(out.Text) })
			}
			err := createFrom(file, func(w io.Writer) error { _, err := io.WriteString(w, out.Text); return err })
			if err != nil {
				return err
			}
			return a.show(savedDoc{Schema: out.Schema, File: file}, func(p *page) { p.linef("Saved to %s.", file) })
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write; it is never replaced")
	return cmd
}
