package salesforce_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/salesforce"
)

const (
	contact = "003000000000001AAA"
	second  = "003000000000002AAA"
)

func TestMutateSendsOneComposite(t *testing.T) {
	var sent composite
	var outer http.Header
	o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
		outer = r.Header.Clone()
		sent = readComposite(t, r)
		reply(w, 200, elements(
			element(0, 204, `"ETag":"\"new\""`, "null"),
			element(1, 412, "", "null"),
			element(2, 404, "", `[{"errorCode":"ENTITY_IS_DELETED","message":"entity is deleted","fields":[]}]`),
			element(3, 400, "", `[{"errorCode":"INVALID_EMAIL_ADDRESS","message":"Email: jane@example.com","fields":["Email"]}]`),
		))
	})
	since := time.Date(2026, 5, 1, 12, 0, 0, 999, time.FixedZone("", 7200))
	a, got := o.client(t).Mutate(t.Context(), []salesforce.Mutation{
		{Object: "Account", ID: contact, Fields: map[string]any{
			"B": secret("quo\"te\\\n\u2028ü"), "A": nil, "C": true, "D": json.Number("1.5"), "E": int64(7), "F": "x", "G": 2, "H": 0.5,
		}, IfMatch: `"abc=-gzip"`},
		{Object: "Contact", ID: contact, Fields: map[string]any{"A": nil}, IfUnmodifiedSince: since},
		{Object: "Contact", ID: contact, Delete: true},
		{Object: "Contact", ID: second, Fields: map[string]any{"Email": "x"}},
	})
	if a.Fault != nil || a.Calls != 1 {
		t.Fatalf("%+v", a)
	}
	for name, want := range map[string]string{"Sforce-Auto-Assign": "FALSE", "Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false; runAsCurrentUser=false"} {
		for i, p := range sent.CompositeRequest {
			if p.HTTPHeaders[name] != want {
				t.Errorf("subrequest %d: %s: %q", i, name, p.HTTPHeaders[name])
			}
		}
		if outer.Get(name) != want {
			t.Errorf("outer %s: %q", name, outer.Get(name))
		}
	}
	parts := sent.CompositeRequest
	if sent.AllOrNone || parts[0].HTTPHeaders["If-Match"] != `"abc=-gzip", "abc="` || parts[1].HTTPHeaders["If-Unmodified-Since"] != "Fri, 01 May 2026 10:00:00 GMT" {
		t.Errorf("%+v", parts)
	}
	if string(parts[0].Body) != `{"A":null,"B":"quo\"te\\\u000a`+"\u2028"+`ü","C":true,"D":1.5,"E":7,"F":"x","G":2,"H":0.5}` {
		t.Errorf("%s", parts[0].Body)
	}
	if parts[2].Method != "DELETE" || parts[2].Body != nil || parts[3].URL != "/services/data/v66.0/sobjects/Contact/"+second {
		t.Errorf("%+v", parts[2])
	}
	if got[0].Fault != nil || got[0].ETag != `"new"` || got[0].Status != 204 {
		t.Errorf("%+v", got[0])
	}
	for i, want := range []weir.Category{"success", weir.Conflict, weir.Gone, weir.Validation} {
		if c := categoryOf(got[i].Fault); c != want || i > 0 && got[i].Fault.Effect != weir.EffectNone {
			t.Errorf("element %d: %s %+v", i, c, got[i].Fault)
		}
	}
	if !cmp.Equal(got[3].Fault.Fields, []string{"Email"}) || !strings.Contains(string(got[3].Detail.Reveal()), "jane") || strings.Contains(fmt.Sprintf("%+v", got), "jane") {
		t.Errorf("%+v", got[3])
	}
}

func TestHaltedCompositeDidNotExecute(t *testing.T) {
	o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, elements(
			element(0, 400, "", `[{"errorCode":"PROCESSING_HALTED","message":"The transaction was rolled back"}]`),
			element(1, 412, "", "null"),
			element(2, 400, "", `[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"x"}]`)))
	})
	del := salesforce.Mutation{Object: "Contact", ID: contact, Delete: true}
	_, got := o.client(t).Mutate(t.Context(), []salesforce.Mutation{del, del, del})
	for i, want := range []weir.Category{weir.NotExecuted, weir.NotExecuted, weir.LockContention} {
		if categoryOf(got[i].Fault) != want {
			t.Errorf("element %d: %+v", i, got[i].Fault)
		}
	}
}

