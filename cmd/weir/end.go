package main

import (
	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) rejectVerb() *cobra.Command {
	return a.endVerb("reject", "End a request whose plan is not approved", "rejected")
}

func (a *app) cancelVerb() *cobra.Command {
	return a.endVerb("cancel", "End a request; a call that is under way is recorded first", "cancelled")
}

// endVerb makes the two verbs by which a person ends a request.
func (a *app) endVerb(name, short, participle string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: name + " REQUEST --reason TEXT", Short: short,
		Long: short + ".\nIts key is shredded, so what was sealed for it cannot be opened again. The reason stands\nin the ledger: no personal data.",
		Args: exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usage("Nothing was changed.", "a reason is needed: --reason TEXT")
			}
			if err := a.confirm("End " + args[0] + " and shred its key?"); err != nil {
				return err
			}
			var out web.RequestAnswer
			in := web.EndInput{ID: weir.RequestID(args[0]), Reason: reason}
			if err := a.ask(cmd.Context(), name, in, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { p.linef("%s %s. What was sealed for it is shredded.", out.Request.ID, participle) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the ledger")
	return cmd
}
