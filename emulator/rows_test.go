package emulator_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

func TestWriteRules(t *testing.T) {
	org, c := calm(t)
	org.Put("Contact", map[string]any{"LastName": "Other", "Email": "Taken@example.com", "Loyalty_Id__c": "L1"})
	contact := org.Put("Contact", map[string]any{"LastName": "Own"})
	lead := org.Put("Lead", map[string]any{"LastName": "Own", "Company": "C"})
	converted := org.Put("Lead", map[string]any{"LastName": "Own", "Company": "C", "IsConverted": true})
	pending := org.Put("Case", map[string]any{"Subject": "S", "Approval_Status__c": "Pending"})
	for _, tc := range []struct{ name, object, id, body, code string }{
		{"required", "Contact", contact, `{"LastName":""}`, "REQUIRED_FIELD_MISSING"},
		{"required lead", "Lead", lead, `{"Company":null}`, "REQUIRED_FIELD_MISSING"},
		{"unique", "Contact", contact, `{"Loyalty_Id__c":"l1"}`, "DUPLICATE_VALUE"},
		{"restricted picklist", "Contact", contact, `{"Segment__c":"[erased]"}`, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"},
		{"validation rule", "Contact", contact, `{"Phone":"erased"}`, "FIELD_CUSTOM_VALIDATION_EXCEPTION"},
		{"e-mail form", "Contact", contact, `{"Email":"erased"}`, "INVALID_EMAIL_ADDRESS"},
		{"duplicate rule", "Contact", contact, `{"Email":"taken@EXAMPLE.com"}`, "DUPLICATES_DETECTED"},
		{"formula", "Contact", contact, `{"Greeting__c":"x"}`, "INVALID_FIELD_FOR_INSERT_UPDATE"},
		{"compound", "Contact", contact, `{"Name":"x"}`, "INVALID_FIELD_FOR_INSERT_UPDATE"},
		{"too long", "Contact", contact, `{"FirstName":"` + strings.Repeat("x", 41) + `"}`, "STRING_TOO_LONG"},
		{"unknown field", "Contact", contact, `{"Nope":"x"}`, "INVALID_FIELD"},
		{"wrong type", "Contact", contact, `{"DoNotCall":"x"}`, "JSON_PARSER_ERROR"},
		{"bad reference", "Contact", contact, `{"AccountId":"0015g00000000zz"}`, "INVALID_CROSS_REFERENCE_KEY"},
		{"not JSON", "Contact", contact, `{`, "JSON_PARSER_ERROR"},
		{"converted lead", "Lead", converted, `{"FirstName":"x"}`, "CANNOT_UPDATE_CONVERTED_LEAD"},
		{"approval", "Case", pending, `{"Subject":"x"}`, "ENTITY_IS_LOCKED"},
		{"malformed id", "Contact", lead, `{}`, "MALFORMED_ID"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.send(http.MethodPatch, "/sobjects/"+tc.object+"/"+tc.id, tc.body).want(t, 400, tc.code)
		})
	}
	if n := len(org.Truth().Mutations); n != 0 {
		t.Errorf("%d mutations were accepted", n)
	}
	c.send(http.MethodPatch, "/sobjects/Contact/"+contact, `{"Email":"taken@example.com"}`,
		"Sforce-Duplicate-Rule-Header", "allowSave=true; includeRecordDetails=false").want(t, 204, "")
}

func TestNormalisation(t *testing.T) {
	org, c := calm(t)
	id := org.Put("Contact", map[string]any{"LastName": "Own", "Title": "T"})
	c.send(http.MethodPatch, "/sobjects/Contact/"+id, `{"Email":" Ada+News@Example.COM ","FirstName":" Ada ","Title":""}`).want(t, 204, "")
	r, _ := org.Record("Contact", id)
	if r["Email"] != "ada+news@example.com" || r["FirstName"] != "Ada" || r["Title"] != nil || r["Name"] != "Ada Own" {
		t.Errorf("stored %v %v %v %v", r["Email"], r["FirstName"], r["Title"], r["Name"])
	}
}

func TestLifeOfARow(t *testing.T) {
	org, c := calm(t)
	a := c.send(http.MethodPost, "/sobjects/Lead", `{"LastName":"L","Company":"C"}`, "Sforce-Auto-Assign", "FALSE")
	var made struct{ ID string }
	c.decode(a, &made)
	if a.status != 201 || len(made.ID) != 18 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	path := "/sobjects/Lead/" + made.ID
	if a := c.send(http.MethodGet, path+"?fields=LastName", ""); !strings.Contains(a.body, `"LastName":"L","Id":"`+made.ID) {
		t.Error(a.body)
	}
	c.send(http.MethodPatch, path, `{"City":"Cork"}`).want(t, 204, "")
	c.send(http.MethodDelete, path, "").want(t, 204, "")
	c.send(http.MethodDelete, path, "").want(t, 404, "ENTITY_IS_DELETED")
	c.send(http.MethodGet, path, "").want(t, 404, "ENTITY_IS_DELETED")
	c.send(http.MethodGet, "/sobjects/Lead/00Q5g000000zzzz", "").want(t, 404, "NOT_FOUND")
	c.send(http.MethodPut, path, "{}").want(t, 405, "METHOD_NOT_ALLOWED")
	truth := org.Truth()
	if len(truth.Mutations) != 3 || !truth.Records[made.ID].Deleted || truth.Assignments != 1 || len(truth.Doubled()) != 0 {
		t.Errorf("%+v", truth)
	}
}

