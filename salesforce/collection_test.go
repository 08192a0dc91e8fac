package salesforce_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/salesforce"
)

func numbered(i int) string { return fmt.Sprintf("0030000000%05dAAA", i) }

// What has no condition goes in collections, and the queries behind them.
func TestMutationsWithoutAConditionShareACollection(t *testing.T) {
	var sent composite
	o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
		sent = readComposite(t, r)
		reply(w, 200, elements(
			element(0, 200, "", `[{"id":"`+numbered(0)+`","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"UNABLE_TO_LOCK_ROW","message":"jane","fields":[]}]}]`),
			element(1, 412, "", "null"),
			element(2, 200, "", `[{"id":"`+numbered(4)+`","success":true,"errors":[]},{"id":"`+numbered(2)+`","success":true,"errors":[]}]`),
			element(3, 404, "", `[{"errorCode":"NOT_FOUND","message":"x"}]`),
			element(4, 200, "", `{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Contact"},"Id":"`+numbered(0)+`"}]}`)))
	})
	var rows []string
	a, got, read, _ := o.client(t).MutateAndQuery(t.Context(), []salesforce.Mutation{
		{Object: "Contact", ID: numbered(0), Fields: map[string]any{"Email": secret("x\"y")}},
		{Object: "Contact", ID: numbered(1), Fields: map[string]any{"Email": "x"}, IfUnmodifiedSince: time.Now()},
		{Object: "Task", ID: numbered(2), Delete: true},
		{Object: "Contact", ID: numbered(3), Fields: map[string]any{"Email": nil, "B": true}},
		{Object: "Case", ID: numbered(4), Delete: true},
		{Object: "Case", ID: numbered(5), Delete: true, Alone: true},
	}, []salesforce.Query{{Object: "Contact", Fields: []string{"Id"}}}, nil, func(i int, r salesforce.Row) error {
		rows = append(rows, fmt.Sprint(i, r.ID))
		return nil
	})
	if a.Fault != nil || a.Calls != 1 || read[0].Fault != nil || len(rows) != 1 || rows[0] != "0"+numbered(0) {
		t.Fatalf("%+v %+v %v", a, read, rows)
	}
	var urls []string
	for _, p := range sent.CompositeRequest[:4] {
		urls = append(urls, p.Method+" "+strings.TrimPrefix(p.URL, "/services/data/v66.0"))
		if p.HTTPHeaders["Sforce-Auto-Assign"] != "FALSE" {
			t.Errorf("%+v", p)
		}
	}
	if want := []string{
		"PATCH /composite/sobjects", "PATCH /sobjects/Contact/" + numbered(1),
		"DELETE /composite/sobjects?ids=" + numbered(4) + "," + numbered(2) + "&allOrNone=false", "DELETE /sobjects/Case/" + numbered(5),
	}; fmt.Sprint(urls) != fmt.Sprint(want) {
		t.Errorf("%q", urls)
	}
	if body := string(sent.CompositeRequest[0].Body); body != `{"allOrNone":false,"records":[`+
		`{"attributes":{"type":"Contact"},"id":"`+numbered(0)+`","Email":"x\"y"},{"attributes":{"type":"Contact"},"id":"`+numbered(3)+`","B":true,"Email":null}]}` {
		t.Error(body)
	}
	for i, want := range []weir.Category{"success", weir.Conflict, "success", weir.LockContention, "success", weir.NotFound} {
		if c := categoryOf(got[i].Fault); c != want || got[i].Shared != (i != 1 && i != 5) {
			t.Errorf("mutation %d: %s %+v", i, c, got[i])
		}
	}
	if string(got[3].Detail.Reveal()) != "jane" || got[3].Fault.Effect != weir.EffectNone {
		t.Errorf("%+v", got[3])
	}
}

