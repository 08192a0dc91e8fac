package datamap_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
)

func object(name string, fields ...weir.FieldSchema) weir.ObjectSchema {
	return weir.ObjectSchema{Name: name, Queryable: true, Updateable: true, Deletable: true, Fields: fields}
}

func field(name, kind string, change ...func(*weir.FieldSchema)) weir.FieldSchema {
	f := weir.FieldSchema{Name: name, Type: kind, Nillable: true, Updateable: true, Filterable: true}
	for _, c := range change {
		c(&f)
	}
	return f
}

func required(f *weir.FieldSchema) { f.Nillable = false }

func lookup(name string, to ...string) weir.FieldSchema {
	return field(name, "reference", func(f *weir.FieldSchema) { f.References = to })
}

func fields(kind string, names ...string) []weir.FieldSchema {
	var list []weir.FieldSchema
	for _, n := range names {
		list = append(list, field(n, kind))
	}
	return list
}

// standard is the part of a new org's describe that matters here.
func standard() map[string]weir.ObjectSchema {
	contact := object("Contact", field("Id", "id"), field("LastName", "string", required), field("Email", "email"),
		field("Birthdate", "date"), field("Description", "textarea"), field("AccountId", "reference"), field("SystemModstamp", "datetime"),
		field("MailingAddress", "address"))
	contact.Fields = append(contact.Fields, fields("phone", "Phone", "MobilePhone", "HomePhone", "OtherPhone", "Fax", "AssistantPhone")...)
	contact.Fields = append(contact.Fields, fields("string", "FirstName", "AssistantName", "Title", "Department",
		"MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry",
		"OtherStreet", "OtherCity", "OtherState", "OtherPostalCode", "OtherCountry")...)
	list := []weir.ObjectSchema{
		contact,
		object("Lead", field("Id", "id"), field("LastName", "string", required), field("Email", "email"),
			field("Phone", "phone"), field("MobilePhone", "phone"), field("IsConverted", "boolean")),
		object("Case", append(fields("string", "CaseNumber", "Subject", "Description", "Status", "CreatedDate"), lookup("ContactId", "Contact"))...),
		object("Task", append(fields("string", "Subject", "Description", "ActivityDate", "Status"),
			lookup("WhoId", "Contact", "Lead"), lookup("WhatId", "Account", "Case"))...),
		object("EmailMessage", append(fields("string", "Subject", "TextBody", "FromAddress", "ToAddress", "MessageDate"), lookup("ParentId", "Case"))...),
	}
	schemas := map[string]weir.ObjectSchema{}
	for _, s := range list {
		schemas[s.Name] = s
	}
	return schemas
}

func TestStarter(t *testing.T) {
	got := datamap.Starter("prod-eu")
	want, err := os.ReadFile("testdata/starter.golden.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("starter (-want +got):\n%s", diff)
	}
	m, err := datamap.Parse("prod-eu.yaml", got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]datamap.Finding(nil), m.Check(standard())); diff != "" {
		t.Errorf("findings on a standard org (-want +got):\n%s", diff)
	}
}

func TestStarterExamplesParse(t *testing.T) {
	src := string(datamap.Starter(`we"ird`))
	first := strings.Index(src, "  # Enrolment__c:")
	src = src[:first] + strings.ReplaceAll(src[first:], "\n  # ", "\n  ")
	src = strings.Replace(src, "  # Enrolment__c:", "  Enrolment__c:", 1)
	m := mustParse(t, strings.ReplaceAll(src, "\n  #\n", "\n"))
	if _, ok := m.Object("Invoice__c"); !ok || m.Org != `we"ird` {
		t.Error("the commented examples were not read")
	}
}

