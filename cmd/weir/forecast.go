package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) forecastVerb() *cobra.Command {
	return &cobra.Command{
		Use: "forecast ORG", Short: "Foresee when each open request is done, and which cannot be in time",
		Long: "Foresee when each open request of an org is done, in the order in which they are served.\n" +
			"p10 to p95 are the times by which 10, 50, 90 and 95 of 100 such requests were done, so that\n" +
			"8 of 10 end between p10 and p90; slack counts from p95 to the due date. When not everything\n" +
			"can be in time, as many requests as possible are; the others are served last and shown with\n" +
			"the calls that are lacking, and the exit code is 11. What a person marked as urgent comes\n" +
			"first (weir urgent). Asking costs no call.",
		Args: exactly("ORG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out web.ForecastAnswer
			if err := a.ask(cmd.Context(), "forecast", web.OrgInput{Org: weir.OrgID(args[0])}, &out); err != nil {
				return err
			}
			if err := a.show(out, func(p *page) { forecastText(p, out) }); err != nil {
				return err
			}
			if out.Late > 0 {
				return endWith(web.ExitLate)
			}
			return nil
		},
	}
}

func forecastText(p *page, out web.ForecastAnswer) {
	if len(out.Requests) == 0 {
		p.linef("No open request of %s needs a call.", out.Org)
		return
	}
	rows := make([][]string, len(out.Requests))
	for i, f := range out.Requests {
		slack := slackText(p, f.SlackSeconds)
		if f.Late {
			slack = p.paint(red, number(f.ShortCalls)+" calls short")
		}
		stage := string(f.Stage)
		if f.Urgent {
			stage += " (urgent)"
		}
		rows[i] = []string{
			string(f.ID), string(f.Right), stage, number(f.CallsLeft), sightText(f.P10), sightText(f.P50), sightText(f.P90), sightText(f.P95),
			f.DueAt.UTC().Format("2 Jan 2006"), slack,
		}
	}
	p.grid([]string{"id", "right", "stage", "calls left", "p10", "p50", "p90", "p95", "due", "slack"}, rows)
	if out.Late > 0 {
		p.linef("%s cannot be in time; the others go first so that they are. More share or a lower floor", plural(out.Late, "request", "requests"))
		p.linef("(weir config show), fewer calls by the neighbours, or an extension by the law would help.")
	}
}

func sightText(finish time.Time) string {
	if finish.IsZero() {
		return "not in sight"
	}
	return finish.UTC().Format(minuteForm)
}

// minuteForm shows a forecast no finer than it is.
const minuteForm = "2 Jan 15:04"
