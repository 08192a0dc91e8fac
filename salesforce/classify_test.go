package salesforce_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/salesforce"
)

// spelled returns the code and message that a recorded error holds in any of
// the JSON dialects.
func spelled(r recorded) (code, message string, ok bool) {
	var list []map[string]any
	if json.Unmarshal([]byte(r.Body), &list) != nil || len(list) == 0 {
		list = make([]map[string]any, 1)
		if json.Unmarshal([]byte(r.Body), &list[0]) != nil {
			return "", "", false
		}
	}
	code, ok = list[0]["errorCode"].(string)
	message, _ = list[0]["message"].(string)
	return code, message, ok && r.Status >= 400
}

func quote(s string) string { b, _ := json.Marshal(s); return string(b) }

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// envelopes are the shapes in which one error may arrive.
var envelopes = map[string]func(code, message string) (label, body string){
	"array": func(c, m string) (string, string) {
		return "application/json", fmt.Sprintf(`[{"message":%s,"errorCode":%s}]`, quote(m), quote(c))
	},
	"object": func(c, m string) (string, string) {
		return "application/json", fmt.Sprintf(`{"errorCode":%s,"message":%s}`, quote(c), quote(m))
	},
	"item": func(c, m string) (string, string) {
		return "application/json", fmt.Sprintf(`{"success":false,"errors":[{"statusCode":%s,"message":%s,"fields":[]}]}`, quote(c), quote(m))
	},
	"bulk 1": func(c, m string) (string, string) {
		return "application/json", fmt.Sprintf(`{"exceptionCode":%s,"exceptionMessage":%s}`, quote(c), quote(m))
	},
	"xml": func(c, m string) (string, string) {
		return "application/xml", fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><Errors><Error><errorCode>%s</errorCode><message>%s</message></Error></Errors>`, escaped(c), escaped(m))
	},
	"xml labelled html": func(c, m string) (string, string) {
		return "text/html", fmt.Sprintf(`<Errors><Error><message>%s</message><errorCode>%s</errorCode></Error></Errors>`, escaped(m), escaped(c))
	},
	"bulk 1 xml": func(c, m string) (string, string) {
		return "application/xml", fmt.Sprintf(`<error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>%s</exceptionCode><exceptionMessage>%s</exceptionMessage></error>`, escaped(c), escaped(m))
	},
	"soap": func(c, m string) (string, string) {
		return "text/xml", fmt.Sprintf(`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault><faultcode>sf:%s</faultcode><faultstring>%s: %s</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>`, escaped(c), escaped(c), escaped(m))
	},
	"html": func(c, m string) (string, string) {
		return "text/html", fmt.Sprintf("<!DOCTYPE html><html><head><title>Error</title></head><body><h1>%s</h1><p>%s</p></body></html>", escaped(c), escaped(m))
	},
}

func TestVariantsClassifyAlike(t *testing.T) {
	spaced := func(s string) string { return "  " + strings.ReplaceAll(s, " ", " \n ") + "\t" }
	for _, r := range fixtures(t) {
		for how, change := range map[string]func(string) string{"upper": strings.ToUpper, "lower": strings.ToLower} {
			v := r
			v.Headers = map[string]string{}
			for k, h := range r.Headers {
				v.Headers[change(k)] = h
			}
			check(t, v, "headers in "+how+" case")
		}
		code, message, ok := spelled(r)
		if !ok || strings.Contains(r.Name, "two-validation") {
			continue
		}
		for shape, wrap := range envelopes {
			if shape == "html" && r.Status == 404 {
				continue // a page at 404 means that the org is elsewhere, whatever it says
			}
			for how, x := range map[string][2]string{
				"": {code, message}, "lower": {strings.ToLower(code), strings.ToLower(message)},
				"upper": {code, strings.ToUpper(message)}, "spaced": {spaced(code), spaced(message)},
				"plain code": {strings.ReplaceAll(code, "_", ""), message},
			} {
				if shape == "html" && how == "plain code" {
					continue
				}
				v := r
				label, body := wrap(x[0], x[1])
				v.Headers = maps.Clone(r.Headers)
				v.Headers["Content-Type"], v.Body = label, body
				check(t, v, shape+" "+how)
			}
		}
	}
}

func TestCellsOfBulkResultsClassifyAlike(t *testing.T) {
	for _, r := range fixtures(t) {
		code, message, ok := spelled(r)
		if !ok || r.Status != 400 {
			continue
		}
		cell := code + ":" + message + ":--"
		for _, delimiter := range ",\t|;^`" {
			var b strings.Builder
			w := csv.NewWriter(&b)
			w.Comma = delimiter
			_ = w.Write([]string{"sf__Id", "sf__Error", "Name"})
			_ = w.Write([]string{"003000000000001AAA", cell, "x"})
			w.Flush()
			v := r
			v.Status, v.Headers, v.Body = 200, map[string]string{"Content-Type": "text/csv"}, b.String()
			check(t, v, "as a cell behind "+string(delimiter))
		}
		v := r
		v.Status, v.Headers, v.Body = 200, map[string]string{"Content-Type": "text/csv"}, cell
		check(t, v, "as a lone cell")
	}
}