func TestCheck(t *testing.T) {
	set := func(value string) string {
		return head + "objects:\n  Contact:\n    access: {fields: all}\n    erase: {how: anonymise, set: {F: " + value + "}}\n"
	}
	with := func(fields ...weir.FieldSchema) map[string]weir.ObjectSchema {
		return map[string]weir.ObjectSchema{
			"Contact": object("Contact", append(fields, field("Email", "email", func(f *weir.FieldSchema) { f.Updateable = false }))...),
		}
	}
	changed := func(change func(*weir.FieldSchema)) map[string]weir.ObjectSchema {
		return with(field("F", "string", change))
	}
	deletes := head + "objects:\n  Contact: {access: {fields: all}, erase: {how: delete}}\n"
	child := deletes + "  Invoice__c: {link: Contact__c, erase: {how: withhold, reason: r}}\nreasons: {r: {text: T}}\n"
	for name, tc := range map[string]struct {
		src     string
		schemas map[string]weir.ObjectSchema
		want    string // pos, severity and code of each finding
	}{
		"clean":           {set("null"), with(field("F", "string")), ""},
		"unknown object":  {set("null"), nil, "4:31 block unknown-object, 6:3 block unknown-object"},
		"unknown field":   {set("null"), with(), "8:35 block unknown-field"},
		"not updateable":  {set("null"), changed(func(f *weir.FieldSchema) { f.Updateable = false }), "8:35 block not-updateable"},
		"calculated":      {set("null"), changed(func(f *weir.FieldSchema) { f.Calculated = true }), "8:35 block calculated-field"},
		"null required":   {set("null"), changed(required), "8:38 block required-field"},
		"too long":        {set(`"E {hash8}"`), changed(func(f *weir.FieldSchema) { f.Length = 9 }), "8:38 block too-long"},
		"just fits":       {set(`"E {hash8}"`), changed(func(f *weir.FieldSchema) { f.Length = 10 }), ""},
		"unique constant": {set("gone"), changed(func(f *weir.FieldSchema) { f.Unique = true }), "8:38 block unique-constant"},
		"unique template": {set(`"{hash8}"`), changed(func(f *weir.FieldSchema) { f.Unique = true }), ""},
		"picklist": {set("gone"), with(field("F", "picklist", func(f *weir.FieldSchema) {
			f.Restricted, f.Picklist = true, []string{"None", "Other"}
		})), "8:38 block not-in-picklist"},
		"free picklist":     {set("gone"), with(field("F", "picklist")), ""},
		"bad email":         {set("gone"), with(field("F", "email")), "8:38 block bad-email"},
		"good email":        {set(`"erased-{hash8}@example.invalid"`), with(field("F", "email")), ""},
		"text into boolean": {set("gone"), with(field("F", "boolean")), "8:38 block wrong-type"},
		"boolean into text": {set("true"), with(field("F", "string")), "8:38 block wrong-type"},
		"number":            {set("0"), with(field("F", "double")), ""},
		"constant lookup":   {set("gone"), with(lookup("F", "Account")), "8:38 warn odd-constant"},
		"uncovered phone":   {set("null"), with(field("F", "string"), field("Phone", "phone")), "8:18 warn uncovered-field"},
		"email not filterable": {set("null"), map[string]weir.ObjectSchema{"Contact": object("Contact", field("F", "string"),
			field("Email", "email", func(f *weir.FieldSchema) { f.Filterable, f.Updateable = false, false }))}, "4:55 block not-filterable"},
		"not deletable": {deletes, map[string]weir.ObjectSchema{
			"Contact": {Name: "Contact", Queryable: true, Fields: fields("email", "Email")},
		}, "6:49 block not-deletable"},
		"no rule": {head + "objects: {}\n", with(), "4:31 warn no-rule"},
		"wrong link": {deletes + "  Case: {link: ContactId}\n", map[string]weir.ObjectSchema{
			"Contact": object("Contact", field("Email", "email")), "Case": object("Case", lookup("ContactId", "Account")),
		}, "7:16 block wrong-link, 7:16 warn withheld-child"},
		"cascade takes withheld": {child, map[string]weir.ObjectSchema{
			"Contact": object("Contact", field("Email", "email")),
			"Invoice__c": object("Invoice__c", field("Contact__c", "reference", required, func(f *weir.FieldSchema) {
				f.References = []string{"Contact"}
			})),
		}, "7:22 block withheld-cascade"},
		"required shared link": {
			deletes + "  Case: {link: ContactId, shared_by: [Other__c], erase: {how: delete}}\n",
			map[string]weir.ObjectSchema{
				"Contact": object("Contact", field("Email", "email")),
				"Case": object("Case", field("Other__c", "string"), field("ContactId", "reference", required, func(f *weir.FieldSchema) {
					f.References = []string{"Contact"}
				})),
			},
			"7:16 block required-field, 7:39 block wrong-link",
		},
		"binary": {
			head + "objects:\n  Contact: {access: {fields: [B], labels: {X: Y}}}\n", with(field("B", "base64")),
			"4:31 warn no-rule, 6:30 warn unknown-label, 6:31 block binary-field",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range mustParse(t, tc.src).Check(tc.schemas) {
				place := strings.TrimPrefix(f.Pos.String(), "map.yaml:")
				got = append(got, place+" "+string(f.Severity)+" "+f.Code)
				if f.Message == "" || f.Fix == "" {
					t.Errorf("%s has no message or no fix", f.Code)
				}
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	s := object("X", field("Id", "id"), field("Name", "string"), field("OwnerId", "reference"), field("MailingAddress", "address"),
		field("Body", "base64"), field("SystemModstamp", "datetime"), field("Email", "email"))
	for choice, want := range map[datamap.Choice][]string{
		datamap.All:      {"Email", "Id", "Name", "OwnerId", "SystemModstamp"},
		datamap.Personal: {"Email", "Name"},
		datamap.Listed:   {"A", "B"},
	} {
		a := datamap.Access{Choice: choice, Fields: []datamap.Name{{Text: "B"}, {Text: "A"}}}
		if diff := cmp.Diff(want, a.Resolve(s)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", choice, diff)
		}
	}
}
