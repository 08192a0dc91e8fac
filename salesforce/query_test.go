package salesforce_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/salesforce"
)

func secret(s string) pii.Secret { return pii.NewString(s) }

// soqlOf returns the SOQL that the client would send.
func soqlOf(t *testing.T, q salesforce.Query) (text string, refused bool) {
	t.Helper()
	var body []byte
	rt := roundTripper(func(r *http.Request) (*http.Response, error) {
		answer := `{"access_token":"t"}`
		if !strings.HasSuffix(r.URL.Path, "/token") {
			body, _ = io.ReadAll(r.Body)
			answer = elements(element(0, 200, "", `{"totalSize":0,"done":true,"records":[]}`))
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer))}, nil
	})
	c, err := salesforce.New(salesforce.Options{InstanceURL: "https://acme.example", Auth: salesforce.ClientCredentials{ID: "x", Secret: secret("y")}, Transport: rt})
	if err != nil {
		t.Fatal(err)
	}
	a, answers := c.Query(t.Context(), []salesforce.Query{q}, nil)
	if a.Fault != nil {
		if a.Fault.Code != salesforce.CodeInvalidQuery || a.Fault.Effect != weir.EffectNone || a.Calls != 0 || body != nil || answers[0].Fault == nil {
			t.Errorf("%+v", a)
		}
		return "", true
	}
	var sent composite
	if err := json.Unmarshal(body, &sent); err != nil || len(sent.CompositeRequest) != 1 || sent.AllOrNone {
		t.Fatalf("%v %+v", err, sent)
	}
	u, err := url.Parse(sent.CompositeRequest[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	if q.All != strings.HasSuffix(u.Path, "/queryAll") {
		t.Errorf("%s", u.Path)
	}
	return u.Query().Get("q"), false
}

func TestSOQL(t *testing.T) {
	id := "003000000000001AAA"
	fields := []string{"Id", "Account.Name"}
	for _, c := range []struct {
		q    salesforce.Query
		want string
	}{
		{salesforce.Query{Where: salesforce.Eq("Email", secret("o'neil+x@example.com"))}, `WHERE Email = 'o\'neil+x@example.com'`},
		{salesforce.Query{Where: salesforce.Eq("Name", secret("a\\b\"c\n\r\t\b\f\x00\x7fü☃"))}, `WHERE Name = 'a\\b\"c\n\r\t\b\f\u0000\u007Fü☃'`},
		{salesforce.Query{Where: salesforce.In("Id", []string{id, "003000000000002"}), OrderBy: "Id", Limit: 2}, `WHERE Id IN ('` + id + `', '003000000000002') ORDER BY Id LIMIT 2`},
		{salesforce.Query{Where: salesforce.InText("Email", []pii.Secret{secret("a"), secret("b")})}, `WHERE Email IN ('a', 'b')`},
		{salesforce.Query{Where: salesforce.And(salesforce.Gt("Id", id), salesforce.Expr{}, salesforce.Or(salesforce.IsBool("IsDeleted", true), salesforce.NotNull("Owner.Email"))), All: true}, `WHERE (Id > '` + id + `' AND (IsDeleted = TRUE OR Owner.Email != NULL))`},
		{salesforce.Query{Where: salesforce.And(salesforce.Compare("A__c", ">=", 5), salesforce.Compare("B__c", "<", json.Number("1.50")), salesforce.Compare("C", "=", nil), salesforce.Compare("D", "!=", "x"), salesforce.Compare("E", "<", time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)), salesforce.IsNull("F"))}, `WHERE (A__c >= 5 AND B__c < 1.5 AND C = NULL AND D != 'x' AND E < 2026-01-02T03:04:05Z AND F = NULL)`},
		{salesforce.Query{Where: salesforce.And(), OrderBy: "Name DESC"}, `ORDER BY Name DESC`},
	} {
		c.q.Object, c.q.Fields = "Contact", fields
		got, _ := soqlOf(t, c.q)
		if want := "SELECT Id, Account.Name FROM Contact " + c.want; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	ok := salesforce.Eq("A", secret("x"))
	for name, q := range map[string]salesforce.Query{
		"object":        {Object: "Contact WHERE", Fields: fields},
		"no fields":     {Object: "Contact"},
		"field":         {Object: "Contact", Fields: []string{"Id FROM User"}},
		"deep path":     {Object: "Contact", Fields: []string{"a.b.c.d.e.f.g"}},
		"id":            {Object: "Contact", Fields: fields, Where: salesforce.In("Id", []string{"' OR Id != '"})},
		"no ids":        {Object: "Contact", Fields: fields, Where: salesforce.In("Id", nil)},
		"or of nothing": {Object: "Contact", Fields: fields, Where: salesforce.Or()},
		"or of zero":    {Object: "Contact", Fields: fields, Where: salesforce.Or(ok, salesforce.Expr{})},
		"operator":      {Object: "Contact", Fields: fields, Where: salesforce.Compare("A", "LIKE", "x")},
		"null order":    {Object: "Contact", Fields: fields, Where: salesforce.Compare("A", "<", nil)},
		"number":        {Object: "Contact", Fields: fields, Where: salesforce.Compare("A", "=", json.Number("1 OR 1=1"))},
		"type":          {Object: "Contact", Fields: fields, Where: salesforce.Compare("A", "=", []string{"x"})},
		"order by":      {Object: "Contact", Fields: fields, OrderBy: "Id LIMIT 1"},
		"limit":         {Object: "Contact", Fields: fields, Limit: -1},
		"long value":    {Object: "Contact", Fields: fields, Where: salesforce.Eq("A", secret(strings.Repeat("x", 4001)))},
		"utf-8":         {Object: "Contact", Fields: fields, Where: salesforce.Eq("A", secret("\xff"))},
		"too long":      {Object: "Contact", Fields: fields, Where: salesforce.InText("A", slicesOf(secret(strings.Repeat("x", 4000)), 26))},
	} {
		if got, refused := soqlOf(t, q); !refused {
			t.Errorf("%s: sent %s", name, got)
		}
	}
	if got := fmt.Sprintf("%v %+v %#v", ok, ok, salesforce.Query{Where: salesforce.Eq("A", secret("jane"))}); strings.Contains(got, "jane") {
		t.Error("a query prints its values")
	}
}

func slicesOf[T any](v T, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestNoValueInAnyURL(t *testing.T) {
	const mail = "jane.doe@example.com"
	o := newOrg(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/composite") {
			sent := readComposite(t, r)
			parts := make([]string, len(sent.CompositeRequest))
			for i, p := range sent.CompositeRequest {
				body := "null"
				if p.Method == "GET" {
					body = `{"totalSize":0,"done":true,"records":[]}`
				}
				parts[i] = element(i, 200, "", body)
			}
			reply(w, 200, elements(parts...))
			return
		}
		reply(w, 404, `[{"errorCode":"NOT_FOUND","message":"`+mail+`"}]`)
	})
	c := o.client(t)
	q := salesforce.Query{Object: "Contact", Fields: []string{"Id"}, Where: salesforce.Eq("Email", secret(mail))}
	all := q
	all.All = true
	a, answers := c.Query(t.Context(), []salesforce.Query{q, all}, nil)
	_, m := c.Mutate(t.Context(), []salesforce.Mutation{{Object: "Contact", ID: "003000000000001AAA", Fields: map[string]any{"Email": secret(mail)}}})
	b, _, _ := c.Row(t.Context(), "Contact", "003000000000001AAA", []string{"Email"})
	for _, line := range o.lines() {
		if text, err := url.QueryUnescape(line); err != nil || strings.Contains(text, "jane") || strings.Contains(line, "s3cret") {
			t.Errorf("%s", line)
		}
	}
	if shown := fmt.Sprintf("%+v %+v %+v %+v", a, answers, m, b); strings.Contains(shown, "jane") {
		t.Errorf("an answer prints a value: %s", shown)
	}
	if string(b.Detail.Reveal()) != mail {
		t.Error("the org's text is lost")
	}
}

