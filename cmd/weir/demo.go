package main

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/weirhq/weir/internal/demo"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) demoVerb() *cobra.Command {
	opts := demo.Defaults()
	var once, keep bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Watch access and erasure requests being fulfilled in an emulated, throttled org",
		Long: "Watch access and erasure requests being fulfilled in an emulated org that throttles, lies and\n" +
			"forgets. It needs no account, no configuration and no network, and takes less than a minute.\n\n" +
			"Everything is made anew in --dir: keys, configuration, store, vault, and in out/ an access package\n" +
			"and a certificate. Without --once the demonstration goes on serving until Ctrl-C, which removes the\n" +
			"directory unless --keep is given; with --once it ends by itself and the directory stays.\n" +
			"A directory that no demonstration made is never touched.\n\n" +
			"Exit code 10 says that a dead letter waits for a person, 0 that none does.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.Speed < 0 {
				return usage("3600 makes an hour of a second; 0 waits for nothing.", "--speed is not negative")
			}
			if opts.Access < 0 || opts.Erasure < 0 || opts.Access+opts.Erasure == 0 {
				return usage("", "--access and --erasure ask for at least one request")
			}
			opts.Stay = !once
			return a.demo(cmd.Context(), opts, keep || once)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&once, "once", false, "end by itself: 0, or 10 while a dead letter is open")
	f.BoolVar(&keep, "keep", false, "keep the directory after Ctrl-C")
	f.StringVar(&opts.Dir, "dir", opts.Dir, "directory to make")
	f.Uint64Var(&opts.Seed, "seed", opts.Seed, "decides people, faults and their order")
	f.StringVar(&opts.Scenario, "scenario", opts.Scenario, demo.ScenarioNames())
	f.Float64Var(&opts.Speed, "speed", opts.Speed, "how fast the demonstration's clock runs; 0 waits for nothing")
	f.IntVar(&opts.Access, "access", opts.Access, "how many access requests")
	f.IntVar(&opts.Erasure, "erasure", opts.Erasure, "how many erasure requests")
	return cmd
}

// demo opens, runs and closes a demonstration.
func (a *app) demo(ctx context.Context, opts demo.Options, keep bool) (err error) {
	if err := harden(); err != nil {
		return err
	}
	opts.Program = os.Args[0]
	ctx, cancel := a.within(ctx, 0)
	defer cancel()
	d, err := demo.Open(ctx, opts)
	if err != nil {
		return err
	}
	sum, err := d.Run(ctx, a.demoTeller())
	if err != nil || (sum == nil && !opts.Stay) {
		return errors.Join(cmp.Or(err, ctx.Err()), d.Close(keep))
	}
	if err := d.Close(keep); err != nil {
		return err
	}
	if opts.Stay {
		return endWith(web.ExitOK) // somebody has seen enough
	}
	return endWith(sum.ExitCode)
}

// demoTeller chooses how a demonstration is told.
func (a *app) demoTeller() demo.Teller {
	if a.json {
		return demo.JSON{To: a.out}
	}
	fd, tty := terminal(a.out)
	if !tty || a.quiet || a.env("TERM") == "dumb" {
		return demo.NewTeller(a.out, version, nil, false)
	}
	width := func() int {
		columns, _, err := term.GetSize(fd)
		if err != nil {
			return 80
		}
		return columns
	}
	return demo.NewTeller(a.out, version, width, a.colour(a.out))
}
