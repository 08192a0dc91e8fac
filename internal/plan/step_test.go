package plan_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
)

func TestStepsOfErasure(t *testing.T) {
	findings := append(subject(), found("Case", "500B", deleted), found("Contact", "003W", review))
	p := mustBuild(t, input(t, weir.Erasure, findings...))
	var got []string
	for _, s := range plan.Steps(p) {
		got = append(got, fmt.Sprintf("%d %s %s %s %s %s", s.Rank, s.Kind, s.Phase, s.Shape, s.Object, s.Record))
		if s.Request != "R-1" || s.Org != "o" || s.State != weir.StepPlanned {
			t.Errorf("step without its request: %+v", s)
		}
	}
	if diff := cmp.Diff([]string{
		"0 erase check erase EmailMessage 02sA",
		"0 erase check erase Task 00TA",
		"1 erase check erase Case 500A",
		"1 erase check erase Lead 00QA",
		"2 erase check erase Contact 003A",
		"3 purge write purge EmailMessage 02sA",
		"3 purge write purge Case 500A",
		"3 purge write purge Case 500B",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var args plan.EraseArgs
	if err := json.Unmarshal(plan.Steps(p)[4].Args, &args); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plan.EraseArgs{Action: weir.ActAnonymise, Version: "v1", Fields: []weir.FieldAction{
		{Field: "Email", Null: true}, {Field: "LastName", Value: "Erased {hash8}"}, {Field: "Phone", Null: true},
	}}, args); diff != "" {
		t.Errorf("args (-want +got):\n%s", diff)
	}
}

// An access reads an object in parts, which are no more than five calls can
// carry at once, of whole pages; each goes on where the one before it ends.
func TestStepsOfAccess(t *testing.T) {
	for name, tc := range map[string]struct {
		tasks, parts, part, calls int
	}{
		"one page":       {200, 1, 200, 1},
		"one more":       {201, 2, 200, 1},
		"a page a step":  {5_000, 25, 200, 5},
		"two pages each": {5_001, 13, 400, 6},
		"very many":      {40_001, 23, 1_800, 41},
	} {
		t.Run(name, func(t *testing.T) {
			findings := []weir.Finding{found("Contact", "003W", review)}
			for i := range tc.tasks {
				findings = append(findings, found("Task", fmt.Sprintf("00T%06d", i)))
			}
			p := mustBuild(t, input(t, weir.Access, findings...))
			exports := plan.Exports(p)
			if len(exports) != 1 || exports[0].Part() != tc.part || p.Calls != tc.calls {
				t.Fatalf("%+v in parts of %d for %d calls, want parts of %d for %d", exports, exports[0].Part(), p.Calls, tc.part, tc.calls)
			}
			var bounds []string
			for i := tc.part; i < tc.tasks+tc.part; i += tc.part {
				bounds = append(bounds, fmt.Sprintf("00T%06d", min(i, tc.tasks)-1))
			}
			steps := exports[0].Steps(p, bounds)
			if len(steps) != tc.parts {
				t.Fatalf("%d steps, want %d", len(steps), tc.parts)
			}
			after := ""
			for i, s := range steps {
				var got plan.ExportArgs
				if err := json.Unmarshal(s.Args, &got); err != nil {
					t.Fatal(err)
				}
				want := plan.ExportArgs{Object: "Task", Fields: []string{"Subject"}, After: after, Last: bounds[i], Page: i * tc.part, Records: min(tc.part, tc.tasks-i*tc.part)}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("step %d (-want +got):\n%s", i, diff)
				}
				after = got.Last
			}
		})
	}
}

