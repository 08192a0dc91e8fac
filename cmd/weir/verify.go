package main

import (
	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) verifyVerb() *cobra.Command {
	var evidence string
	cmd := &cobra.Command{
		Use: "verify REQUEST --evidence REFERENCE", Short: "Record that the subject's identity was proven",
		Long: "Record that the subject's identity was proven, by a reference such as a ticket number.\n" +
			"Nothing is fetched for a request before that. The reference stands in the ledger: no personal data.",
		Args: exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out web.RequestAnswer
			in := web.VerifyInput{ID: weir.RequestID(args[0]), Evidence: evidence}
			if err := a.ask(cmd.Context(), "verify", in, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) {
				p.linef("%s verified; discovery begins.", out.Request.ID)
				p.linef("Next: weir plan %s", out.Request.ID)
			})
		},
	}
	cmd.Flags().StringVar(&evidence, "evidence", "", "reference to the proof of identity, such as a ticket number")
	return cmd
}
