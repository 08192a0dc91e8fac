package plan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
)

// line writes one item as a reviewer reads it.
func line(item weir.PlanItem) string {
	record := item.Record
	if record == "" {
		record = fmt.Sprint(item.Count, "x")
	}
	text := fmt.Sprintf("%d %s %s %s", item.Rank, item.Object, record, item.Action)
	for _, f := range item.Fields {
		text += " " + f.Field
		if f.Value != "" {
			text += "=" + f.Value
		}
		if f.Null {
			text += "=null"
		}
	}
	if item.Reason != "" {
		text += " (" + item.Reason + ")"
	}
	if item.Purge {
		text += " purge"
	}
	return text
}

func lines(p weir.Plan) []string {
	var list []string
	for _, item := range p.Items {
		list = append(list, line(item))
	}
	return list
}

func TestBuildErasure(t *testing.T) {
	p := mustBuild(t, input(t, weir.Erasure, subject()...))
	if diff := cmp.Diff([]string{
		"0 EmailMessage 02sA delete purge",
		"0 Invoice__c a00A withhold (tax-10y)",
		"0 Task 00TA unlink WhoId=null",
		"1 Case 500A delete purge",
		"1 Lead 00QA delete",
		"2 Contact 003A anonymise Email=null LastName=Erased {hash8} Phone=null",
	}, lines(p)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"field-history", "left-in-bin", "residual"}, codes(p)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if p.ExpiresAt.Sub(p.CreatedAt) != time.Hour || p.Hash != plan.Hash(p) || p.MapHash == "" || p.DescribeHash == "" {
		t.Errorf("head: %+v", p)
	}
}

func TestBuildSpecialCases(t *testing.T) {
	for name, tc := range map[string]struct {
		right   weir.Right
		finding weir.Finding
		want    string
		warning string
	}{
		"weak match":             {weir.Erasure, found("Contact", "1", review), "0 Contact 1 withhold (needs-review)", "needs-review"},
		"weak and in the bin":    {weir.Erasure, found("Case", "1", review, deleted), "0 Case 1 withhold (needs-review)", "needs-review"},
		"shared delete":          {weir.Erasure, found("Case", "1", shared), "0 Case 1 unlink ContactId=null (shared)", "shared"},
		"shared unlink":          {weir.Erasure, found("Task", "1", shared), "0 Task 1 unlink WhoId=null", "field-history"},
		"in the bin":             {weir.Erasure, found("Case", "1", deleted), "0 Case 1 delete (recycle-bin) purge", "residual"},
		"anonymised, in the bin": {weir.Erasure, found("Contact", "1", deleted), "0 Contact 1 delete (recycle-bin) purge", "residual"},
		"shared, in the bin":     {weir.Erasure, found("Case", "1", shared, deleted), "0 Case 1 withhold (shared)", "residual"},
		"in the bin, no purge":   {weir.Erasure, found("Lead", "1", deleted), "0 Lead 1 withhold (recycle-bin)", "left-in-bin"},
		"withheld, in the bin":   {weir.Erasure, found("Invoice__c", "1", deleted), "0 Invoice__c 1 withhold (tax-10y)", "residual"},
		"no erase rule":          {weir.Erasure, found("Note__c", "1"), "0 Note__c 1 withhold (no-rule)", "no-erase"},
		"unlink the other way": {
			weir.Erasure, found("Task", "1", func(f *weir.Finding) { f.Why = "Task.WhatId -> Case; Task.WhoId -> Contact" }),
			"0 Task 1 unlink WhatId=null WhoId=null", "field-history",
		},
		"access personal":  {weir.Access, found("Contact", "1"), "0 Contact 1x export Email LastName Phone", ""},
		"access all":       {weir.Access, found("Case", "1"), "0 Case 1x export ContactId Second__c Subject", ""},
		"access withheld":  {weir.Portability, found("Invoice__c", "1"), "0 Invoice__c 1x export Name", ""},
		"access from bin":  {weir.Access, found("Lead", "1", deleted), "0 Lead 1x export Email (recycle-bin)", ""},
		"access, weak":     {weir.Access, found("Contact", "1", review), "0 Contact 1x withhold (needs-review)", "needs-review"},
		"access, no rule":  {weir.Access, found("Note__c", "1"), "", "no-access"},
		"access, unmapped": {weir.Access, found("Other", "1"), "", "no-access"},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustBuild(t, input(t, tc.right, tc.finding))
			if got := strings.Join(lines(p), "\n"); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if got := strings.Join(codes(p), " "); tc.warning == "" && got != "" || !strings.Contains(got, tc.warning) {
				t.Errorf("warnings %s, want %s", got, tc.warning)
			}
		})
	}
}

func TestBuildRefuses(t *testing.T) {
	undecided := input(t, weir.Erasure, subject()...)
	undecided.Map = dataMap(t, mapText+"decide: [Contact.LastName]\n")
	tooMany := input(t, weir.Erasure, subject()...)
	tooMany.Policy.MaxRecords = 5
	blocked := input(t, weir.Access, subject()...)
	delete(blocked.Schemas, "Task")
	for name, tc := range map[string]struct {
		in   given
		want error
		text string
	}{
		"no match":    {input(t, weir.Access), plan.ErrNoMatch, ""},
		"too many":    {tooMany, plan.ErrTooMany, "6 found, 5 allowed"},
		"undecided":   {undecided, plan.ErrUndecided, "Contact.LastName"},
		"blocked":     {blocked, plan.ErrBlocked, "map.yaml:19:3: the org shows no object Task"},
		"unsupported": {input(t, weir.OptOut, subject()...), plan.ErrUnsupported, "opt-out"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tc.in.build()
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("got %v, want %v with %q", err, tc.want, tc.text)
			}
		})
	}
	undecided.Policy.AllowUndecided = true
	if got := codes(mustBuild(t, undecided)); !strings.Contains(strings.Join(got, " "), "undecided") {
		t.Errorf("an allowed plan does not warn: %v", got)
	}
}