// A trigger runs once for a collection: when it throws over one record, none is changed.
func TestATriggerThrowsOverACollection(t *testing.T) {
	org, c := calm(t)
	var ids []string
	for range 3 {
		ids = append(ids, org.Put("Case", map[string]any{"Subject": "S"}))
	}
	org.Touch("Case", ids[1], map[string]any{"Approval_Status__c": "Disputed"})
	all := "/composite/sobjects?ids=" + strings.Join(ids, ",") + "&allOrNone=false"
	if a := c.send(http.MethodDelete, all, ""); a.status != 200 || strings.Count(string(a.body), "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY") != 3 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if left := c.ids("SELECT Id FROM Case"); len(left) != 3 {
		t.Errorf("left: %v", left)
	}
	c.send(http.MethodDelete, "/sobjects/Case/"+ids[1], "").want(t, 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
	c.send(http.MethodDelete, "/sobjects/Case/"+ids[0], "").want(t, 204, "")
	org.Touch("Case", ids[1], map[string]any{"Approval_Status__c": nil})
	c.send(http.MethodDelete, "/composite/sobjects?ids="+ids[1]+","+ids[2], "").want(t, 200, "")
	if left := c.ids("SELECT Id FROM Case"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestCascade(t *testing.T) {
	org, c := calm(t)
	contact := org.Put("Contact", map[string]any{"LastName": "L"})
	ticket := org.Put("Case", map[string]any{"ContactId": contact})
	org.Put("EmailMessage", map[string]any{"ParentId": ticket})
	gift := org.Put("Donation__c", map[string]any{"Contact__c": contact})
	audited := org.Put("Case", map[string]any{"Approval_Status__c": "Audit"})
	c.send(http.MethodDelete, "/sobjects/Case/"+audited, "").want(t, 400, "DELETE_FAILED")
	c.send(http.MethodDelete, "/sobjects/Case/"+ticket, "").want(t, 204, "")
	if left := c.ids("SELECT Id FROM EmailMessage"); len(left) != 0 {
		t.Errorf("e-mails outlive their case: %v", left)
	}
	c.send(http.MethodDelete, "/sobjects/Contact/"+contact, "").want(t, 204, "")
	if r, _ := org.Record("Donation__c", gift); r["Contact__c"] != nil {
		t.Error("a reference to a deleted contact remains")
	}
}

func TestConditions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t)
		account := org.Put("Account", map[string]any{"Name": "A"})
		contact := org.Put("Contact", map[string]any{"LastName": "L"})
		time.Sleep(10 * time.Second)
		get := func(path string, headers ...string) answer { return c.send(http.MethodGet, path, "", headers...) }
		patch := func(path string, headers ...string) int {
			return c.send(http.MethodPatch, path, `{"Description":"d"}`, headers...).status
		}
		expect := func(what string, got, want int) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %d, want %d", what, got, want)
			}
		}
		a, k := "/sobjects/Account/"+account, "/sobjects/Contact/"+contact
		plain, zipped := get(a).header.Get("ETag"), get(a, "Accept-Encoding", "gzip").header.Get("ETag")
		if zipped != strings.TrimSuffix(plain, `"`)+`-gzip"` || get(k).header.Get("ETag") != "" {
			t.Errorf("tags %s %s", plain, zipped)
		}
		modified := get(k).header.Get("Last-Modified")
		expect("If-None-Match", get(a, "If-None-Match", plain).status, 304)
		expect("If-Modified-Since", get(k, "If-Modified-Since", modified).status, 304)
		expect("If-Match in a list", patch(a, "If-Match", `"x", `+plain), 204)
		expect("stale If-Match", patch(a, "If-Match", plain), 412)
		expect("bad If-Match", patch(a, "If-Match", "unquoted"), 400)
		expect("If-Match on a contact is ignored", patch(k, "If-Match", `"x"`), 204)
		expect("stale If-Unmodified-Since", patch(k, "If-Unmodified-Since", modified), 412)
		expect("bad If-Unmodified-Since", patch(k, "If-Unmodified-Since", "yesterday"), 400)
		modified = get(k).header.Get("Last-Modified")
		org.Touch("Contact", contact, nil)
		expect("a change within the second passes", patch(k, "If-Unmodified-Since", modified), 204)
		time.Sleep(time.Second)
		org.TouchByAutomation("Contact", contact)
		expect("automation does not move LastModifiedDate", patch(k, "If-Unmodified-Since", modified), 204)
		org.Touch("Contact", contact, map[string]any{"Title": "T"})
		expect("an edit does", patch(k, "If-Unmodified-Since", modified), 412)
		if a := c.send(http.MethodPatch, k, `{}`, "If-Unmodified-Since", modified); a.body != "" {
			t.Errorf("412 has a body: %s", a.body)
		}
		expect("DELETE knows no conditions", c.send(http.MethodDelete, k, "", "If-Unmodified-Since", modified).status, 204)
	})
}

