package datamap_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
)

// full uses every word of the language.
const full = `version: 1
org: prod-eu
api_version: "66.0"
generated: {by: weir scan, at: 2026-11-23T20:10:00Z, describe_hash: 7a1c}
subject:
  identify:
    - {object: Contact, match: {email: [Email, Alt_Email__c], id: Id}, confidence: high}
    - {object: Lead, match: {email: [Email]}, where: "IsConverted = false", confidence: high}
    - {object: Contact, match: {phone: [MobilePhone]}, confidence: review}
objects:
  Contact:
    access: {fields: personal, labels: {Birthdate: Date of birth}}
    rectify: {fields: [FirstName, LastName]}
    opt_out: {set: {HasOptedOutOfEmail: true, DoNotCall: true}}
    erase:
      how: anonymise
      set: {FirstName: null, LastName: "Erased {hash8}", Email: null, Score__c: 0, DoNotCall: true}
      guard: {if_unmodified_since: true}
      verify: re-read
  Lead: {access: {fields: all}, erase: {how: delete, purge: none}}
  Case:
    link: ContactId
    shared_by: [Secondary_Contact__c]
    access: {fields: [Subject, Description]}
    erase: {how: delete, after: [EmailMessage, Task]}
  Task:
    link: [{field: WhoId, parents: [Lead, Contact]}, {field: WhatId, parents: [Case]}]
    access: {fields: [Subject]}
    erase: {how: unlink, fields: [WhoId], set: {Description: null}}
  EmailMessage: {link: {parent: Case, field: ParentId}, access: {fields: all}, erase: {how: delete, purge: recycle-bin}}
  Invoice__c: {link: Contact__c, access: {fields: all}, erase: {how: withhold, reason: tax-10y, until: "Issued__c + 10y"}}
history: {ContactHistory: {on_erase: report}}
reasons: {tax-10y: {text: "Statutory bookkeeping duty", article: "GDPR 17(3)(b)"}}
decide: [Contact.Notes_Internal__c]
`

func mustParse(t *testing.T, src string) *datamap.Map {
	t.Helper()
	m, err := datamap.Parse("map.yaml", []byte(src))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return m
}

