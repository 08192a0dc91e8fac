package plan_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
)

// What has no meaning leaves the hash alone: the order in which records,
// fields and values were listed, objects that the map does not mention, and
// the time.
func TestHashIgnoresOrderAndTime(t *testing.T) {
	base := mustBuild(t, input(t, weir.Erasure, subject()...))
	rapid.Check(t, func(rt *rapid.T) {
		in := input(t, weir.Erasure, rapid.Permutation(subject()).Draw(rt, "findings")...)
		in.Now = in.Now.Add(time.Duration(rapid.Int64Range(0, 1e15).Draw(rt, "later")))
		in.Policy.TTL = time.Duration(rapid.Int64Range(1, 1e15).Draw(rt, "ttl"))
		in.Schemas["Account"] = weir.ObjectSchema{Name: "Account"}
		for _, name := range []string{"Case", "Contact", "Task"} {
			s := in.Schemas[name]
			s.Fields = rapid.Permutation(s.Fields).Draw(rt, "fields")
			in.Schemas[name] = s
		}
		now, err := in.build()
		if err != nil {
			rt.Fatal(err)
		}
		now.Finish = in.Now
		if plan.Hash(now) != base.Hash || len(plan.Compare(base, now)) != 0 {
			rt.Fatalf("the hash changed: %v", plan.Compare(base, now))
		}
	})
}

