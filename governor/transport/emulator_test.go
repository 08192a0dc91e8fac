package transport_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/governor/transport"
	"github.com/weirhq/weir/salesforce"
)

// login gets a token from an emulated org.
func login(t *testing.T, org *emulator.Org, rt http.RoundTripper) string {
	t.Helper()
	creds := org.Credentials()
	req := request(t, "POST", "https://acme.my.salesforce.com/services/oauth2/token",
		"grant_type=client_credentials&client_id="+creds.ClientID+"&client_secret="+creds.ClientSecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, text, err := do(t.Context(), rt, req)
	var doc struct {
		Token string `json:"access_token"`
	}
	if err != nil || status != 200 || json.Unmarshal([]byte(text), &doc) != nil {
		t.Fatalf("login: status %d, %v", status, err)
	}
	return doc.Token
}

// TestAThousandCallersAtABurstLimit on an org that takes 50 calls a second and
// announces how long it refuses: all calls arrive, few are refused, none comes
// early.
func TestAThousandCallersAtABurstLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org := emulator.New(emulator.Options{
			Profile: emulator.Calm(), Latency: 80 * time.Millisecond, InstanceURL: "https://acme.my.salesforce.com",
			Limits: emulator.Limits{DailyAPI: 100_000, BurstRate: 50, BurstSize: 100},
		})
		emulator.SeedSmall(org)
		rt := governed(t, org.Transport(), transport.Options{Policy: roomy()})
		token := login(t, org, rt)
		begin := time.Now()
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				for range 2 {
					req := request(t, "GET", "https://acme.my.salesforce.com/services/data/v66.0/limits", "")
					req.Header.Set("Authorization", "Bearer "+token)
					if status, text, err := do(t.Context(), rt, req); err != nil || status != 200 {
						t.Errorf("status %d, %v: %s", status, err, text)
					}
				}
			})
		}
		all.Wait()
		truth := org.Truth()
		refused := 0
		for _, c := range org.Log() {
			if c.Status == http.StatusTooManyRequests {
				refused++
			}
		}
		t.Logf("2000 calls in %v, %d refused, %d early", time.Since(begin).Round(time.Second), refused, truth.Early)
		// Calls that were under way when the gate closed arrive early.
		if truth.Early > refused || refused > 2000/20 {
			t.Errorf("%d refused, %d of them early", refused, truth.Early)
		}
		if bound := 38 * time.Second; time.Since(begin) > 4*bound {
			t.Errorf("took %v; the org would have taken them in %v", time.Since(begin), bound)
		}
	})
}

// TestTheTableIsTheEngines sends every recorded response of the wire through
// the transport: what the governor hears of it is what `weir classify` says.
func TestTheTableIsTheEngines(t *testing.T) {
	files, err := filepath.Glob("../../salesforce/testdata/fixtures/*.json")
	if err != nil || len(files) < 70 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	seen := 0
	for _, name := range files {
		doc, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := salesforce.ClassifyFixture(bytes.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			Status  int               `json:"status"`
			Headers map[string]string `json:"headers"`
			Body    string            `json:"body"`
			Request struct{ Method, Path, URL string }
		}
		if json.Unmarshal(doc, &f) != nil || f.Status/100 == 2 || f.Status == 304 || f.Status == 0 || strings.Contains(f.Request.URL+f.Request.Path, "oauth2/token") {
			continue // the transport does not look into successes
		}
		seen++
		var got *weir.Outcome
		base := roundTripper(func(req *http.Request) (*http.Response, error) {
			h := http.Header{}
			for k, v := range f.Headers {
				h.Set(k, v)
			}
			return &http.Response{StatusCode: f.Status, Header: h, Body: io.NopCloser(strings.NewReader(f.Body)), Request: req}, nil
		})
		rt := governed(t, base, transport.Options{Resend: transport.ResendNothing, Record: func(r transport.Record) {
			if r.Outcome != nil {
				got = r.Outcome
			}
		}})
		method := f.Request.Method
		if method == "" {
			method = "GET"
		}
		status, text, err := do(t.Context(), rt, request(t, method, "https://acme.my.salesforce.com"+f.Request.Path, ""))
		if err != nil || status != f.Status || text != f.Body {
			t.Errorf("%s: status %d, %v, %d bytes", filepath.Base(name), status, err, len(text))
		}
		if got == nil || got.Fault == nil || got.Fault.Category != want.Category || got.Fault.Code != want.Code {
			t.Errorf("%s: the governor heard %v, weir classify says %s %s", filepath.Base(name), got, want.Category, want.Code)
			continue
		}
		if fmt.Sprint(kinds(got.Readings)) != fmt.Sprint(reported(want.Readings)) {
			t.Errorf("%s: readings %v, want %v", filepath.Base(name), kinds(got.Readings), reported(want.Readings))
		}
	}
	if seen < 30 {
		t.Errorf("only %d failures among the fixtures", seen)
	}
}

func kinds(rs []weir.Reading) (out []weir.ReadingKind) {
	for _, r := range rs {
		out = append(out, r.Kind)
	}
	return out
}

func reported(rs []salesforce.ReportReading) (out []weir.ReadingKind) {
	for _, r := range rs {
		out = append(out, r.Kind)
	}
	return out
}
