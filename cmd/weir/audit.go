package main

import (
	"context"
	"errors"
	"fmt"
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
