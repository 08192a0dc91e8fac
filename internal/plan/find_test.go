package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
)

func brief(finds []plan.Find) []string {
	var list []string
	for _, f := range finds {
		text := fmt.Sprintf("%d %s by %s in %s", f.Level, f.Object, f.By, strings.Join(f.Fields, ","))
		if len(f.Parents) > 0 {
			text += " of " + strings.Join(f.Parents, ",")
		}
		if f.Where != nil {
			text += " where " + f.Where.Field.Text
		}
		if f.Review {
			text += " weak"
		}
		list = append(list, text)
	}
	return list
}

func objects(have []weir.Finding) []string {
	var list []string
	for _, f := range have {
		list = append(list, f.Object)
	}
	return list
}

func TestFinds(t *testing.T) {
	m := dataMap(t, mapText)
	contact, lead, aCase := found("Contact", "003A"), found("Lead", "00QA"), found("Case", "500A")
	for name, tc := range map[string]struct {
		level int
		kinds []string
		have  []weir.Finding
		want  []string
	}{
		"by email": {0, []string{"email"}, nil, []string{"0 Contact by email in Email", "0 Lead by email in Email where IsConverted"}},
		"by phone": {0, []string{"phone"}, nil, []string{"0 Contact by phone in Phone weak"}},
		"by id and e-mail": {
			0,
			[]string{"id", "email"},
			nil,
			[]string{"0 Contact by email in Email", "0 Contact by id in Id", "0 Lead by email in Email where IsConverted"},
		},
		"by nothing":    {0, nil, nil, nil},
		"nothing found": {1, nil, nil, nil},
		"children of a contact": {1, nil, []weir.Finding{contact}, []string{
			"1 Case by parent in ContactId of Contact", "1 Invoice__c by parent in Contact__c of Contact",
			"1 Note__c by parent in Contact__c of Contact", "1 Task by parent in WhoId of Contact",
		}},
		"one lookup to several parents": {1, nil, []weir.Finding{lead, contact}, []string{
			"1 Case by parent in ContactId of Contact", "1 Invoice__c by parent in Contact__c of Contact",
			"1 Note__c by parent in Contact__c of Contact", "1 Task by parent in WhoId of Contact,Lead",
		}},
		"children of a lead":     {1, nil, []weir.Finding{lead}, []string{"1 Task by parent in WhoId of Lead"}},
		"grandchildren":          {2, nil, []weir.Finding{contact, aCase}, []string{"2 EmailMessage by parent in ParentId of Case", "2 Task by parent in WhatId of Case"}},
		"no case, no more":       {2, nil, []weir.Finding{contact}, nil},
		"deeper than the map is": {3, nil, subject(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, brief(plan.Finds(m, tc.level, tc.kinds, objects(tc.have)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := plan.Depth(m); got != 3 {
		t.Errorf("depth %d, want 3", got)
	}
	find := plan.Finds(m, 1, nil, []string{"Contact"})[0]
	if diff := cmp.Diff([]string{"ContactId", "Second__c"}, find.Select); diff != "" {
		t.Errorf("selected lookups (-want +got):\n%s", diff)
	}
}

// An object that is identified and also linked gains records late; whoever
// depends on it is followed again, and an empty level still ends the pass.
func TestFindsFollowsLateParents(t *testing.T) {
	m := dataMap(t, `version: 1
org: o
api_version: "66.0"
subject: {identify: [{object: Contact, match: {email: Email}}, {object: Person__c, match: {email: Email__c}}]}
objects:
  Contact: {link: {field: Person__c, parents: [Person__c]}}
  Case: {link: ContactId}
`)
	for _, tc := range []struct {
		level int
		have  []weir.Finding
		want  []string
	}{
		{1, []weir.Finding{found("Contact", "003A")}, []string{"1 Case by parent in ContactId of Contact"}},
		{2, []weir.Finding{found("Contact", "003A")}, []string{"2 Case by parent in ContactId of Contact"}},
		{1, []weir.Finding{found("Person__c", "a01A")}, []string{"1 Contact by parent in Person__c of Person__c"}},
		{2, []weir.Finding{found("Person__c", "a01A"), found("Contact", "003B")}, []string{"2 Case by parent in ContactId of Contact"}},
		{3, []weir.Finding{found("Person__c", "a01A"), found("Contact", "003B")}, nil},
	} {
		if diff := cmp.Diff(tc.want, brief(plan.Finds(m, tc.level, nil, objects(tc.have)))); diff != "" {
			t.Errorf("level %d (-want +got):\n%s", tc.level, diff)
		}
	}
	if got := plan.Depth(m); got != 3 {
		t.Errorf("depth %d, want 3", got)
	}
}

func TestGather(t *testing.T) {
	m := dataMap(t, mapText)
	byEmail, byPhone := plan.Finds(m, 0, []string{"email"}, nil)[0], plan.Finds(m, 0, []string{"phone"}, nil)[0]
	have := plan.Gather(m, nil, nil, byPhone, []plan.Row{{Record: "003A", Version: "v1"}, {Record: "003W", Version: "v1"}})
	have = plan.Gather(m, have, nil, byEmail, []plan.Row{{Record: "003A", Version: "v2", Matched: []string{"Email"}}})
	want := []weir.Finding{
		{Object: "Contact", Record: "003A", Version: "v2", Why: "Contact.Email = subject; Contact.Phone = subject"},
		{Object: "Contact", Record: "003W", Version: "v1", Why: "Contact.Phone = subject", Review: true},
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Fatalf("level 0 (-want +got):\n%s", diff)
	}
	cases := plan.Finds(m, 1, nil, objects(have))[0]
	row := func(id, contact, second string) plan.Row {
		return plan.Row{Record: id, Version: "v1", Lookups: map[string]string{"ContactId": contact, "Second__c": second}}
	}
	have = plan.Gather(m, have, nil, cases, []plan.Row{
		row("500A", "003A", ""), row("500B", "003A", "003A"), row("500C", "003A", "003X"),
		row("500D", "003A", "003W"), row("500E", "003W", ""), row("500F", "003X", "003A"),
	})
	got := map[string]string{}
	for _, f := range have {
		if f.Object == "Case" {
			got[f.Record] = fmt.Sprintf("%s review=%v shared=%v", f.Why, f.Review, f.Shared)
		}
	}
	link := "Case.ContactId -> Contact"
	if diff := cmp.Diff(map[string]string{
		"500A": link + " review=false shared=false",
		"500B": link + " review=false shared=false", // both lookups name the subject
		"500C": link + " review=false shared=true",  // the second one is somebody else
		"500D": link + " review=false shared=true",  // the second one is perhaps somebody else
		"500E": link + " review=true shared=false",  // reached through a weak match only
		// 500F points at a stranger: a shared batch carried it
	}, got); diff != "" {
		t.Errorf("level 1 (-want +got):\n%s", diff)
	}

	again := plan.Gather(m, have, nil, cases, []plan.Row{row("500B", "003A", "003A")})
	if diff := cmp.Diff(have, again); diff != "" {
		t.Errorf("reading a row twice made a difference (-want +got):\n%s", diff)
	}
}
