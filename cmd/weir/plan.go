package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

// planBound is how long `weir plan` waits for discovery by itself.
const planBound = 10 * time.Minute

type planFlags struct {
	again    bool
	file     string
	detailed bool
}

func (a *app) planVerb() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use: "plan REQUEST", Short: "Find the subject's records and show what would be done",
		Long: "Find the subject's records and show what would be done to each, what is withheld and why,\n" +
			"what it costs in API calls and when it would be finished. Nothing is changed by it.\n" +
			"While no weir runs, this verb does the finding itself.",
		Args: exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out web.PlanAnswer
			err := a.withDesk(cmd.Context(), planBound, func(ctx context.Context, d *desk) error {
				var err error
				out, err = a.plan(ctx, d, args[0], f.again)
				return err
			})
			if err != nil {
				return err
			}
			if f.file != "" {
				if err := savePlan(f.file, out); err != nil {
					return err
				}
			}
			if err := a.show(out, func(p *page) { planText(p, out, f.file) }); err != nil || !f.detailed {
				return err
			}
			return endWith(detailedExit(out))
		},
	}
	cmd.Flags().BoolVar(&f.again, "again", false, "discover anew and make a fresh plan")
	cmd.Flags().StringVar(&f.file, "out", "", "also save the plan to this file, for approve --plan FILE")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit 20 when there is work to do, 21 when it would miss the deadline")
	return cmd
}

// plan waits until there is a plan, and reads it.
func (a *app) plan(ctx context.Context, d *desk, id string, again bool) (web.PlanAnswer, error) {
	var out web.PlanAnswer
	if again {
		if err := d.Call(ctx, "replan", web.IDInput{ID: id}, &web.RequestAnswer{}); err != nil {
			return out, err
		}
	}
	s, err := a.await(ctx, d, id, func(s web.StatusDoc) bool { return s.Stage == weir.Received || planned(s) })
	if err != nil {
		return out, err
	}
	if s.Stage == weir.Received {
		return out, web.Fail(web.ExitConflict, "not_verified", fmt.Sprintf("Next: weir verify %s --evidence REFERENCE", id),
			"%s is not verified yet; nothing is fetched before that", id)
	}
	if s.PlanHash == "" && s.Reason != "" {
		return out, noPlan(s)
	}
	if err := d.Call(ctx, "plan", web.IDInput{ID: id}, &out); err != nil {
		return out, err
	}
	if out.Plan == nil {
		return out, web.Fail(web.ExitConflict, "no_plan", "", "%s has no plan; it is %s", id, s.Stage)
	}
	return out, nil
}

// noPlan explains why discovery ended without a plan.
func noPlan(s web.StatusDoc) error {
	what, next := reasonOf(s)
	if what == "" {
		what, next = s.Reason, "`weir status "+string(s.ID)+"` shows where it stands."
	}
	return web.Fail(web.ExitConflict, s.Reason, next, "no plan for %s: %s; nothing was changed", s.ID, what)
}

// reasonOf says in words why a request does not go on by itself, and what to do
// next; nothing of a reason that is in words already.
func reasonOf(s web.StatusDoc) (what, next string) {
	again := "`weir plan " + string(s.ID) + " --again`"
	switch s.Reason {
	case "no_match":
		return "no record matches the subject", "Check the identifiers and submit again, or `weir reject " + string(s.ID) + " --reason …`."
	case "too_many_records":
		return "more records match than policy.max_records allows", "Raise policy.max_records if that is right, then " + again + "."
	case "data_map_undecided":
		return "the data map has open decisions (decide:)", "Decide about them, then " + again + "."
	case "data_map_blocked":
		return "the data map does not fit the org", "`weir map check " + string(s.Org) + "` lists what to change; then " + again + "."
	case "pages_damaged":
		return "what was fetched no longer opens", "Put the vault's files back, and it goes on by itself; or fetch everything anew with " + again + "."
	}
	return "", ""
}

// savePlan writes the plan's document for a second person to approve.
func savePlan(path string, out web.PlanAnswer) error {
	doc, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the plan: %w", err)
	}
	if err := os.WriteFile(path, append(doc, '\n'), 0o600); err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	return nil
}

// detailedExit tells scripts whether there is work, and whether it is late.
func detailedExit(out web.PlanAnswer) int {
	work := false
	for _, it := range out.Plan.Items {
		work = work || it.Action != weir.ActWithhold
	}
	switch {
	case !work:
		return web.ExitOK
	case out.SlackSeconds < 0:
		return web.ExitWorkAtRisk
	}
	return web.ExitWork
}