func TestVectors(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	rle := func(text string) string { return `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"` + text + `"}]` }
	page := http.Header{"Content-Type": {"text/html"}}
	for _, c := range []struct {
		name string
		r    salesforce.Response
		want weir.Category
	}{
		{"soap daily", salesforce.Response{Status: 500, Body: []byte(`<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>sf:REQUEST_LIMIT_EXCEEDED</faultcode><faultstring>REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.</faultstring></e:Fault></e:Body></e:Envelope>`)}, weir.ThrottledDaily},
		{"long Apex", salesforce.Response{Status: 400, Body: []byte(`[{"errorCode":"UNKNOWN_EXCEPTION","message":"ConcurrentPerOrgLongTxn Limit exceeded"}]`)}, weir.ThrottledConcurrent},
		{"silent, below 95 %", salesforce.Response{Status: 403, Header: http.Header{"Sforce-Limit-Info": {"api-usage=94/100"}}, Body: []byte(rle("nanu"))}, weir.ThrottledBurst},
		{"silent, at 95 %", salesforce.Response{Status: 403, Header: http.Header{"Sforce-Limit-Info": {"api-usage=95/100"}}, Body: []byte(rle("nanu"))}, weir.ThrottledDaily},
		{"silent, app quota gone", salesforce.Response{Status: 403, Header: http.Header{"Sforce-Limit-Info": {"api-usage=5/100; per-app-api-usage=50/50(appName=weir)"}}, Body: []byte(rle(""))}, weir.ThrottledDaily},
		{"silent, known from before", salesforce.Response{Status: 403, Known: []weir.Reading{{Kind: weir.ReadDaily, Used: 99, Limit: 100}}, Body: []byte(rle(""))}, weir.ThrottledDaily},
		{"wrong API", salesforce.Response{Status: 401, Body: []byte(`{"errorCode":"INVALID_SESSION_ID","message":"This session is not valid for use with the REST API"}`)}, weir.AuthConfig},
		{"login rate", salesforce.Response{Status: 400, Body: []byte(`{"error":"invalid_grant","error_description":"login rate exceeded"}`)}, weir.ThrottledLogin},
		{"oauth other", salesforce.Response{Status: 400, Body: []byte(`{"error":"unsupported_grant_type","error_description":"grant type not supported"}`)}, weir.AuthConfig},
		{"oauth down", salesforce.Response{Status: 400, Body: []byte(`{"error":"unknown_error","error_description":"retry your request"}`)}, weir.PlatformFault},
		{"401 in pieces", salesforce.Response{Status: 401, Header: http.Header{"Sfdc-Oauth-Error": {"1703"}}, Body: []byte(`<Errors><Err`)}, weir.AuthDrift},
		{"moved", salesforce.Response{Status: 307, Header: http.Header{"Location": {"https://evil.example/"}}}, weir.EndpointMoved},
		{"html 404", salesforce.Response{Status: 404, Header: page, Body: []byte("<html>ENTITY_IS_DELETED</html>")}, weir.EndpointMoved},
		{"410", salesforce.Response{Status: 410}, weir.Validation},
		{"412 top level", salesforce.Response{Status: 412, Method: "PATCH"}, weir.Conflict},
		{"412 in a halted batch", salesforce.Response{Status: 412, Halted: true}, weir.NotExecuted},
		{"420 page", salesforce.Response{Status: 420, Header: page, Body: []byte("<html>We are setting things up.</html>")}, weir.PlatformFault},
		{"200 maintenance", salesforce.Response{Status: 200, Header: page, Body: []byte("<html><b>We are down\nfor <i>maintenance</i>.</b></html>")}, weir.Maintenance},
		{"200 page", salesforce.Response{Status: 200, Header: page, Body: []byte("<html>Login</html>")}, weir.PlatformFault},
		{"200 truncated", salesforce.Response{Status: 200, Body: []byte(`{"records":[`)}, weir.PlatformFault},
		{"job failed", salesforce.Response{Status: 200, Body: []byte(`{"id":"750","state":"Failed","errorMessage":"InvalidBatch : Field name not found : X"}`)}, weir.Validation},
		{"mixed", salesforce.Response{Status: 400, Body: []byte(`[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"x"},{"errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"y"}]`)}, weir.Validation},
		{"flow around a lock", salesforce.Response{Status: 400, Body: []byte(`[{"errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","message":"trg: UNABLE_TO_LOCK_ROW, unable to obtain"}]`)}, weir.LockContention},
		{"flow", salesforce.Response{Status: 400, Body: []byte(`[{"errorCode":"CANNOT_EXECUTE_FLOW_TRIGGER","message":"boom"}]`)}, weir.PlatformFault},
		{"delete again", salesforce.Response{Status: 404, Method: "DELETE", Seen: true, Body: []byte(`[{"errorCode":"INVALID_CROSS_REFERENCE_KEY","message":"invalid cross reference id"}]`)}, weir.Gone},
		{"delete unseen", salesforce.Response{Status: 404, Method: "DELETE", Body: []byte(`[{"errorCode":"INVALID_CROSS_REFERENCE_KEY","message":"invalid cross reference id"}]`)}, weir.NotFound},
		{"404 json", salesforce.Response{Status: 404, Body: []byte(`[{"errorCode":"WHATEVER","message":"?"}]`)}, weir.NotFound},
		{"mesh", salesforce.Response{Status: 503, Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("no healthy upstream")}, weir.PlatformFault},
		{"no answer", salesforce.Response{Method: "PATCH"}, weir.UnknownOutcome},
		{"unknown 4xx", salesforce.Response{Status: 418, Body: []byte(`[{"errorCode":"TEAPOT","message":""}]`)}, weir.UnknownClient},
		{"tree", salesforce.Response{Status: 201, Body: []byte(`{"hasErrors":true,"results":[{"referenceId":"a","errors":[{"statusCode":"INVALID_EMAIL_ADDRESS","message":"x","fields":["Email"]}]}]}`)}, weir.PartialFailure},
		{"purge in part", salesforce.Response{Status: 200, Body: []byte(`<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><r><result><id>1</id><success>true</success></result><result><errors><message>m</message><statusCode>ENTITY_IS_DELETED</statusCode></errors><success>false</success></result></r></e:Body></e:Envelope>`)}, weir.PartialFailure},
	} {
		c.r.At = at
		if got := salesforce.Classify(c.r); got.Category != c.want {
			t.Errorf("%s: %s (row %d), want %s", c.name, got.Category, got.Row, c.want)
		}
	}
}

