package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) keysReshredVerb() *cobra.Command {
	var held, key string
	cmd := &cobra.Command{
		Use: "reshred LOG --key KEY --checkpoint FILE", Short: "Shred again what a restored data directory brought back",
		Long: "Shred every request again that an exported ledger says was shredded: for a data directory that was\n" +
			"restored as a whole. (A restored store alone is brought in line at the next start, by itself.)\n" +
			"LOG is what `weir audit export` wrote before the restore; it must agree with a checkpoint that was\n" +
			"saved with it, and only what that checkpoint covers counts.",
		Args: exactly("LOG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := publicKey(key)
			if err != nil {
				return err
			}
			if held == "" {
				return usage("Save one with every export: weir audit checkpoint -o FILE", "a log proves nothing without the checkpoint that was saved with it: --checkpoint FILE")
			}
			names, err := shreddedIn(args[0], held, v)
			if err != nil {
				return err
			}
			out, err := a.reshred(cmd.Context(), names)
			if err != nil {
				return err
			}
			return a.show(out, func(p *page) {
				p.linef("%s shredded again; %d were already, %d are not in this store.", plural(out.Again, "request", "requests"), out.Already, out.Unknown)
			})
		},
	}
	cmd.Flags().StringVar(&held, "checkpoint", "", "the checkpoint that was saved with the log")
	cmd.Flags().StringVar(&key, "key", "", "the ledger's public key, or a file that holds it")
	return cmd
}

// reshred sends the list in portions that a socket takes.
func (a *app) reshred(ctx context.Context, names []engine.RequestName) (sum web.ReshredAnswer, err error) {
	ctx, cancel := a.within(ctx, 0)
	defer cancel()
	d, err := a.open(ctx, looking, nil)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	const portion = 2000
	for {
		some := names[:min(portion, len(names))]
		names = names[len(some):]
		var out web.ReshredAnswer
		if err := d.Call(ctx, "keys-reshred", web.ReshredInput{Requests: some}, &out); err != nil {
			return sum, err
		}
		sum.Schema = out.Schema
		sum.Again, sum.Already, sum.Unknown = sum.Again+out.Again, sum.Already+out.Already, sum.Unknown+out.Unknown
		if len(names) == 0 {
			return sum, nil
		}
	}
}

// shreddedIn verifies an exported log and returns which requests it says were
// shredded.
func shreddedIn(path, checkpoint string, v note.Verifier) (names []engine.RequestName, err error) {
	saved, err := readHeld(checkpoint)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rep, err := ledger.Verify(f, nil, saved, nil, v)
	if err == nil && (!rep.OK() || !rep.HeldChecked) {
		err = web.Fail(web.ExitIntegrity, "integrity", "Nothing was shredded. `weir audit verify` tells more.", "%s does not agree with the checkpoint: %s", path, rep.Reason)
	}
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		return nil, err
	}
	names = []engine.RequestName{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for n := int64(0); n < rep.HeldSize && in.Scan(); n++ {
		e, err := ledger.ParseLine(in.Bytes())
		if err != nil {
			return nil, err
		}
		if e.Act == engine.ActShred {
			names = append(names, engine.RequestName{Org: e.Org, Request: e.Request})
		}
	}
	return names, in.Err()
}
