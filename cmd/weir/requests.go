package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) requestsVerb() *cobra.Command {
	var due, right, org string
	var states []string
	var all bool
	cmd := &cobra.Command{
		Use: "requests", Short: "List requests, the most endangered first",
		Long: "List requests in risk order: least slack first, then erasure, then declared risk.\n" +
			"One that cannot be in time is shown with the calls that are lacking at its due date, and when\n" +
			"it would be met. Requests that have ended are left out unless --all or their stage asks for them.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := web.RequestsInput{Org: weir.OrgID(org), Right: weir.Right(right), Open: !all}
			if due != "" {
				window, err := parseWindow(due)
				if err != nil {
					return err
				}
				in.DueBefore = a.now().Add(window)
			}
			for _, word := range states {
				if err := addState(&in, word); err != nil {
					return err
				}
			}
			var out web.RequestsAnswer
			if err := a.ask(cmd.Context(), "requests", in, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { requestsText(p, out.Requests) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&due, "due", "", "only those due within this span, such as 7d")
	f.StringSliceVar(&states, "state", nil, "only these stages, or waiting, or dead_letter")
	f.StringVar(&right, "right", "", "only this right: access or erasure")
	f.StringVar(&org, "org", "", "only this org")
	f.BoolVar(&all, "all", false, "also those that have ended")
	return cmd
}

// addState takes a stage, or one of the two words for what holds requests up.
func addState(in *web.RequestsInput, word string) error {
	word = strings.ToUpper(strings.ReplaceAll(word, "-", "_"))
	switch word {
	case "WAITING", "THROTTLED":
		in.Waiting = true
		return nil
	case "DEAD_LETTER":
		in.Held = true
		return nil
	}
	s := weir.Stage(word)
	if !slices.Contains(weir.Stages(), s) {
		return usage("Stages: "+strings.ToLower(joinIDs(weir.Stages()))+"; also waiting and dead_letter.", "--state names no stage")
	}
	in.Open = in.Open && !s.Ended()
	in.Stages = append(in.Stages, s)
	return nil
}

func requestsText(p *page, all []web.StatusDoc) {
	if len(all) == 0 {
		p.linef("No requests. `weir submit` accepts one; `weir requests --all` shows those that have ended.")
		return
	}
	rows := make([][]string, len(all))
	for i, d := range all {
		steps := ""
		if d.StepsTotal > 0 {
			steps = fmt.Sprintf("%d/%d", d.StepsDone, d.StepsTotal)
		}
		slack := slackText(p, d.SlackSeconds)
		switch {
		case d.ShortCalls > 0:
			slack = p.paint(red, number(d.ShortCalls)+" calls short") + ", " + metText(d.Finish.UTC().Format("2 Jan 2006 15:04"), d)
		case d.Finish.IsZero():
			slack = "–"
		}
		rows[i] = []string{
			string(d.ID), string(d.Right), string(d.Org), stageText(p, d), steps, slack,
			d.DueAt.UTC().Format("2 Jan 2006"), orDash(d.Ref),
		}
	}
	p.grid([]string{"id", "right", "org", "stage", "steps", "slack", "due", "ref"}, rows)
}
