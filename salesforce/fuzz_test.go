package salesforce_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/salesforce"
)

func FuzzLimitInfo(f *testing.F) {
	for _, s := range []string{"api-usage=18/5000", "per-app-api-usage=17/250(appName=a/b; c=1/2);api-usage=25/5000", "(((", ";,;", "api-usage=-1/-1", "a=1/2(appName="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, r := range salesforce.ParseReadings(http.Header{"sforce-limit-info": {value}}, time.Unix(0, 0)) {
			if r.Used < 0 || r.Limit <= 0 || r.Used > 1e12 || r.Limit > 1e12 || r.Kind == weir.ReadRetryAfter {
				t.Errorf("%q: %+v", value, r)
			}
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"5", "-1", "9223372036854775807", "Fri, 01 May 2026 12:00:05 GMT", "1.5", ""} {
		f.Add(s, int64(0))
	}
	f.Fuzz(func(t *testing.T, value string, at int64) {
		for _, r := range salesforce.ParseReadings(http.Header{"Retry-After": {value}}, time.Unix(at, 0)) {
			if r.Used < 0 || r.Used > 7*24*3600 {
				t.Errorf("%q at %d: %+v", value, at, r)
			}
		}
	})
}

// What a gateway says of its rate is a number in range or nothing, one reading
// for a limit however often it is said, and marked where it had to be cut.
func FuzzGateway(f *testing.F) {
	for _, s := range []string{"0", "7", " 7 / 25 ", "-1", "+3", "7/", "/7", "7/-1", "1e9", "9223372036854775808", "99999999999999/99999999999999", "\x00", ""} {
		f.Add(s, "3", "X-Rate-Limit-Remaining")
		f.Add(s, "1/2", "x_ratelimit-concurrent")
	}
	most := int64(1e12)
	f.Fuzz(func(t *testing.T, value, second, name string) {
		got := salesforce.ParseReadings(http.Header{name: {value, second}}, time.Unix(0, 0))
		for _, r := range got {
			if r.Kind != weir.ReadRemaining && r.Kind != weir.ReadConcurrent {
				continue // another header's name
			}
			if len(got) != 1 || r.Used < 0 || r.Limit < 0 || r.Used > most || r.Limit > most {
				t.Errorf("%q and %q: %+v", value, second, got)
			}
			if used, _, _ := strings.Cut(value, "/"); value == second && !r.Clamped && strings.Trim(used, " 0123456789") == "" {
				if n, err := strconv.ParseInt(strings.TrimSpace(used), 10, 64); err != nil || n != r.Used {
					t.Errorf("%q is no number of calls and is not marked: %+v", value, r)
				}
			}
		}
	})
}

func FuzzClassify(f *testing.F) {
	f.Add(400, "application/json", `[{"errorCode":"A","message":"b","fields":["C"]}]`)
	f.Add(200, "text/csv", "sf__Error\nA:b:c --\n")
	f.Add(500, "text/xml", `<a><Fault><faultcode>sf:X</faultcode></Fault></a>`)
	f.Add(200, "", `{"compositeResponse":[{"body":[],"httpStatusCode":412}]}`)
	f.Add(503, "text/html", "<html>down for maintenance")
	known := map[weir.Category]bool{}
	for _, c := range weir.Categories() {
		known[c] = true
	}
	f.Fuzz(func(t *testing.T, status int, label, body string) {
		r := salesforce.Response{Method: "PATCH", Status: status, Header: http.Header{"Content-Type": {label}}, Body: []byte(body)}
		v := salesforce.Classify(r)
		if !known[v.Category] || v.Scope == "" || v.Effect == "" || v.Operator == "" {
			t.Errorf("%+v", v)
		}
		if fault := v.Fault(); (fault == nil) != (v.Category == weir.Success) {
			t.Errorf("%+v", fault)
		}
	})
}

// The text between the quotes must read back as the value, whatever it holds.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"o'neil", `\`, `\'`, `' OR Id != '`, "\x00\n", "☃", "%_"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, refused := soqlOf(t, salesforce.Query{Object: "Contact", Fields: []string{"Id"}, Where: salesforce.Eq("Email", secret(value))})
		if refused {
			return
		}
		text, ok := strings.CutPrefix(got, "SELECT Id FROM Contact WHERE Email = '")
		if !ok || !strings.HasSuffix(text, "'") {
			t.Fatalf("%q", got)
		}
		if back, ok := unescape(strings.TrimSuffix(text, "'")); !ok || back != value {
			t.Errorf("%q became %q", value, got)
		}
	})
}