func TestInvalidMutationsAreNotSent(t *testing.T) {
	o := newOrg(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	ok := map[string]any{"A": "x"}
	for name, m := range map[string]salesforce.Mutation{
		"object": {Object: "a/b", ID: contact, Fields: ok}, "id": {Object: "Contact", ID: "../../x", Fields: ok},
		"field": {Object: "Contact", ID: contact, Fields: map[string]any{`A":1,"B`: "x"}}, "nothing": {Object: "Contact", ID: contact},
		"both": {Object: "Contact", ID: contact, Delete: true, Fields: ok}, "type": {Object: "Contact", ID: contact, Fields: map[string]any{"A": []int{1}}},
		"utf-8": {Object: "Contact", ID: contact, Fields: map[string]any{"A": "\xff"}}, "tag": {Object: "Contact", ID: contact, Fields: ok, IfMatch: "\"a\"\r\nX: y"},
		"bare tag": {Object: "Contact", ID: contact, Fields: ok, IfMatch: "abc"}, "number": {Object: "Contact", ID: contact, Fields: map[string]any{"A": json.Number("x")}},
	} {
		a, got := o.client(t).Mutate(t.Context(), []salesforce.Mutation{m})
		if codeOf(a.Fault) != salesforce.CodeInvalidMutation || got[0].Fault.Effect != weir.EffectNone || a.Calls != 0 {
			t.Errorf("%s: %+v", name, a.Fault)
		}
	}
	if a, _ := o.client(t).Mutate(t.Context(), make([]salesforce.Mutation, 26)); codeOf(a.Fault) != salesforce.CodeInvalidMutation {
		t.Errorf("26 mutations: %+v", a.Fault)
	}
}

func TestRow(t *testing.T) {
	status, body := 200, `{"attributes":{"type":"Account"},"Id":"`+contact+`","Name":"Acme"}`
	o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/services/data/v66.0/sobjects/Account/"+contact+"?fields=Id,Name" || r.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("%s %v", r.RequestURI, r.Header)
		}
		w.Header().Set("ETag", `"tag"`)
		reply(w, status, body)
	})
	c := o.client(t)
	a, row, etag := c.Row(t.Context(), "Account", contact, []string{"Id", "Name"})
	if name, _ := row.String("Name"); a.Fault != nil || name != "Acme" || etag != `"tag"` || row.Object != "Account" {
		t.Errorf("%+v %v %q", a.Fault, row, etag)
	}
	body = strings.Replace(body, contact, second, 1)
	if a, row, _ := c.Row(t.Context(), "Account", contact, []string{"Id", "Name"}); codeOf(a.Fault) != salesforce.CodeMismatch || row.Raw != nil {
		t.Errorf("another record was accepted: %+v", a.Fault)
	}
	status, body = 404, `[{"errorCode":"NOT_FOUND","message":"x"}]`
	if a, _, _ := c.Row(t.Context(), "Account", contact, []string{"Id", "Name"}); !errors.Is(a.Fault, weir.NotFound) {
		t.Errorf("%+v", a.Fault)
	}
	if a, _, _ := c.Row(t.Context(), "Account", "x/../y", []string{"Id"}); codeOf(a.Fault) != salesforce.CodeInvalidQuery {
		t.Errorf("%+v", a.Fault)
	}
}

