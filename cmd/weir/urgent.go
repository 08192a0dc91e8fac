package main

import (
	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) urgentVerb() *cobra.Command {
	var in web.UrgentInput
	cmd := &cobra.Command{
		Use: "urgent REQUEST --reason TEXT", Short: "Let a request go before all others, below weir's share but never the floor",
		Long: "Let a request go before all others of its org. Its calls may also go where weir's share of\n" +
			"the day is used up, or where the other integrations may come to need the room; the floor\n" +
			"stays theirs. Another person than the one who submitted marks it, unless\n" +
			"policy.single_operator allows it. The reason stands in the ledger: no personal data.",
		Args: exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.ID = weir.RequestID(args[0])
			if !in.Off {
				if in.Reason == "" {
					return usage("Nothing was changed.", "a reason is needed: --reason TEXT")
				}
				if err := a.confirm("Let " + args[0] + " use the org's calls beyond weir's share?"); err != nil {
					return err
				}
			}
			var out web.UrgentAnswer
			if err := a.ask(cmd.Context(), "urgent", in, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { urgentText(p, out) })
		},
	}
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why, for the ledger")
	cmd.Flags().BoolVar(&in.Off, "off", false, "take it back: the request waits for its turn again")
	return cmd
}

func urgentText(p *page, out web.UrgentAnswer) {
	id, u := out.Request.ID, out.Urgent
	switch {
	case u == nil && out.Changed:
		p.linef("%s is no longer urgent: it waits for its turn.", id)
	case u == nil:
		p.linef("%s is not urgent; nothing was changed.", id)
	case out.Changed:
		p.linef("%s is urgent: it goes before all others, below the share where it must and never below the floor.", id)
		p.linef("Next: weir status %s; weir urgent %s --off takes it back", id, id)
	default:
		p.linef("%s is urgent already; nothing was changed. %s", id, urgencyText(p, u))
	}
}

// urgencyText says who marked a request as urgent, when and why.
func urgencyText(p *page, u *web.UrgencyDoc) string {
	return "by " + u.By + ", " + when(p.now, u.At) + ": " + u.Reason
}
