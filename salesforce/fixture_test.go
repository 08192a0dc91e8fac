package salesforce_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/salesforce"
)

// recorded is a file of testdata/fixtures.
type recorded struct {
	Name     string
	Status   int               `json:"status"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	Category string            `json:"expected_category"`
	Retry    *bool             `json:"retryable"`
	Request  map[string]string `json:"request,omitempty"`
}

func fixtures(t *testing.T) []recorded {
	t.Helper()
	files, err := filepath.Glob("testdata/fixtures/*.json")
	if err != nil || len(files) < 70 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	var out []recorded
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r := recorded{Name: filepath.Base(name)}
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, r)
	}
	return out
}

// classify sends a recorded response through the front door of weir classify.
func classify(t *testing.T, r recorded) salesforce.Report {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := salesforce.ClassifyFixture(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	return got
}

func check(t *testing.T, r recorded, how string) {
	t.Helper()
	got := classify(t, r)
	if string(got.Category) != r.Category || r.Retry != nil && got.Retryable != *r.Retry {
		t.Errorf("%s %s: %s retryable=%t, want %s %v (code %s)", r.Name, how, got.Category, got.Retryable, r.Category, r.Retry, got.Code)
	}
}

func TestFixturesClassifyAsTheySay(t *testing.T) {
	for _, r := range fixtures(t) {
		check(t, r, "as recorded")
	}
}

func TestFixtureErrorsTellThePlace(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "1:1: the JSON document ends early"},
		{"{\n \"status\": 200,\n \"body\": oops}", "3:10: not valid JSON"},
		{"{\n \"status\": \"200\"}", "2:16: status must be int, not string"},
		{`{"body":""}`, "1:1: status is missing"},
		{"{\"status\":200}\n{}", "2:1: text after the JSON document"},
		{"{\n  \"status\": 2000}", "2:3: status 2000"},
		{`{"status":200,"headers":{"A":{}}}`, "headers: A: must be a string"},
	} {
		_, err := salesforce.ClassifyFixture(strings.NewReader(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.in, err, c.want)
		}
	}
}

func TestReportIsOneDocument(t *testing.T) {
	got, err := salesforce.ClassifyFixture(strings.NewReader(`{"status":403,
 "headers":{"sforce-limit-info":"api-usage=100000/100000","Date":"Mon, 20 May 2013 22:21:46 GMT"},
 "body":"[{\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"\"}]"}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"schema":"weir.classify/v1","category":"throttled_daily","operator_category":"THROTTLED","scope":"org","retryable":true,` +
		`"code":"REQUEST_LIMIT_EXCEEDED","effect":"none","readings":[{"kind":"daily","name":"api-usage","used":100000,"limit":100000,` +
		`"at":"2013-05-20T22:21:46Z","source":"sforce-limit-info"}]}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}
