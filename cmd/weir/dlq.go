package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) dlqVerbs() *cobra.Command {
	return group("dlq", "Decide about dead letters", a.dlqListVerb(), a.dlqShowVerb(), a.dlqRetryVerb(), a.dlqResolveVerb())
}

func (a *app) dlqListVerb() *cobra.Command {
	var org, state, class, request, older, after string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List dead letters, the most endangered first",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := web.LettersInput{
				Org: weir.OrgID(org), State: weir.LetterState(strings.ToUpper(state)),
				Cause: weir.Category(strings.ToLower(class)), Request: weir.RequestID(request),
				Limit: limit, After: weir.LetterID(after),
			}
			switch in.State {
			case "", weir.LetterOpen, weir.LetterReleased, weir.LetterResolved:
			default:
				return usage("", "--state is open, released or resolved")
			}
			if older != "" {
				age, err := parseWindow(older)
				if err != nil {
					return err
				}
				in.OlderThan = age
			}
			var out web.LettersAnswer
			if err := a.ask(cmd.Context(), "letters", in, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { lettersText(p, out.Letters, out.Next) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&org, "org", "", "only this org")
	f.StringVar(&state, "state", "", "open (default), released or resolved")
	f.StringVar(&class, "class", "", "only this cause, such as auth_config")
	f.StringVar(&request, "request", "", "only this request")
	f.StringVar(&older, "older", "", "only those older than this, such as 4h")
	f.IntVar(&limit, "limit", 200, "how many at most")
	f.StringVar(&after, "after", "", "go on behind this letter, the last one of the page before")
	return cmd
}

func lettersText(p *page, all []web.LetterDoc, next weir.LetterID) {
	if len(all) == 0 {
		p.linef("No dead letters.")
		return
	}
	rows := make([][]string, len(all))
	for i, l := range all {
		rows[i] = []string{
			string(l.ID), string(l.Request), string(l.Category), fmt.Sprintf("%s %s", l.Kind, orDash(l.Object)),
			span(seconds(l.AgeSeconds)), slackText(p, l.SlackSeconds), releaseText(l.Release), orDash(l.Code),
		}
	}
	p.grid([]string{"id", "request", "class", "step", "age", "slack", "goes when", "code"}, rows)
	if next != "" {
		p.linef("There may be more: weir dlq list --after %s", next)
	}
}

func releaseText(k weir.ReleaseKind) string {
	switch k {
	case weir.ReleaseByPerson:
		return "you decide"
	case weir.ReleaseByAllocation:
		return "allocation is back"
	case weir.ReleaseByAuth:
		return "credentials work"
	}
	return string(k)
}

func (a *app) dlqShowVerb() *cobra.Command {
	return &cobra.Command{
		Use: "show LETTER", Short: "Show one dead letter: cause, history and what can be done",
		Args: exactly("LETTER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out web.LetterAnswer
			if err := a.ask(cmd.Context(), "letter", web.LetterInput{ID: weir.LetterID(args[0])}, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { letterText(p, out) })
		},
	}
}

func letterText(p *page, d web.LetterAnswer) {
	l := d.Letter
	p.linef("%s  %s  %s of %s", p.paint(bold, string(l.ID)), l.State, l.Right, l.Request)
	p.linef("  step       %s %s %s %s", l.Step, l.Kind, l.Object, l.Record)
	p.linef("  cause      %s (%s) %s", l.Category, l.Cause, l.Code)
	p.linef("  attempts   %d; died %s", l.Attempts, plural(l.Times, "time", "times"))
	p.linef("  failed     first %s, last %s", when(p.now, l.FirstAt), when(p.now, l.LastAt))
	p.linef("  deadline   %s", when(p.now, l.DueAt))
	p.linef("  goes when  %s", releaseText(l.Release))
	if l.Sealed {
		p.linef("  message    sealed: the org's text may echo personal data")
	}
	for _, h := range d.History {
		p.linef("  %s  %s by %s  %s", p.paint(dim, h.At.UTC().Format("2006-01-02 15:04:05Z")), h.Act, h.By, h.Note)
	}
	if d.Suggest != "" {
		p.linef("Suggestion: %s", d.Suggest)
	}
	if len(d.Actions) > 0 {
		p.linef("You can: %s", strings.Join(d.Actions, ", "))
	}
	if l.State == weir.LetterOpen {
		p.linef("Next: weir dlq retry %s, or weir dlq resolve %s --as withheld --reason TEXT", l.ID, l.ID)
	}
}

func (a *app) dlqRetryVerb() *cobra.Command {
	var afterReset bool
	cmd := &cobra.Command{
		Use: "retry LETTER", Short: "Send a dead step again",
		Args: exactly("LETTER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out web.Done
			in := web.LetterInput{ID: weir.LetterID(args[0]), AfterReset: afterReset}
			if err := a.ask(cmd.Context(), "retry", in, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { p.linef("%s goes again. Its history is kept.", args[0]) })
		},
	}
	cmd.Flags().BoolVar(&afterReset, "after-reset", false, "only when its cause has cleared (exit 9 otherwise)")
	return cmd
}

func (a *app) dlqResolveVerb() *cobra.Command {
	var as, reason string
	cmd := &cobra.Command{
		Use: "resolve LETTER --as waived|withheld|escalated --reason TEXT", Short: "Go without a dead step, or pass it on",
		Long: "Go without a dead step (waived: not needed; withheld: kept for a legal reason) or pass it on\n" +
			"(escalated). The reason stands in ledger and certificate: no personal data.",
		Args: exactly("LETTER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.confirm("Resolve " + args[0] + "? The certificate will say so."); err != nil {
				return err
			}
			var out web.Done
			in := web.LetterInput{ID: weir.LetterID(args[0]), As: as, Reason: reason}
			if err := a.ask(cmd.Context(), "resolve", in, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { p.linef("%s is %s. The certificate will say so.", args[0], as) })
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "waived, withheld or escalated")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for ledger and certificate")
	return cmd
}