func TestEffectOfWhatFailed(t *testing.T) {
	body := []byte(`[{"errorCode":"UNKNOWN_EXCEPTION","message":"x"}]`)
	for _, c := range []struct {
		name string
		r    salesforce.Response
		want weir.Effect
	}{
		{"acknowledged", salesforce.Response{Method: "PATCH", Status: 204}, weir.EffectApplied},
		{"read", salesforce.Response{Method: "GET", Status: 200, Body: []byte("{}")}, weir.EffectNone},
		{"throttled", salesforce.Response{Method: "POST", Status: 429}, weir.EffectNone},
		{"gateway", salesforce.Response{Method: "PATCH", Status: 502}, weir.EffectUnknown},
		{"gateway, reading", salesforce.Response{Method: "GET", Status: 502}, weir.EffectNone},
		{"gateway, reading by POST", salesforce.Response{Method: "POST", ReadOnly: true, Status: 502}, weir.EffectNone},
		{"one record rolled back", salesforce.Response{Method: "PATCH", Status: 500, Body: body}, weir.EffectNone},
		{"many records", salesforce.Response{Method: "POST", Composite: true, Status: 500, Body: body}, weir.EffectUnknown},
		{"page for a success", salesforce.Response{Method: "PATCH", Status: 200, Body: []byte("<html></html>")}, weir.EffectUnknown},
		{"lost", salesforce.Response{Method: "PATCH"}, weir.EffectUnknown},
	} {
		if got := salesforce.Classify(c.r); got.Effect != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Effect, c.want)
		}
	}
}

func TestFaultIsTheVerdictsShadow(t *testing.T) {
	v := salesforce.Classify(salesforce.Response{
		Status: 400, Header: http.Header{"Retry-After": {"7"}},
		Body: []byte(`[{"errorCode":"STRING_TOO_LONG","message":"jane@example.com","fields":["Email","bad name","Email"]}]`),
	})
	f := v.Fault()
	if f == nil || !errors.Is(f, weir.Validation) || f.Code != "STRING_TOO_LONG" || f.RetryAfter != 7*time.Second || len(f.Fields) != 1 {
		t.Fatalf("%+v", f)
	}
	if got := fmt.Sprintf("%+v %v", v, f); strings.Contains(got, "jane") {
		t.Errorf("the org's text escaped: %s", got)
	}
	if string(v.Detail.Reveal()) != "jane@example.com" {
		t.Error("the org's text is lost")
	}
	if salesforce.Classify(salesforce.Response{Status: 204}).Fault() != nil {
		t.Error("a success has a fault")
	}
}

// Every StatusCode of the published enumeration means something.
func TestEveryStatusCodeHasACategory(t *testing.T) {
	file, err := os.Open("testdata/fixtures/status-codes-wsdl.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	known := map[weir.Category]bool{}
	for _, c := range weir.Categories() {
		known[c] = true
	}
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		code := strings.TrimSpace(lines.Text())
		if code == "" || strings.HasPrefix(code, "#") {
			continue
		}
		n++
		for _, r := range []salesforce.Response{
			{Status: 400, Body: []byte(`[{"errorCode":"` + code + `","message":"m"}]`)},
			{Status: 200, Body: []byte(`[{"success":false,"errors":[{"statusCode":"` + code + `","message":"m","fields":[]}]}]`)},
			{Status: 200, Body: []byte("sf__Id,sf__Error\n1," + code + "\n")},
		} {
			v := salesforce.Classify(r)
			if !known[v.Category] || v.Category == weir.Success || v.Code != code {
				t.Errorf("%s: %s %q", code, v.Category, v.Code)
			}
		}
	}
	if n < 500 {
		t.Fatalf("only %d codes were tried", n)
	}
}