// Live records and those of the bin are read together, because queryAll shows both.
func TestExportsFromTheBin(t *testing.T) {
	p := mustBuild(t, input(t, weir.Access, found("Lead", "00QD", deleted), found("Lead", "00QA"), found("Contact", "003A")))
	want := []plan.Export{
		{Object: "Contact", Fields: []string{"Email", "LastName", "Phone"}, Records: 1},
		{Object: "Lead", Fields: []string{"Email"}, Deleted: true, Records: 2},
	}
	if diff := cmp.Diff(want, plan.Exports(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever the findings are: children go before their parents, purges go
// last, every acted-on record has exactly one erase step or was in the bin,
// and no withheld record has any.
func TestStepsKeepTheOrder(t *testing.T) {
	objects := []string{"Contact", "Lead", "Case", "Task", "EmailMessage", "Invoice__c"}
	before := [][2]string{{"Task", "Case"}, {"EmailMessage", "Case"}, {"Case", "Contact"}, {"Task", "Contact"}, {"Task", "Lead"}, {"EmailMessage", "Contact"}}
	rapid.Check(t, func(rt *rapid.T) {
		var findings []weir.Finding
		for i, object := range rapid.SliceOfN(rapid.SampledFrom(objects), 1, 80).Draw(rt, "objects") {
			f := found(object, fmt.Sprintf("%03d", i))
			f.Review = rapid.IntRange(0, 9).Draw(rt, "review") == 0
			f.Shared = rapid.IntRange(0, 9).Draw(rt, "shared") == 0
			f.Deleted = rapid.IntRange(0, 9).Draw(rt, "deleted") == 0
			findings = append(findings, f)
		}
		p, err := input(t, weir.Erasure, findings...).build()
		if err != nil {
			rt.Fatal(err)
		}
		rank, erased, purged, last := map[string]int{}, map[string]bool{}, map[string]bool{}, -1
		for _, s := range plan.Steps(p) {
			if s.Rank < last {
				rt.Fatalf("steps are not in order")
			}
			last = s.Rank
			if s.Kind == weir.StepPurge {
				purged[s.Record] = true
				continue
			}
			if erased[s.Record] || len(purged) > 0 {
				rt.Fatalf("%s is erased twice or after a purge", s.Record)
			}
			erased[s.Record], rank[s.Object] = true, s.Rank
		}
		for _, pair := range before {
			child, c := rank[pair[0]]
			parent, ok := rank[pair[1]]
			if c && ok && child >= parent {
				rt.Fatalf("%s has rank %d, %s has %d", pair[0], child, pair[1], parent)
			}
		}
		for _, item := range p.Items {
			acts := item.Action != weir.ActWithhold
			if wasInBin := item.Reason == plan.ReasonRecycleBin; erased[item.Record] != (acts && !wasInBin) {
				rt.Fatalf("%s: wrong erase step", line(item))
			}
			if purged[item.Record] != item.Purge {
				rt.Fatalf("%s: wrong purge step", line(item))
			}
		}
	})
}

func TestCostOfErasure(t *testing.T) {
	many := func(object string, n int) []weir.Finding {
		var list []weir.Finding
		for i := range n {
			list = append(list, found(object, fmt.Sprintf("%s%04d", object, i)))
		}
		return list
	}
	for name, tc := range map[string]struct {
		findings []weir.Finding
		kinds    []string
		want     int
	}{
		// each: the describe with five finds of the confirm pass 1, then one summand for the finds behind them, the
		// batches, the purges and the proof. Level 0 has 2 finds, level 1 has 4 (Case, Invoice__c, Note__c, Task); a batch of 200 is checked in a call, and written and read back in calls of 24 updates or 200 deletions;
		// the proof sends both finds twice
		"one contact": {many("Contact", 1), []string{"email"}, 1 + 1 + 2 + 0 + 1},
		// the phone is a third find at level 0 and the id a fourth; weak ways are not proven: 6 queries
		"every kind": {many("Contact", 1), nil, 1 + 1 + 2 + 0 + 2},
		"two writes": {many("Contact", 26), []string{"email"}, 1 + 1 + (1 + 2) + 0 + 1},
		// 501 contacts double the queries of level 1
		"many ids": {many("Contact", 501), []string{"email"}, 1 + 1 + (3 + 9 + 9 + 5) + 0 + 1},
		// a lead has tasks only, and its purge is off; the proof looks at the deleted lead: 5 queries
		"one lead": {many("Lead", 1), []string{"email"}, 1 + 0 + 2 + 0 + 1},
		// level 2 has EmailMessage and Task; two batches of cases in rank 0, one contact in rank 1
		"purge": {append(many("Case", 201), many("Contact", 1)...), []string{"email"}, 1 + 1 + (1 + 1) + 2 + 2 + 2 + 1},
		// the contact is checked in the call that deletes the cases
		"ranks": {append(many("Case", 5), many("Contact", 1)...), []string{"email"}, 1 + 1 + 2 + 1 + 1 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(t, weir.Erasure, tc.findings...)
			in.Kinds = tc.kinds
			if got := mustBuild(t, in).Calls; got != tc.want {
				t.Errorf("%d calls, want %d", got, tc.want)
			}
		})
	}
}
