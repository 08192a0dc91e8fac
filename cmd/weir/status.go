package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) statusVerb() *cobra.Command {
	return &cobra.Command{
		Use: "status REQUEST", Short: "Show how far a request has come",
		Args: exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out web.StatusAnswer
			if err := a.ask(cmd.Context(), "status", web.IDInput{ID: args[0]}, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { statusText(p, out.Status) })
		},
	}
}

func statusText(p *page, d web.StatusDoc) {
	p.linef("%s", requestLine(p, d.RequestDoc))
	p.linef("  stage      %s", stageText(p, d))
	if d.Reason != "" {
		p.linef("  reason     %s", reasonText(d))
	}
	p.linef("  subject    %s", d.Subject)
	if d.Ref != "" {
		p.linef("  reference  %s", d.Ref)
	}
	if d.Evidence != "" {
		p.linef("  identity   verified by %s", d.Evidence)
	}
	p.linef("  received   %s by %s", when(p.now, d.ReceivedAt), d.SubmittedBy)
	if d.Stage.Ended() {
		p.linef("  ended      %s", when(p.now, d.ClosedAt))
		return
	}
	p.linef("  due        %s", when(p.now, d.DueAt))
	if d.Urgent != nil {
		p.linef("  urgent     %s", urgencyText(p, d.Urgent))
	}
	if !d.Finish.IsZero() {
		p.linef("  forecast   %s, slack %s", when(p.now, d.Finish), slackText(p, d.SlackSeconds))
	}
	if d.ShortCalls > 0 {
		p.linef("  late       %s, %s: weir forecast %s", p.paint(red, number(d.ShortCalls)+" calls short at its due date"), metText(when(p.now, d.Finish), d), d.Org)
	}
	if d.StepsTotal > 0 {
		p.linef("  steps      %d of %d done%s", d.StepsDone, d.StepsTotal, stepsText(d))
	}
	if !d.WaitUntil.IsZero() {
		p.linef("  waits      until %s, %s (%s): weir why %s", when(p.now, d.WaitUntil), d.Category, d.Cause, d.ID)
	}
	for _, x := range d.Drift {
		p.linef("  changed    %s", x)
	}
	nextText(p, d)
}

// reasonText is a reason and, where it is a code, what that means.
func reasonText(d web.StatusDoc) string {
	if what, _ := reasonOf(d); what != "" {
		return d.Reason + ": " + what
	}
	return d.Reason
}

func slackText(p *page, s int64) string {
	text := signed(seconds(s))
	if s < 0 {
		return p.paint(red, text+" LATE")
	}
	return text
}

// metText says when what cannot be in time would be done.
func metText(finish string, d web.StatusDoc) string {
	if d.Finish.IsZero() {
		return "no end in sight"
	}
	return "would be met " + finish
}

func stepsText(d web.StatusDoc) string {
	var text strings.Builder
	for _, state := range weir.StepStates() {
		if n := d.Steps[state]; n > 0 && !state.Ended() {
			fmt.Fprintf(&text, ", %d %s", n, state)
		}
	}
	return text.String()
}

// nextText says what a person can do for a request now.
func nextText(p *page, d web.StatusDoc) {
	switch {
	case len(d.Letters) > 0:
		p.linef("Next: weir dlq show %s", d.Letters[0])
	case d.Stage == weir.Received:
		p.linef("Next: weir verify %s --evidence REFERENCE", d.ID)
	case d.Stage == weir.AwaitingApproval && d.PlanHash == "":
		p.linef("Next: weir plan %s --again, when the reason is gone; or weir reject %s", d.ID, d.ID)
	case d.Stage == weir.Sealing && d.Reason != "":
		_, next := reasonOf(d)
		p.linef("Next: %s", next)
	case d.Stage == weir.AwaitingApproval && len(d.Drift) > 0:
		p.linef("Next: weir plan %s --again", d.ID)
	case d.Stage == weir.AwaitingApproval:
		p.linef("Next: weir plan %s, then weir approve %s --plan %.12s", d.ID, d.ID, d.PlanHash)
	case d.Stage == weir.Delivered && d.Right == weir.Access:
		p.linef("Next: weir export get %s -o %s.age", d.ID, d.ID)
	}
}