func TestConditionSwitches(t *testing.T) {
	org, c := calm(t, func(o *emulator.Options) { o.ETagEverywhere, o.IgnoreUnmodifiedSince = true, true })
	id := org.Put("Contact", map[string]any{"LastName": "L"})
	path := "/sobjects/Contact/" + id
	tag := c.send(http.MethodGet, path, "").header.Get("ETag")
	c.send(http.MethodPatch, path, `{"Title":"x"}`, "If-Match", tag, "If-Unmodified-Since", "Mon, 01 Jan 1990 00:00:00 GMT").want(t, 204, "")
	c.send(http.MethodPatch, path, `{"Title":"y"}`, "If-Match", tag).want(t, 412, "")
}

func TestDescribe(t *testing.T) {
	org, c := calm(t)
	a := c.send(http.MethodGet, "/sobjects/Contact/describe", "")
	var out struct {
		Name               string
		KeyPrefix          string
		Deletable          bool
		ChildRelationships []struct{ ChildSObject, Field string }
		Fields             []struct {
			Name, Type                                                       string
			Length                                                           int
			Nillable, Updateable, Calculated, Unique, Filterable, Createable bool
			RestrictedPicklist                                               bool
			PicklistValues                                                   []struct{ Value string }
			ReferenceTo                                                      []string
		}
	}
	c.decode(a, &out)
	seen := 0
	for _, f := range out.Fields {
		switch f.Name {
		case "LastName":
			seen++
			if f.Nillable || !f.Updateable || f.Type != "string" || f.Length != 80 {
				t.Errorf("%+v", f)
			}
		case "Loyalty_Id__c":
			seen++
			if !f.Unique || !f.Nillable {
				t.Errorf("%+v", f)
			}
		case "Salutation":
			seen++
			if !f.RestrictedPicklist || len(f.PicklistValues) == 0 {
				t.Errorf("%+v", f)
			}
		case "Greeting__c":
			seen++
			if !f.Calculated || f.Updateable || f.Createable {
				t.Errorf("%+v", f)
			}
		case "Description":
			seen++
			if f.Filterable {
				t.Errorf("%+v", f)
			}
		case "AccountId":
			seen++
			if len(f.ReferenceTo) != 1 {
				t.Errorf("%+v", f)
			}
		}
	}
	if seen != 6 || out.KeyPrefix != "003" || !out.Deletable || len(out.ChildRelationships) == 0 {
		t.Errorf("%d fields checked: %+v", seen, out)
	}
	since := a.header.Get("Last-Modified")
	c.send(http.MethodGet, "/sobjects/Contact/describe", "", "If-Modified-Since", since).want(t, 304, "")
	if err := org.AlterField("Contact", "LastName", "nillable", true); err != nil {
		t.Fatal(err)
	}
	if b := c.send(http.MethodGet, "/sobjects/Contact/describe", ""); b.body == a.body {
		t.Error("describe did not change")
	}
	if err := org.AlterField("Contact", "Title", "visible", false); err != nil {
		t.Fatal(err)
	}
	c.query("SELECT Title FROM Contact").want(t, 400, "INVALID_FIELD")
}

func TestPermissions(t *testing.T) {
	org, c := calm(t)
	id := org.Put("Contact", map[string]any{"LastName": "L"})
	org.DenyObject("Lead", "read")
	c.send(http.MethodGet, "/sobjects/Lead/describe", "").want(t, 404, "NOT_FOUND")
	c.query("SELECT Id FROM Lead").want(t, 400, "INVALID_TYPE")
	if a := c.send(http.MethodGet, "/sobjects", ""); strings.Contains(a.body, `"Lead"`) || !strings.Contains(a.body, `"Contact"`) {
		t.Error(a.body)
	}
	org.DenyObject("Contact", "update")
	org.DenyObject("Contact", "delete")
	c.send(http.MethodPatch, "/sobjects/Contact/"+id, `{}`).want(t, 403, "INSUFFICIENT_ACCESS_OR_READONLY")
	c.send(http.MethodDelete, "/sobjects/Contact/"+id, "").want(t, 403, "INSUFFICIENT_ACCESS_OR_READONLY")
	org.AllowObject("Contact", "delete")
	c.send(http.MethodDelete, "/sobjects/Contact/"+id, "").want(t, 204, "")
	org.DenyObject("limits", "read")
	c.send(http.MethodGet, "/limits", "").want(t, 403, "FORBIDDEN")
}