func TestQueryGivesEachItsOwnRows(t *testing.T) {
	o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, elements(
			element(0, 200, `"Sforce-Limit-Info":"api-usage=19/5000"`, `{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v66.0/query/0r8xx0000000001-2000","records":[
				{"attributes":{"type":"Contact","url":"/services/data/v66.0/sobjects/Contact/003000000000001AAA"},"Id":"003000000000001AAA","Name":"J\u00fcrgen \"J\"","Age":42,"On":true,"Gone":null,
				 "Account":{"attributes":{"type":"Account","url":"x"},"Name":"Acme"},"Cases":{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Case"},"Id":"5"}]}}]}`),
			element(1, 400, "", `[{"errorCode":"MALFORMED_QUERY","message":"jane"}]`),
			element(2, 200, "", `{"totalSize":0,"done":true,"records":[]}`),
		))
	})
	q := salesforce.Query{Object: "Contact", Fields: []string{"Id"}}
	var rows []salesforce.Row
	a, got := o.client(t).Query(t.Context(), []salesforce.Query{q, q, q}, func(i int, r salesforce.Row) error {
		if i != 0 {
			t.Errorf("a row for query %d", i)
		}
		rows = append(rows, r.Clone())
		return nil
	})
	if a.Fault != nil || a.Calls != 1 || len(a.Readings) != 1 || a.Readings[0].Used != 19 || len(rows) != 1 {
		t.Fatalf("%+v, %d rows", a, len(rows))
	}
	if got[0].Fault != nil || got[0].Done || got[0].Next != "/services/data/v66.0/query/0r8xx0000000001-2000" || got[0].Rows != 1 || got[0].Total != 2 {
		t.Errorf("%+v", got[0])
	}
	if codeOf(got[1].Fault) != "MALFORMED_QUERY" || categoryOf(got[1].Fault) != weir.Validation || got[2].Fault != nil || !got[2].Done {
		t.Errorf("%+v %+v", got[1].Fault, got[2])
	}
	r := rows[0]
	want := `{"Id":"003000000000001AAA","Name":"J\u00fcrgen \"J\"","Age":42,"On":true,"Gone":null,"Account":{"Name":"Acme"},"Cases":{"totalSize":1,"done":true,"records":[{"Id":"5"}]}}`
	if string(r.Raw) != want || r.Object != "Contact" || r.ID != "003000000000001AAA" {
		t.Errorf("%s %s\n%s", r.Object, r.ID, r.Raw)
	}
	for field, want := range map[string]string{"Name": `Jürgen "J"`, "Age": "42", "On": "true", "Account.Name": "Acme"} {
		if v, ok := r.String(field); !ok || v != want {
			t.Errorf("%s: %q", field, v)
		}
	}
	if _, ok := r.String("Gone"); ok || !r.IsNull("Gone") || r.IsNull("Absent") || r.IsNull("Name") {
		t.Error("null and absent are confused")
	}
	if s := fmt.Sprintf("%v %+v %#v", r, r, &r); strings.Contains(s, "rgen") {
		t.Error("a row prints its values")
	}
}

