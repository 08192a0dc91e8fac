package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/weirhq/weir/emulator"
)

type part struct {
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	ReferenceID string            `json:"referenceId"`
	Body        any               `json:"body,omitempty"`
	HTTPHeaders map[string]string `json:"httpHeaders,omitempty"`
}

type partAnswer struct {
	Body           json.RawMessage
	HTTPHeaders    map[string]string
	HTTPStatusCode int
	ReferenceID    string
}

func compositeOf(allOrNone bool, parts ...part) string {
	for i := range parts {
		parts[i].URL = "/services/data/v66.0" + parts[i].URL
		if parts[i].ReferenceID == "" {
			parts[i].ReferenceID = fmt.Sprintf("r%d", i)
		}
	}
	body, err := json.Marshal(map[string]any{"allOrNone": allOrNone, "compositeRequest": parts})
	if err != nil {
		panic(err)
	}
	return string(body)
}

func (c *client) composite(allOrNone bool, parts ...part) []partAnswer {
	c.t.Helper()
	var out struct{ CompositeResponse []partAnswer }
	a := c.send(http.MethodPost, "/composite", compositeOf(allOrNone, parts...))
	if a.status != 200 {
		c.t.Fatalf("%d %s", a.status, a.body)
	}
	c.decode(a, &out)
	return out.CompositeResponse
}

func TestComposite(t *testing.T) {
	org, c := calm(t)
	account := org.Put("Account", map[string]any{"Name": "A"})
	contact := org.Put("Contact", map[string]any{"LastName": "O'Neil"})
	before := org.Log()[len(org.Log())-1].Used
	soql := url.QueryEscape(`SELECT Id FROM Contact WHERE LastName = 'O\'Neil'`)
	got := c.composite(false,
		part{Method: "GET", URL: "/query?q=" + soql},
		part{Method: "GET", URL: "/sobjects/Account/" + account},
		part{Method: "PATCH", URL: "/sobjects/Contact/" + contact, Body: map[string]any{"LastName": ""}},
		part{Method: "PATCH", URL: "/sobjects/Contact/" + contact, Body: map[string]any{"Title": "x"}},
		part{Method: "GET", URL: "/sobjects/Contact/describe"},
		part{Method: "POST", URL: "/sobjects/Lead", Body: map[string]any{"LastName": "x", "Company": "y"}},
	)
	var statuses []int
	for _, p := range got {
		statuses = append(statuses, p.HTTPStatusCode)
	}
	if fmt.Sprint(statuses) != "[200 200 400 204 200 201]" {
		t.Errorf("statuses %v", statuses)
	}
	if !strings.Contains(string(got[0].Body), contact) || string(got[3].Body) != "null" || got[5].HTTPHeaders["Location"] == "" {
		t.Errorf("%s %s %v", got[0].Body, got[3].Body, got[5].HTTPHeaders)
	}
	tag := got[1].HTTPHeaders["ETag"]
	if tag == "" || strings.Contains(tag, "gzip") {
		t.Errorf("tag %q", tag)
	}
	for _, want := range []int{204, 412} {
		got := c.composite(false, part{
			Method: "PATCH", URL: "/sobjects/Account/" + account, Body: map[string]any{"Phone": "1"},
			HTTPHeaders: map[string]string{"If-Match": tag},
		})
		if got[0].HTTPStatusCode != want || string(got[0].Body) != "null" {
			t.Errorf("%+v, want %d", got[0], want)
		}
	}
	if used := org.Log()[len(org.Log())-1].Used; used != before+3 {
		t.Errorf("three composites cost %d calls", used-before)
	}
}

func TestCompositeAllOrNone(t *testing.T) {
	org, c := calm(t)
	a := org.Put("Contact", map[string]any{"LastName": "A"})
	b := org.Put("Contact", map[string]any{"LastName": "B"})
	before, _ := org.Record("Contact", a)
	got := c.composite(true,
		part{Method: "PATCH", URL: "/sobjects/Contact/" + a, Body: map[string]any{"Title": "x"}},
		part{Method: "POST", URL: "/sobjects/Lead", Body: map[string]any{"LastName": "x", "Company": "y"}},
		part{Method: "DELETE", URL: "/sobjects/Contact/" + b},
		part{Method: "PATCH", URL: "/sobjects/Contact/" + a, Body: map[string]any{"LastName": nil}},
		part{Method: "PATCH", URL: "/sobjects/Contact/" + a, Body: map[string]any{"Title": "z"}},
	)
	for i, p := range got {
		code := "PROCESSING_HALTED"
		if i == 3 {
			code = "REQUIRED_FIELD_MISSING"
		}
		if p.HTTPStatusCode != 400 || !strings.Contains(string(p.Body), code) {
			t.Errorf("part %d: %d %s", i, p.HTTPStatusCode, p.Body)
		}
	}
	after, _ := org.Record("Contact", a)
	left, ok := org.Record("Contact", b)
	if after["Title"] != nil || after["SystemModstamp"] != before["SystemModstamp"] || !ok || left["IsDeleted"] == true ||
		len(org.Find("Lead", "LastName", "x")) != 0 || len(org.Truth().Mutations) != 0 {
		t.Error("the transaction was not undone")
	}
}