// An answer that does not tell which record fared how tells nothing: each is read back.
func TestACollectionWhoseItemsCannotBeTold(t *testing.T) {
	good := func(i int) string { return `{"id":"` + numbered(i) + `","success":true,"errors":[]}` }
	for _, c := range []struct {
		name, body string
		status     int
		category   weir.Category // of the second record
		effects    [2]weir.Effect
	}{
		{"both", "[" + good(0) + "," + good(1) + "]", 200, "success", [2]weir.Effect{}},
		{"short ids", strings.ReplaceAll("["+good(0)+","+good(1)+"]", "AAA", ""), 200, "success", [2]weir.Effect{}},
		{"swapped", "[" + good(1) + "," + good(0) + "]", 200, weir.UnknownOutcome, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}},
		{"one", "[" + good(0) + "]", 200, weir.UnknownOutcome, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}},
		{"three", "[" + good(0) + "," + good(1) + "," + good(2) + "]", 200, weir.UnknownOutcome, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}},
		{"nothing", "null", 200, weir.UnknownOutcome, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}},
		{"no body", "null", 204, weir.UnknownOutcome, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}},
		{"without an id", `[` + good(0) + `,{"success":true,"errors":[]}]`, 200, weir.UnknownOutcome, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}},
		{"not a result", `[` + good(0) + `,{"id":"` + numbered(1) + `"}]`, 200, weir.UnknownOutcome, [2]weir.Effect{"", weir.EffectUnknown}},
		{"a success with errors", `[` + good(0) + `,{"id":"` + numbered(1) + `","success":true,"errors":[{"statusCode":"DELETE_FAILED","message":"x"}]}]`, 200, weir.UnknownOutcome, [2]weir.Effect{"", weir.EffectUnknown}},
		{"no reason", `[` + good(0) + `,{"success":false,"errors":[]}]`, 200, weir.UnknownClient, [2]weir.Effect{"", weir.EffectNone}},
		{"deleted before", `[` + good(0) + `,{"success":false,"errors":[{"statusCode":"ENTITY_IS_DELETED","message":"entity is deleted","fields":[]}]}]`, 200, weir.Gone, [2]weir.Effect{"", weir.EffectNone}},
		{"refused", `[{"errorCode":"INVALID_INPUT","message":"x"}]`, 400, weir.Validation, [2]weir.Effect{weir.EffectNone, weir.EffectNone}},
		{"no such resource", `[{"errorCode":"NOT_FOUND","message":"x"}]`, 404, weir.Validation, [2]weir.Effect{weir.EffectNone, weir.EffectNone}},
		{"all of them deleted", `[{"errorCode":"ENTITY_IS_DELETED","message":"x"}]`, 404, weir.Validation, [2]weir.Effect{weir.EffectNone, weir.EffectNone}},
		{"throttled", `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`, 403, weir.ThrottledDaily, [2]weir.Effect{weir.EffectNone, weir.EffectNone}},
		{"an accident", `[{"errorCode":"UNKNOWN_EXCEPTION","message":"x"}]`, 500, weir.PlatformFault, [2]weir.Effect{weir.EffectUnknown, weir.EffectUnknown}},
	} {
		o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, elements(element(0, c.status, "", c.body)))
		})
		a, got := o.client(t).Mutate(t.Context(), []salesforce.Mutation{{Object: "Contact", ID: numbered(0), Delete: true}, {Object: "Contact", ID: numbered(1), Delete: true}})
		if a.Fault != nil || categoryOf(got[1].Fault) != c.category {
			t.Errorf("%s: %+v %+v", c.name, a.Fault, got[1].Fault)
		}
		for i, want := range c.effects {
			if f := got[i].Fault; (f == nil) != (want == "") || f != nil && f.Effect != want {
				t.Errorf("%s: record %d: %+v, want effect %q", c.name, i, f, want)
			}
		}
	}
}

// Two hundred records, ten objects and five collections are what one call takes.
func TestWhatOneCallTakes(t *testing.T) {
	var sent composite
	o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
		sent = readComposite(t, r)
		var parts []string
		for i, p := range sent.CompositeRequest {
			var in struct {
				Records []struct {
					ID string `json:"id"`
				}
			}
			if err := json.Unmarshal(p.Body, &in); err != nil {
				t.Error(err)
			}
			var items []string
			for _, rec := range in.Records {
				items = append(items, `{"id":"`+rec.ID+`","success":true,"errors":[]}`)
			}
			if len(items) > 200 {
				t.Errorf("%d records", len(items))
			}
			parts = append(parts, element(i, 200, "", "["+strings.Join(items, ",")+"]"))
		}
		reply(w, 200, elements(parts...))
	})
	updates := func(n, objects int) (all []salesforce.Mutation) {
		for i := range n {
			all = append(all, salesforce.Mutation{Object: fmt.Sprintf("X%d__c", i%objects), ID: numbered(i), Fields: map[string]any{"A": 1}})
		}
		return all
	}
	for _, c := range []struct{ n, objects, parts int }{
		{200, 1, 1}, {201, 1, 2}, {999, 3, 5}, {1000, 10, 5}, {12, 11, 2}, {50, 50, 5}, {1001, 1, 6}, {1002, 1, 0}, {52, 52, 0},
	} {
		sent = composite{}
		a, got := o.client(t).Mutate(t.Context(), updates(c.n, c.objects))
		if len(sent.CompositeRequest) != c.parts || (a.Fault == nil) != (c.parts > 0) {
			t.Errorf("%+v: %d subrequests, %+v", c, len(sent.CompositeRequest), a.Fault)
		}
		for i := range got {
			if (got[i].Fault == nil) != (c.parts > 0) {
				t.Fatalf("%+v: %+v", c, got[i])
			}
		}
	}
	alone := updates(26, 1)
	for i := range alone {
		alone[i].Alone = true
	}
	if a, _ := o.client(t).Mutate(t.Context(), alone); codeOf(a.Fault) != salesforce.CodeInvalidMutation {
		t.Errorf("26 subrequests: %+v", a.Fault)
	}
	five := make([]salesforce.Query, 5)
	for i := range five {
		five[i] = salesforce.Query{Object: "Contact", Fields: []string{"Id"}}
	}
	if a, _, read, _ := o.client(t).MutateAndQuery(t.Context(), updates(2, 1), five, nil, nil); codeOf(a.Fault) != salesforce.CodeInvalidMutation || read[4].Fault == nil {
		t.Errorf("a collection and five queries: %+v", a.Fault)
	}
}