func TestSinkErrorStopsTheCall(t *testing.T) {
	o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, elements(element(0, 200, "", `{"totalSize":2,"done":true,"records":[{"Id":"1"},{"Id":"2"}]}`)))
	})
	full := errors.New("disk full")
	n := 0
	a, got := o.client(t).Query(t.Context(), []salesforce.Query{{Object: "Contact", Fields: []string{"Id"}}}, func(int, salesforce.Row) error { n++; return full })
	if !errors.Is(a.Err, full) || categoryOf(a.Fault) != weir.StorageFault || got[0].Fault == nil || n != 1 {
		t.Errorf("%+v after %d rows", a, n)
	}
}

// Whatever a record holds arrives unchanged, attributes excepted, however the
// network cuts it into pieces.
func TestRowsArriveUnchanged(t *testing.T) {
	value := rapid.Deferred(func() *rapid.Generator[any] { return anyValue(3) })
	rapid.Check(t, func(rt *rapid.T) {
		record := rapid.MapOfN(rapid.StringMatching(`[A-Za-z"\\é]{1,12}`), value, 0, 8).Draw(rt, "record")
		delete(record, "attributes")
		record["attributes"] = map[string]any{"type": "Contact"}
		raw, err := json.MarshalIndent(record, "", " ")
		if err != nil {
			rt.Fatal(err)
		}
		answer := elements(element(0, 200, "", `{"totalSize":1,"done":true,"records":[`+string(raw)+`]}`))
		chunk := rapid.IntRange(1, 64).Draw(rt, "chunk")
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			text := answer
			if strings.HasSuffix(r.URL.Path, "/token") {
				text = `{"access_token":"t"}`
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(&pieces{[]byte(text), chunk})}, nil
		})
		c, err := salesforce.New(salesforce.Options{InstanceURL: "https://acme.example", Auth: salesforce.ClientCredentials{ID: "x", Secret: secret("y")}, Transport: transport})
		if err != nil {
			rt.Fatal(err)
		}
		var got map[string]any
		a, _ := c.Query(t.Context(), []salesforce.Query{{Object: "Contact", Fields: []string{"Id"}}}, func(_ int, r salesforce.Row) error {
			return json.Unmarshal(r.Raw, &got)
		})
		if a.Fault != nil {
			rt.Fatalf("%+v %v", a.Fault, a.Err)
		}
		delete(record, "attributes")
		var want map[string]any
		raw, _ = json.Marshal(record)
		_ = json.Unmarshal(raw, &want)
		if d := cmp.Diff(want, got); d != "" {
			rt.Fatal(d)
		}
	})
}