func TestProbesRideWithQueries(t *testing.T) {
	gone := `[{"errorCode":"NOT_FOUND","message":"x"}]`
	o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
		for i, p := range readComposite(t, r).CompositeRequest {
			if want := map[bool]string{true: "Mon, 01 Jan 1990 00:00:00 GMT"}[i > 0]; p.Method != "GET" || p.HTTPHeaders["If-Unmodified-Since"] != want {
				t.Errorf("%+v", p)
			}
		}
		reply(w, 200, elements(element(0, 200, "", `{"totalSize":0,"done":true,"records":[]}`),
			element(1, 412, "", "null"), element(2, 200, "", `{"Id":"x"}`), element(3, 404, "", gone), element(4, 304, "", "null")))
	})
	probes := []salesforce.Probe{{Object: "Contact", ID: contact}, {Object: "Case", ID: contact}, {Object: "Lead", ID: contact}, {Object: "Task", ID: contact}}
	ask := []salesforce.Query{{Object: "Contact", Fields: []string{"Id"}}}
	a, read, got := o.client(t).QueryAndProbe(t.Context(), ask, probes, nil)
	if a.Fault != nil || a.Calls != 1 || read[0].Fault != nil || !read[0].Done {
		t.Errorf("%+v %+v", a, read)
	}
	if !got[0].Honours || got[1].Honours || got[1].Fault != nil || categoryOf(got[2].Fault) != weir.NotFound || codeOf(got[3].Fault) != salesforce.CodeBrokenAnswer {
		t.Errorf("%+v", got)
	}
	a, _, got = o.client(t).QueryAndProbe(t.Context(), ask, []salesforce.Probe{{Object: "a/b", ID: contact}}, nil)
	if codeOf(a.Fault) != salesforce.CodeInvalidQuery || got[0].Fault == nil {
		t.Errorf("%+v", a.Fault)
	}
}

func TestDescribe(t *testing.T) {
	var full string
	for _, r := range fixtures(t) {
		if r.Name == "sobject-describe-full.json" {
			full = r.Body
		}
	}
	o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
		if got := readComposite(t, r).CompositeRequest[0].URL; got != "/services/data/v66.0/sobjects/Whizbang/describe" {
			t.Error(got)
		}
		reply(w, 200, elements(
			element(0, 200, "", full),
			element(1, 404, "", `[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]`),
			element(2, 200, "", `{"name":"Small","queryable":true,"deletable":true,"updateable":true,"fields":[
				{"name":"Z","type":"reference","referenceTo":["User","Group"],"nillable":true,"updateable":true,"filterable":true,"unique":true},
				{"name":"A","type":"picklist","length":40,"restrictedPicklist":true,"calculated":true,"picklistValues":[{"active":true,"value":"x"},{"active":false,"value":"y"}]}]}`)))
	})
	a, schemas, faults := o.client(t).Describe(t.Context(), []string{"Whizbang", "Missing__c", "Small"})
	if a.Fault != nil || a.Calls != 1 || faults[0] != nil || categoryOf(faults[1]) != weir.NotFound || faults[2] != nil {
		t.Fatalf("%+v %+v", a, faults)
	}
	if f, ok := schemas[0].Field("OwnerId"); !ok || f.Type != "reference" || schemas[0].Name != "Whizbang" || schemas[1].Name != "" {
		t.Errorf("%+v", f)
	}
	want := weir.ObjectSchema{Name: "Small", Queryable: true, Updateable: true, Deletable: true, Fields: []weir.FieldSchema{
		{Name: "A", Type: "picklist", Length: 40, Restricted: true, Calculated: true, Picklist: []string{"x"}},
		{Name: "Z", Type: "reference", References: []string{"User", "Group"}, Nillable: true, Updateable: true, Filterable: true, Unique: true},
	}}
	if d := cmp.Diff(want, schemas[2]); d != "" {
		t.Error(d)
	}
	if a, _, faults := o.client(t).Describe(t.Context(), []string{"a/b"}); codeOf(a.Fault) != salesforce.CodeInvalidQuery || faults[0] == nil {
		t.Errorf("%+v", a.Fault)
	}
}

