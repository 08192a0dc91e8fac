package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) approveVerb() *cobra.Command {
	var plan, note string
	var wait bool
	cmd := &cobra.Command{
		Use: "approve REQUEST --plan HASH|FILE", Short: "Consent to exactly one plan",
		Long: "Consent to exactly one plan, named by its hash (at least 8 digits) or by the file that\n" +
			"`weir plan --out` saved. If the plan has changed or expired, nothing is sent (exit 6).\n" +
			"Another person than the one who submitted approves, unless policy.single_operator allows it.",
		Args: exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			hash, err := planHash(plan, args[0])
			if err != nil {
				return err
			}
			if err := a.confirm(fmt.Sprintf("Approve the plan %.12s of %s? weir then changes records.", hash, args[0])); err != nil {
				return err
			}
			in := web.ApproveInput{ID: weir.RequestID(args[0]), Plan: hash, Note: note}
			if wait {
				return a.approveAndWatch(cmd.Context(), in)
			}
			var out web.RequestAnswer
			if err := a.ask(cmd.Context(), "approve", in, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) {
				p.linef("%s approved: plan %.12s.", out.Request.ID, out.Request.PlanHash)
				p.linef("Before the first write it is compared once more with the org; any difference stops it.")
				p.linef("Next: weir watch %s", out.Request.ID)
			})
		},
	}
	cmd.Flags().StringVar(&plan, "plan", "", "the plan's hash, or the file that holds the plan")
	cmd.Flags().StringVar(&note, "note", "", "a note for the certificate; no personal data")
	cmd.Flags().BoolVar(&wait, "wait", false, "then watch the request until it ends")
	return cmd
}

func (a *app) approveAndWatch(ctx context.Context, in web.ApproveInput) error {
	return a.withDesk(ctx, 0, func(ctx context.Context, d *desk) error {
		if err := d.Call(ctx, "approve", in, &web.RequestAnswer{}); err != nil {
			return err
		}
		return a.watch(ctx, d, string(in.ID))
	})
}

var hexDigits = regexp.MustCompile(`^[0-9a-f]{8,64}$`)

// planHash takes a hash, or reads it from the file of a saved plan, which must
// be the plan of this very request.
func planHash(plan, request string) (string, error) {
	if plan == "" {
		return "", usage("`weir plan "+request+"` shows it.", "name the plan that you consent to: --plan HASH or --plan FILE")
	}
	if hexDigits.MatchString(plan) {
		return plan, nil
	}
	text, err := os.ReadFile(plan)
	if err != nil {
		return "", usage("A hash has 8 to 64 hex digits.", "--plan is neither a hash nor a file that can be read; nothing was sent")
	}
	var saved web.PlanAnswer
	if err := json.Unmarshal(text, &saved); err != nil || saved.Schema != "weir.plan/v1" || saved.Plan == nil {
		return "", usage("`weir plan "+request+" --out FILE` saves one.", "%s holds no plan; nothing was sent", plan)
	}
	if string(saved.Request.ID) != request {
		return "", web.Fail(web.ExitConflict, "plan_of_other_request", "", "%s is the plan of %s, not of %s; nothing was sent", plan, saved.Request.ID, request)
	}
	return saved.Plan.Hash, nil
}