func TestCompositeLimits(t *testing.T) {
	_, c := calm(t)
	many := func(n int, p part) []part {
		parts := make([]part, n)
		for i := range parts {
			parts[i] = p
		}
		return parts
	}
	query := part{Method: "GET", URL: "/query?q=SELECT+Id+FROM+Lead"}
	row := part{Method: "GET", URL: "/sobjects/Contact/describe"}
	for _, tc := range []struct {
		name  string
		parts []part
		want  int
	}{
		{"25 parts", many(25, row), 200},
		{"26 parts", many(26, row), 400},
		{"no parts", nil, 400},
		{"5 queries", many(5, query), 200},
		{"6 queries", many(6, query), 400},
		{"doubled reference", []part{{Method: "GET", URL: "/limits", ReferenceID: "a"}, {Method: "GET", URL: "/limits", ReferenceID: "a"}}, 400},
		{"bad reference", []part{{Method: "GET", URL: "/limits", ReferenceID: "a b"}}, 400},
		{"nested", []part{{Method: "POST", URL: "/composite"}}, 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if a := c.send(http.MethodPost, "/composite", compositeOf(false, tc.parts...)); a.status != tc.want {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestConditionsIgnoredInComposite(t *testing.T) {
	org, c := calm(t, func(o *emulator.Options) { o.IgnoreConditionsInComposite = true })
	id := org.Put("Account", map[string]any{"Name": "A"})
	got := c.composite(false, part{
		Method: "PATCH", URL: "/sobjects/Account/" + id, Body: map[string]any{"Phone": "1"},
		HTTPHeaders: map[string]string{"If-Match": `"stale"`},
	})
	if got[0].HTTPStatusCode != 204 {
		t.Errorf("%+v", got[0])
	}
}

func TestBatch(t *testing.T) {
	org, c := calm(t)
	id := org.Put("Contact", map[string]any{"LastName": "A"})
	before := org.Log()[len(org.Log())-1].Used
	a := c.send(http.MethodPost, "/composite/batch", `{"haltOnError":true,"batchRequests":[
		{"method":"PATCH","url":"v66.0/sobjects/Contact/`+id+`","richInput":{"Title":"x"}},
		{"method":"PATCH","url":"v66.0/sobjects/Contact/`+id+`","richInput":{"LastName":""}},
		{"method":"GET","url":"v66.0/limits"}]}`)
	if !strings.Contains(a.body, `"hasErrors":true`) || !strings.Contains(a.body, `"statusCode":412`) || !strings.Contains(a.body, "BATCH_PROCESSING_HALTED") {
		t.Error(a.body)
	}
	if used := org.Log()[len(org.Log())-1].Used; used != before+3 {
		t.Errorf("a batch of three costs %d calls", used-before)
	}
}

func TestBatchRefusesNesting(t *testing.T) {
	_, c := calm(t)
	for _, kind := range []string{"composite", "composite/batch"} {
		c.send(http.MethodPost, "/composite/batch", `{"batchRequests":[{"method":"POST","url":"v66.0/`+kind+`","richInput":{}}]}`).want(t, 400, "INVALID_INPUT")
	}
}

func TestCollections(t *testing.T) {
	org, c := calm(t)
	var ids []string
	for range 3 {
		ids = append(ids, org.Put("Contact", map[string]any{"LastName": "A"}))
	}
	update := func(allOrNone bool) string {
		return fmt.Sprintf(`{"allOrNone":%t,"records":[{"attributes":{"type":"Contact"},"id":%q,"Title":"t"},{"attributes":{"type":"Contact"},"Id":%q,"LastName":""}]}`,
			allOrNone, ids[0], ids[1])
	}
	a := c.send(http.MethodPatch, "/composite/sobjects", update(true))
	if a.status != 200 || !strings.Contains(a.body, "ALL_OR_NONE_OPERATION_ROLLED_BACK") || !strings.Contains(a.body, `"statusCode":"REQUIRED_FIELD_MISSING"`) {
		t.Error(a.status, a.body)
	}
	if len(org.Truth().Mutations) != 0 {
		t.Error("a rolled back collection wrote something")
	}
	a = c.send(http.MethodPatch, "/composite/sobjects", update(false))
	if !strings.Contains(a.body, `{"id":"`+ids[0]+`","success":true,"errors":[]}`) || !strings.Contains(a.body, `"success":false`) {
		t.Error(a.body)
	}
	a = c.send(http.MethodPost, "/composite/sobjects/Contact", `{"ids":["`+ids[0]+`","0035g000000zzzz"],"fields":["Title"]}`)
	if !strings.Contains(a.body, `"Title":"t"`) || !strings.HasSuffix(a.body, ",null]") {
		t.Error(a.body)
	}
	a = c.send(http.MethodDelete, "/composite/sobjects?ids="+ids[0]+","+ids[2]+","+ids[2]+"&allOrNone=false", "")
	if strings.Count(a.body, `"success":true`) != 2 || !strings.Contains(a.body, "ENTITY_IS_DELETED") {
		t.Error(a.body)
	}
	c.send(http.MethodDelete, "/composite/sobjects?ids="+strings.TrimSuffix(strings.Repeat(ids[0]+",", 201), ","), "").want(t, 400, "EXCEEDED_ID_LIMIT")
}