func TestEmptyRecycleBin(t *testing.T) {
	envelope := func(body string) string {
		return `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:fault.partner.soap.sforce.com">` +
			`<soapenv:Header><LimitInfoHeader><limitInfo><current>6</current><limit>5000</limit><type>API REQUESTS</type></limitInfo></LimitInfoHeader></soapenv:Header>` +
			`<soapenv:Body>` + body + `</soapenv:Body></soapenv:Envelope>`
	}
	results := func(list ...string) string {
		return envelope(`<emptyRecycleBinResponse>` + strings.Join(list, "") + `</emptyRecycleBinResponse>`)
	}
	good := func(id string) string { return `<result><id>` + id + `</id><success>true</success></result>` }
	bad := `<result><errors><message>jane</message><statusCode>INVALID_CROSS_REFERENCE_KEY</statusCode></errors><success>false</success></result>`
	ids := []string{contact, second}
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   [2]weir.Category
		effect weir.Effect // of the second item
	}{
		{"both", 200, results(good(contact), good(second)), [2]weir.Category{"success", "success"}, ""},
		{"one", 200, results(good(contact[:15]), bad), [2]weir.Category{"success", weir.Validation}, weir.EffectNone},
		{"swapped", 200, results(good(second), good(contact)), [2]weir.Category{weir.UnknownOutcome, weir.UnknownOutcome}, weir.EffectUnknown},
		{"too few", 200, results(good(contact)), [2]weir.Category{weir.UnknownOutcome, weir.UnknownOutcome}, weir.EffectUnknown},
		{"said twice", 200, results(good(contact), `<result><id>`+second+`</id><success>true</success><success>false</success></result>`), [2]weir.Category{weir.UnknownOutcome, weir.UnknownOutcome}, weir.EffectUnknown},
		{"session", 500, envelope(`<soapenv:Fault><faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: x</faultstring></soapenv:Fault>`), [2]weir.Category{weir.AuthDrift, weir.AuthDrift}, weir.EffectNone},
		{"daily", 500, envelope(`<soapenv:Fault><faultcode>sf:REQUEST_LIMIT_EXCEEDED</faultcode><faultstring>REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.</faultstring></soapenv:Fault>`), [2]weir.Category{weir.ThrottledDaily, weir.ThrottledDaily}, weir.EffectNone},
		{"cut", 200, results(good(contact), good(second))[:300], [2]weir.Category{weir.PlatformFault, weir.PlatformFault}, weir.EffectUnknown},
		{"dtd", 200, `<!DOCTYPE x [<!ENTITY a "b">]>` + results(good(contact), good(second)), [2]weir.Category{weir.PlatformFault, weir.PlatformFault}, weir.EffectUnknown},
		{"deep", 200, results(strings.Repeat("<x>", 100) + strings.Repeat("</x>", 100)), [2]weir.Category{weir.PlatformFault, weir.PlatformFault}, weir.EffectUnknown},
	} {
		var sent, action string
		o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			sent, action = string(b), strings.Join(r.Header["Soapaction"], "|")
			w.Header().Set("Content-Type", "text/xml; charset=utf-8")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		a, items := o.client(t).EmptyRecycleBin(t.Context(), ids)
		for i, want := range c.want {
			if categoryOf(items[i].Fault) != want || items[i].ID != ids[i] {
				t.Errorf("%s: item %d: %+v, want %s", c.name, i, items[i].Fault, want)
			}
		}
		if f := items[1].Fault; f != nil && f.Effect != c.effect {
			t.Errorf("%s: effect %s", c.name, f.Effect)
		}
		if !strings.Contains(sent, "<urn:sessionId>00D!tok1</urn:sessionId>") || !strings.Contains(sent, "<urn:ids>"+second+"</urn:ids>") || action != `""` {
			t.Errorf("%s: %s %q", c.name, sent, action)
		}
		if c.name == "one" || c.name == "daily" {
			if len(a.Readings) != 1 || a.Readings[0].Used != 6 || a.Readings[0].Source != "soap LimitInfoHeader" {
				t.Errorf("%s: %+v", c.name, a.Readings)
			}
		}
	}
	o := newOrg(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	if a, _ := o.client(t).EmptyRecycleBin(t.Context(), []string{"<x>"}); codeOf(a.Fault) != salesforce.CodeInvalidMutation {
		t.Errorf("%+v", a.Fault)
	}
}