// Whatever has a meaning changes the hash, and Compare names it.
func TestHashChangesAndCompareNamesIt(t *testing.T) {
	base := mustBuild(t, input(t, weir.Erasure, subject()...))
	change := func(change func(*weir.FieldSchema)) func(*given) {
		return func(in *given) {
			s := in.Schemas["Contact"]
			s.Fields = slices.Clone(s.Fields)
			change(&s.Fields[2])
			in.Schemas["Contact"] = s
		}
	}
	rewrite := func(old, text string) func(*given) {
		return func(in *given) { in.Map = dataMap(t, strings.Replace(mapText, old, text, 1)) }
	}
	const describe = "describe: the describe of a mapped object changed after approval"
	const mapped = "map: the data map changed after approval"
	for name, tc := range map[string]struct {
		change func(*given)
		want   string
	}{
		"version":        {func(in *given) { in.Findings[2].Version = "v2" }, "record Case 500A: the record changed, version v1 is now v2"},
		"new record":     {func(in *given) { in.Findings = append(in.Findings, found("Task", "00TB")) }, "record Task 00TB: it was found after approval"},
		"gone record":    {func(in *given) { in.Findings = in.Findings[:5] }, "record Invoice__c a00A: it is no longer found"},
		"now shared":     {func(in *given) { in.Findings[2].Shared = true }, "record Case 500A: delete is now unlink (shared), other fields are concerned, order or purge changed"},
		"other reason":   {func(in *given) { in.Findings[0].Why = "Contact.Id = subject" }, "record Contact 003A: it matches for another reason"},
		"map, a reason":  {rewrite("Bookkeeping", "Books"), mapped},
		"map, no effect": {rewrite("fields: [Email]", "fields: all"), mapped},
		"length":         {change(func(f *weir.FieldSchema) { f.Length = 80 }), describe},
		"nillable":       {change(func(f *weir.FieldSchema) { f.Nillable = false }), describe},
		"type":           {change(func(f *weir.FieldSchema) { f.Type = "textarea" }), describe},
		"filterable":     {change(func(f *weir.FieldSchema) { f.Filterable = false }), describe},
		"picklist":       {change(func(f *weir.FieldSchema) { f.Picklist = []string{"A"} }), describe},
		"references":     {change(func(f *weir.FieldSchema) { f.References = []string{"A"} }), describe},
		"field added": {func(in *given) {
			s := in.Schemas["Task"]
			s.Fields = append(slices.Clone(s.Fields), field("X", "string"))
			in.Schemas["Task"] = s
		}, describe},
		"request": {func(in *given) { in.Request.ID = "R-2" }, "plan: it is the plan of another request, org or right"},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(t, weir.Erasure, subject()...)
			tc.change(&in)
			now := mustBuild(t, in)
			if now.Hash == base.Hash {
				t.Fatal("the hash did not change")
			}
			var got []string
			for _, d := range plan.Compare(base, now) {
				got = append(got, d.String())
			}
			if !slices.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// Any single version that changes is named, and nothing else is.
func TestCompareNamesTheRecord(t *testing.T) {
	base := mustBuild(t, input(t, weir.Erasure, subject()...))
	rapid.Check(t, func(rt *rapid.T) {
		in := input(t, weir.Erasure, subject()...)
		f := &in.Findings[rapid.IntRange(0, len(in.Findings)-1).Draw(rt, "which")]
		f.Version = rapid.StringMatching(`w[0-9]{4}`).Draw(rt, "version")
		now, err := in.build()
		if err != nil {
			rt.Fatal(err)
		}
		want := []plan.Difference{{
			Kind: plan.DriftRecord, Object: f.Object, Record: f.Record,
			What: fmt.Sprintf("the record changed, version v1 is now %s", f.Version),
		}}
		if diff := cmp.Diff(want, plan.Compare(base, now)); diff != "" || now.Hash == base.Hash {
			rt.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// A plan that only reads names no record, and yet every record, version and
// reason counts.
func TestHashOfAnAccess(t *testing.T) {
	many := []weir.Finding{found("Task", "00TB"), found("Task", "00TC"), found("Contact", "003B"), found("Case", "500B", review)}
	base := mustBuild(t, input(t, weir.Access, append(subject(), many...)...))
	if got := len(base.Items); got != 7 || base.Records() != 10 {
		t.Errorf("%d items about %d records, want 7 about 10:\n%s", got, base.Records(), strings.Join(lines(base), "\n"))
	}
	if weak := base.Items[1]; !slices.Equal(weak.Shown, []string{"500B"}) || weak.Count != 1 {
		t.Errorf("a weak match is not shown: %+v", weak)
	}
	for name, tc := range map[string]struct {
		change func([]weir.Finding) []weir.Finding
		want   string
	}{
		"nothing":      {func(fs []weir.Finding) []weir.Finding { return fs }, ""},
		"a version":    {func(fs []weir.Finding) []weir.Finding { fs[7].Version = "v2"; return fs }, "record Task: the 3 records or their versions are others"},
		"another":      {func(fs []weir.Finding) []weir.Finding { fs[7].Record = "00TD"; return fs }, "record Task: the 3 records or their versions are others"},
		"one more":     {func(fs []weir.Finding) []weir.Finding { return append(fs, found("Task", "00TE")) }, "record Task: 3 records are now 4"},
		"one less":     {func(fs []weir.Finding) []weir.Finding { return fs[:9] }, "record Case: it is no longer found"},
		"another way":  {func(fs []weir.Finding) []weir.Finding { fs[6].Why = "Task.WhatId -> Case"; return fs }, "record Task: it was found after approval"},
		"a weak match": {func(fs []weir.Finding) []weir.Finding { fs[8].Review = true; return fs }, "record Contact: 2 records are now 1"},
	} {
		t.Run(name, func(t *testing.T) {
			now := mustBuild(t, input(t, weir.Access, tc.change(append(subject(), many...))...))
			var got []string
			for _, d := range plan.Compare(base, now) {
				got = append(got, d.String())
			}
			if tc.want == "" && (len(got) > 0 || now.Hash != base.Hash) {
				t.Fatalf("got %q", got)
			}
			if tc.want != "" && (!slices.Contains(got, tc.want) || now.Hash == base.Hash) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	_, err := input(t, weir.Access).buildFrom([]weir.Finding{found("Task", "00TB"), found("Task", "00TA")})
	if !errors.Is(err, plan.ErrDisorder) {
		t.Errorf("findings in disorder: %v", err)
	}
}

func TestCompareSchemas(t *testing.T) {
	was, now := schemas(), schemas()
	delete(now, "Note__c")
	s := now["Contact"]
	s.Deletable = false
	s.Fields = append(slices.Clone(s.Fields[1:]), field("New__c", "string"))
	s.Fields[1].Length = 40
	now["Contact"] = s
	var got []string
	for _, d := range plan.CompareSchemas(was, now) {
		got = append(got, d.String())
	}
	if diff := cmp.Diff([]string{
		"describe Contact: deletable changed",
		"describe Contact.Email: it is gone",
		"describe Contact.LastName: length changed",
		"describe Contact.New__c: it is new",
		"describe Note__c: it is gone",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(plan.CompareSchemas(was, schemas())) != 0 || plan.DescribeHash(was) != plan.DescribeHash(schemas()) {
		t.Error("equal describes differ")
	}
}