func TestParseReadsEveryWord(t *testing.T) {
	m := mustParse(t, full)
	if m.Org != "prod-eu" || m.APIVersion != "66.0" || m.Version != 1 {
		t.Errorf("head: %+v", m)
	}
	want := []string{"Case", "Contact", "EmailMessage", "Invoice__c", "Lead", "Task"}
	if diff := cmp.Diff(want, m.ObjectNames()); diff != "" {
		t.Errorf("object names (-want +got):\n%s", diff)
	}
	lead := m.Identify[1]
	if lead.Where.Field.Text != "IsConverted" || lead.Where.Op != datamap.Equal || lead.Where.Value.Kind != datamap.Bool {
		t.Errorf("where: %+v", lead.Where)
	}
	if !m.Identify[2].Review || m.Identify[0].Review {
		t.Error("confidence was misread")
	}
	contact, _ := m.Object("Contact")
	var got []weir.FieldAction
	for _, s := range contact.Erase.Set {
		got = append(got, s.Action())
	}
	if diff := cmp.Diff([]weir.FieldAction{
		{Field: "DoNotCall", Value: "=true"},
		{Field: "Email", Null: true},
		{Field: "FirstName", Null: true},
		{Field: "LastName", Value: "Erased {hash8}"},
		{Field: "Score__c", Value: "=0"},
	}, got); diff != "" {
		t.Errorf("set (-want +got):\n%s", diff)
	}
	invoice, _ := m.Object("Invoice__c")
	if p := invoice.Links[0].Parents; len(p) != 1 || p[0].Text != "Contact" {
		t.Errorf("Contact__c should mean Contact: %v", p)
	}
	if invoice.Erase.Purge || !contact.Erase.Guard.IfUnmodifiedSince {
		t.Error("purge or guard was misread")
	}
	leadRules, _ := m.Object("Lead")
	mail, _ := m.Object("EmailMessage")
	if leadRules.Erase.Purge || !mail.Erase.Purge {
		t.Error("purge was misread")
	}
	if diff := cmp.Diff([]string{"Case", "Invoice__c", "Task"}, m.ErasedBefore("Contact")); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// head is a map that needs only its objects.
const head = `version: 1
org: o
api_version: "66.0"
subject: {identify: [{object: Contact, match: {email: Email}}]}
`

func TestParseReportsEveryMistakeWithItsPlace(t *testing.T) {
	for name, tc := range map[string]struct{ src, want string }{
		"empty":       {"", "m.yaml:1:1: the data map is empty"},
		"not yaml":    {"version: [1\norg: o", "m.yaml:2:1: ',' or ']' must be specified"},
		"two docs":    {"version: 1\n---\nversion: 1\n", "m.yaml:3:1: a data map is one YAML document, this is a second one"},
		"a list":      {"- 1\n", "m.yaml:1:1: the data map is a mapping, this is a list"},
		"all missing": {"version: 1\n", `m.yaml:1:1: the data map needs the key "org"` + "\n" + `m.yaml:1:1: the data map needs the key "api_version"` + "\n" + `m.yaml:1:1: the data map needs the key "subject"` + "\n" + `m.yaml:1:1: the data map needs the key "objects"`},
		"many at once": {
			"version: 2\norg: o\napi_version: new\nsubjekt: {}\nsubject: {identify: []}\nobjects: {}\nobjects: {}\n",
			"m.yaml:1:10: this weir reads data maps of version 1\n" +
				"m.yaml:3:14: api_version is written like \"66.0\"\n" +
				"m.yaml:4:1: unknown key \"subjekt\" in the data map (did you mean \"subject\"?)\n" +
				"m.yaml:5:21: identify is empty: no subject could be found\n" +
				"m.yaml:7:1: \"objects\" is here twice; the first is in line 6",
		},
		"anchor": {head + "objects:\n  Contact: &x {access: {fields: all}}\n", "m.yaml:6:12: anchors, aliases and tags are not used in a data map\nm.yaml:6:12: an object is a mapping, this is a single value"},
		"typo deep inside": {
			head + "objects:\n  Contact:\n    erase:\n      how: anonymize\n      sett: {Email: null}\n",
			"m.yaml:8:12: how is one of anonymise, delete, unlink, withhold, not \"anonymize\" (did you mean \"anonymise\"?)\n" +
				"m.yaml:9:7: unknown key \"sett\" in erase (did you mean \"set\"?)",
		},
		"values": {
			head + "objects:\n  Contact:\n    erase:\n      how: anonymise\n      set: {A: \"{name}\", B: \"=1\", C: \"\", D: [1], 9x: null, E: 0x1F}\n",
			"m.yaml:9:16: the only placeholder is {hash8}\n" +
				"m.yaml:9:29: a value cannot start with \"=\"\n" +
				"m.yaml:9:38: an empty text clears nothing at Salesforce; write null\n" +
				"m.yaml:9:45: the new value of D is a single value, this is a list\n" +
				"m.yaml:9:50: the field is an API name (letters, digits and _), not \"9x\"\n" +
				"m.yaml:9:63: a number is written with digits and a point only; put anything else in quotes",
		},
		"keys that do not fit": {
			head + "objects:\n  Contact: {erase: {how: delete, set: {A: null}, reason: x}}\n",
			"m.yaml:6:34: \"set\" has no effect with how: delete\nm.yaml:6:50: \"reason\" has no effect with how: delete",
		},
		"anonymise nothing": {head + "objects:\n  Contact: {erase: {how: anonymise}}\n", "m.yaml:6:20: erase with how: anonymise needs the key \"set\""},
		"withhold without reason": {
			head + "objects:\n  Contact: {erase: {how: withhold, reason: tax}}\nreasons: {taxes: {text: T}}\n",
			"m.yaml:6:20: reason \"tax\" is not under reasons (did you mean \"taxes\"?)",
		},
		"later words": {
			head + "objects:\n  ContentDocument: {link: {through: ContentDocumentLink}, erase: {how: delete, unless: shared, else: unlink}}\n",
			"m.yaml:6:28: \"through\" is not supported in this version\n" +
				"m.yaml:6:80: \"unless\" is not supported in this version\n" +
				"m.yaml:6:96: \"else\" is not supported in this version",
		},
		"via": {
			"version: 1\norg: o\napi_version: 66.0\nsubject:\n  identify:\n  - {object: Individual, via: Contact.IndividualId}\nobjects: {}\n",
			"m.yaml:6:31: \"via\" is not supported in this version; match the object by email, phone or id",
		},
		"condition": {
			"version: 1\norg: o\napi_version: 66.0\nsubject:\n  identify:\n  - {object: Lead, match: {email: Email}, where: \"A = 1 OR B = 2\"}\nobjects: {}\n",
			"m.yaml:6:50: the right side of a condition is true, false, null, a number or a 'text' in single quotes",
		},
		"id field": {
			"version: 1\norg: o\napi_version: 66.0\nsubject: {identify: [{object: Lead, match: {id: Email}}]}\nobjects: {}\n",
			"m.yaml:4:49: an id is matched by the field Id only",
		},
		"unreachable": {head + "objects:\n  Opportunity: {access: {fields: all}}\n", "m.yaml:6:3: Opportunity has no link and is not identified: its records can never be found"},
		"unknown parent": {
			head + "objects:\n  Case: {link: {field: X__c, parent: Contcat}}\n",
			"m.yaml:6:38: Contcat is not an object of this map (did you mean \"Contact\"?)",
		},
		"parent not told": {
			head + "objects:\n  Case: {link: Owner__c}\n",
			"m.yaml:6:16: cannot tell from its name where Owner__c points; write {field: Owner__c, parents: [Object]}",
		},
		"self": {head + "objects:\n  Contact: {link: {field: ReportsToId, parent: Contact}}\n", "m.yaml:6:48: Contact links to itself, which is not supported in this version"},
		"circle of links": {
			head + "objects:\n  A: {link: {field: b, parent: B}}\n  B: {link: {field: a, parent: A}}\n",
			"m.yaml:7:32: the links: a circle, A -> B -> A",
		},
		"circle of order": {
			head + "objects:\n  Contact: {erase: {how: delete}}\n  Case: {link: ContactId, erase: {how: delete, after: [Contact]}}\n",
			"m.yaml:7:16: the order of erasure: a circle, Case -> Contact -> Case",
		},
		"undecided of nothing": {head + "objects: {}\ndecide: [Lead.X, Y]\n", "m.yaml:6:18: an undecided field is written Object.Field, not \"Y\""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := datamap.Parse("m.yaml", []byte(tc.src))
			if _, ok := errors.AsType[*datamap.Errors](err); !ok {
				t.Fatalf("error is %T, want *datamap.Errors: %v", err, err)
			}
			if diff := cmp.Diff(strings.Split(tc.want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestConditionLiterals(t *testing.T) {
	for text, want := range map[string]datamap.Literal{
		`A = true`:         {Kind: datamap.Bool, Text: "true"},
		`A != null`:        {Kind: datamap.Null},
		`A = -1.5`:         {Kind: datamap.Number, Text: "-1.5"},
		`A = 'it\'s \\ x'`: {Kind: datamap.Text, Text: `it's \ x`},
	} {
		src := strings.Replace(head, "email: Email}", `email: Email}, where: "`+strings.ReplaceAll(text, `\`, `\\`)+`"`, 1) + "objects: {}\n"
		m := mustParse(t, src)
		if diff := cmp.Diff(want, m.Identify[0].Where.Value); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"A", "A > 1", "A = 'x", "A = x", "A = '' OR B = ''", "A = ", "A.B = 1"} {
		src := strings.Replace(head, "email: Email}", `email: Email}, where: "`+text+`"`, 1) + "objects: {}\n"
		if _, err := datamap.Parse("m.yaml", []byte(src)); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestRecipes(t *testing.T) {
	for _, tc := range []struct {
		action weir.FieldAction
		text   string
		want   any
	}{
		{weir.FieldAction{Null: true}, "", nil},
		{weir.FieldAction{Value: "Erased {hash8}"}, "Erased 0a1b2c3d", "Erased 0a1b2c3d"},
		{weir.FieldAction{Value: "=true"}, "true", true},
		{weir.FieldAction{Value: "=false"}, "false", false},
		{weir.FieldAction{Value: "true"}, "true", "true"},
	} {
		if got := datamap.Render(tc.action.Value, "0a1b2c3d"); got != tc.text {
			t.Errorf("Render(%q) = %q, want %q", tc.action.Value, got, tc.text)
		}
		if diff := cmp.Diff(tc.want, datamap.Value(tc.action, "0a1b2c3d")); diff != "" {
			t.Errorf("Value(%+v) (-want +got):\n%s", tc.action, diff)
		}
	}
}