// Whatever names, values and numbers a data map or a subject brings: either the
// query is refused, or the org's own parser reads exactly what was meant.
func FuzzQuery(f *testing.F) {
	f.Add("Contact", "Email", "jane@example.com", "Status", "1.5", "Id")
	f.Add("Contact WHERE", "Id FROM User", "' OR Id != '", "a.b.c", "1 OR 1=1", "Id LIMIT 1")
	f.Add("A", "A__c", "\\'", "B", "0x10", "Id DESC")
	f.Add("A", "A", "x", "B", "1e9999", "")
	f.Fuzz(func(t *testing.T, object, field, value, other, number, order string) {
		got, refused := soqlOf(t, salesforce.Query{
			Object: object, Fields: []string{field}, OrderBy: order, Limit: 3,
			Where: salesforce.And(salesforce.Eq(field, secret(value)), salesforce.Compare(other, "=", value), salesforce.Compare(other, ">=", json.Number(number))),
		})
		if refused {
			return
		}
		s, err := emulator.ReadStatement(got)
		if err != nil {
			if reservedWord(object, field, other, order) {
				return // the org refuses a field that is called Limit, and so may it
			}
			t.Fatalf("%q: %v", got, err)
		}
		if s.Object != object || len(s.Fields) != 1 || s.Fields[0] != field || len(s.Tests) != 3 || s.Limit != 3 || len(s.Order) > 1 {
			t.Fatalf("%q was read as %+v", got, s)
		}
		if s.Tests[0].Field != field || s.Tests[0].Values[0] != value || s.Tests[1].Field != other || s.Tests[1].Values[0] != value {
			t.Fatalf("%q was read as %+v", got, s)
		}
		if want, err := strconv.ParseFloat(number, 64); err != nil || s.Tests[2].Values[0] != want {
			t.Fatalf("%q: the number %q was read as %v", got, number, s.Tests[2].Values[0])
		}
	})
}

// reservedWord says whether a name is a word of SOQL itself.
func reservedWord(names ...string) bool {
	for _, n := range names {
		for part := range strings.FieldsFuncSeq(n, func(r rune) bool { return r == '.' || r == ' ' }) {
			switch strings.ToUpper(part) {
			case "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "LIMIT", "NULL", "TRUE", "FALSE", "ORDER", "COUNT":
				return true
			}
		}
	}
	return false
}

// unescape reads the inside of a SOQL string literal, whose escapes are those
// of JSON and one more.
func unescape(s string) (string, bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'':
			return "", false // the literal would end here
		case '\\':
			if i++; i == len(s) {
				return "", false
			}
		}
	}
	var out string
	err := json.Unmarshal([]byte(`"`+strings.ReplaceAll(s, `\'`, `'`)+`"`), &out)
	return out, err == nil
}

// Whatever a collection is answered with, a record counts as changed only where its
// own item says so.
func FuzzCollection(f *testing.F) {
	two := []salesforce.Mutation{{Object: "Contact", ID: contact, Delete: true}, {Object: "Contact", ID: second, Delete: true}}
	good := `{"id":"` + contact + `","success":true,"errors":[]}`
	f.Add(200, "["+good+`,{"success":false,"errors":[{"statusCode":"X","message":"y"}]}]`)
	f.Add(200, "["+good+","+strings.Replace(good, contact, second, 1)+"]")
	f.Add(200, "["+good+","+good+"]")
	f.Add(404, `[{"errorCode":"ENTITY_IS_DELETED","message":"x"}]`)
	f.Add(204, "null")
	f.Fuzz(func(t *testing.T, status int, body string) {
		o := newOrg(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, elements(element(0, status, "", body))) })
		a, got := o.client(t).Mutate(t.Context(), two)
		var items []map[string]any
		told := a.Fault == nil && status/100 == 2 && json.Unmarshal([]byte(body), &items) == nil && len(items) == len(two)
		for i := range got {
			if got[i].Fault != nil {
				continue
			}
			id := ""
			if told {
				id, _ = items[i]["id"].(string)
			}
			if !told || items[i]["success"] != true || !strings.HasPrefix(id, two[i].ID[:15]) {
				t.Errorf("record %d counts as changed: %d %s", i, status, body)
			}
		}
	})
}