func anyValue(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Float64Range(-1e6, 1e6).AsAny(), rapid.String().AsAny())
	if depth == 0 {
		return leaf
	}
	key := rapid.StringMatching(`[A-Z]{1,5}`)
	return rapid.OneOf(leaf, leaf, rapid.SliceOfN(anyValue(depth-1), 0, 3).AsAny(), rapid.MapOfN(key, anyValue(depth-1), 0, 3).AsAny())
}

// pieces hands out a text a few bytes at a time.
type pieces struct {
	left []byte
	n    int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.n)], p.left)
	p.left = p.left[n:]
	return n, nil
}

// An export of 500 pages needs no more memory than one of a single page.
func TestMemoryStaysFlat(t *testing.T) {
	record := []byte(`{"attributes":{"type":"Contact"},"Id":"003000000000001AAA","Description":"` + strings.Repeat("x", 400) + `"}`)
	page := func(next string) io.Reader {
		head := `{"totalSize":50000,"done":` + fmt.Sprint(next == "") + `,"records":[`
		tail := `]}`
		if next != "" {
			tail = `],"nextRecordsUrl":"` + next + `"}`
		}
		return io.MultiReader(strings.NewReader(head), bytes.NewReader(bytes.Repeat(append(record, ','), 99)), bytes.NewReader(record), strings.NewReader(tail))
	}
	pages := 0
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		body := io.Reader(strings.NewReader(`{"access_token":"t"}`))
		if !strings.HasSuffix(r.URL.Path, "/token") {
			pages--
			next := ""
			if pages > 0 {
				next = fmt.Sprintf("/services/data/v66.0/query/0r8xx0000000001-%d", pages)
			}
			body = page(next)
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body)}, nil
	})
	c, err := salesforce.New(salesforce.Options{InstanceURL: "https://acme.example", Auth: salesforce.ClientCredentials{ID: "x", Secret: secret("y")}, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	peak := func(n int) (rows int, top uint64) {
		pages = n
		next := "/services/data/v66.0/query/0r8xx0000000001-0"
		var m runtime.MemStats
		for i := 0; next != ""; i++ {
			a, q := c.More(t.Context(), next, func(salesforce.Row) error { return nil })
			if a.Fault != nil {
				t.Fatalf("%+v", a.Fault)
			}
			rows += q.Rows
			next = q.Next
			if i%50 == 0 || next == "" {
				runtime.GC()
				runtime.ReadMemStats(&m)
				top = max(top, m.HeapAlloc)
			}
		}
		return rows, top
	}
	_, one := peak(1)
	rows, many := peak(500)
	if rows != 50_000 {
		t.Errorf("%d rows", rows)
	}
	if many > one+8<<20 {
		t.Errorf("heap grew from %d to %d bytes", one, many)
	}
}
