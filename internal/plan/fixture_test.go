package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/plan"
)

const mapText = `version: 1
org: o
api_version: "66.0"
subject:
  identify:
    - {object: Contact, match: {email: [Email], id: Id}}
    - {object: Lead, match: {email: [Email]}, where: "IsConverted = false"}
    - {object: Contact, match: {phone: [Phone]}, confidence: review}
objects:
  Contact:
    access: {fields: personal}
    erase: {how: anonymise, set: {LastName: "Erased {hash8}", Email: null, Phone: null}}
  Lead: {access: {fields: [Email]}, erase: {how: delete, purge: none}}
  Case:
    link: ContactId
    shared_by: [Second__c]
    access: {fields: all}
    erase: {how: delete, after: [EmailMessage, Task]}
  Task: {link: [{field: WhoId, parents: [Contact, Lead]}, {field: WhatId, parents: [Case]}], access: {fields: [Subject]}, erase: {how: unlink}}
  EmailMessage: {link: {parent: Case, field: ParentId}, access: {fields: [Subject]}, erase: {how: delete}}
  Invoice__c: {link: Contact__c, access: {fields: [Name]}, erase: {how: withhold, reason: tax-10y}}
  Note__c: {link: Contact__c}
reasons: {tax-10y: {text: Bookkeeping}}
`

func dataMap(t testing.TB, text string) *datamap.Map {
	t.Helper()
	m, err := datamap.Parse("map.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func field(name, kind string, refs ...string) weir.FieldSchema {
	return weir.FieldSchema{Name: name, Type: kind, Nillable: true, Updateable: true, Filterable: true, References: refs}
}

func schemas() map[string]weir.ObjectSchema {
	out := map[string]weir.ObjectSchema{}
	for name, fields := range map[string][]weir.FieldSchema{
		"Contact":      {field("Email", "email"), field("Id", "id"), field("LastName", "string"), field("Phone", "phone")},
		"Lead":         {field("Email", "email"), field("IsConverted", "boolean")},
		"Case":         {field("Body", "base64"), field("ContactId", "reference", "Contact"), field("Second__c", "reference", "Contact"), field("Subject", "string")},
		"Task":         {field("Subject", "string"), field("WhatId", "reference", "Account", "Case"), field("WhoId", "reference", "Contact", "Lead")},
		"EmailMessage": {field("ParentId", "reference", "Case"), field("Subject", "string")},
		"Invoice__c":   {field("Contact__c", "reference", "Contact"), field("Name", "string")},
		"Note__c":      {field("Contact__c", "reference", "Contact")},
	} {
		out[name] = weir.ObjectSchema{Name: name, Queryable: true, Updateable: true, Deletable: true, Fields: fields}
	}
	return out
}

// found makes a finding with a reason that fits its object.
func found(object, record string, change ...func(*weir.Finding)) weir.Finding {
	why := map[string]string{
		"Contact": "Contact.Email = subject", "Lead": "Lead.Email = subject", "Case": "Case.ContactId -> Contact",
		"Task": "Task.WhoId -> Contact", "EmailMessage": "EmailMessage.ParentId -> Case",
		"Invoice__c": "Invoice__c.Contact__c -> Contact", "Note__c": "Note__c.Contact__c -> Contact",
	}
	f := weir.Finding{Object: object, Record: record, Version: "v1", Why: why[object]}
	for _, c := range change {
		c(&f)
	}
	return f
}

func review(f *weir.Finding)  { f.Review = true }
func shared(f *weir.Finding)  { f.Shared = true }
func deleted(f *weir.Finding) { f.Deleted = true }

func subject() []weir.Finding {
	return []weir.Finding{
		found("Contact", "003A"), found("Lead", "00QA"), found("Case", "500A"),
		found("Task", "00TA"), found("EmailMessage", "02sA"), found("Invoice__c", "a00A"),
	}
}

// given is an input with its findings as a list.
type given struct {
	plan.Input
	Findings []weir.Finding
}

// build gives the findings in the order in which the store does, for a right
// that only reads, and as they stand in the list for one that changes something.
func (g given) build() (weir.Plan, error) {
	list := slices.Clone(g.Findings)
	if !g.Request.Right.Mutates() {
		slices.SortFunc(list, func(a, b weir.Finding) int {
			return strings.Compare(a.Object+" "+a.Record, b.Object+" "+b.Record)
		})
	}
	return g.buildFrom(list)
}

func (g given) buildFrom(list []weir.Finding) (weir.Plan, error) {
	g.Input.Findings = func(yield func(weir.Finding, error) bool) {
		for _, f := range list {
			if !yield(f, nil) {
				return
			}
		}
	}
	return plan.Build(g.Input)
}

func input(t testing.TB, right weir.Right, findings ...weir.Finding) given {
	t.Helper()
	return given{Findings: findings, Input: plan.Input{
		Request: weir.Request{ID: "R-1", Org: "o", Right: right}, Map: dataMap(t, mapText), Schemas: schemas(),
		Policy: plan.Policy{TTL: time.Hour}, Now: time.Unix(1_800_000_000, 0).UTC(),
	}}
}

func mustBuild(t testing.TB, in given) weir.Plan {
	t.Helper()
	p, err := in.build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func codes(p weir.Plan) []string {
	var list []string
	for _, w := range p.Warnings {
		list = append(list, w.Code)
	}
	return slices.Compact(list)
}
