package emulator_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

// TestEveryFault injects each kind into a PATCH and says what the caller sees
// and what has become of the record.
func TestEveryFault(t *testing.T) {
	for _, tc := range []struct {
		kind    emulator.Fault
		status  int // 0: the connection dropped
		applied bool
	}{
		{emulator.FaultBurstSeconds, 429, false},
		{emulator.FaultBurstDate, 429, false},
		{emulator.FaultBurstBare, 429, false},
		{emulator.FaultDaily, 403, false},
		{emulator.FaultConcurrent, 403, false},
		{emulator.FaultAuth, 401, false},
		{emulator.FaultLostRequest, 0, false},
		{emulator.FaultHTML, 503, false},
		{emulator.FaultPlatform, 500, false},
		{emulator.FaultRowLock, 400, false},
		{emulator.FaultObject, 500, false},
		{emulator.FaultLostAck, 0, true},
		{emulator.FaultLateEffect, 0, false},
		{emulator.FaultChanged, 412, false},
		{emulator.FaultSlow, 204, true},
		{emulator.FaultTruncated, 200, true},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				org, c := calm(t)
				id := org.Put("Contact", map[string]any{"LastName": "L"})
				time.Sleep(time.Minute)
				modified := c.send(http.MethodGet, "/sobjects/Contact/"+id, "").header.Get("Last-Modified")
				org.InjectNext(tc.kind, 1, emulator.Match{Writes: true})
				var a answer
				var err error
				if tc.kind == emulator.FaultTruncated { // which wants an answer with a body
					a, err = c.try(http.MethodPatch, "/composite/sobjects", `{"records":[{"attributes":{"type":"Contact"},"id":"`+id+`","Title":"x"}]}`)
					if json.Valid([]byte(a.body)) {
						t.Errorf("valid JSON: %s", a.body)
					}
				} else {
					a, err = c.try(http.MethodPatch, "/sobjects/Contact/"+id, `{"Title":"x"}`, "If-Unmodified-Since", modified)
				}
				if (err != nil) != (tc.status == 0) || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || a.status != tc.status {
					t.Errorf("the caller sees %d %s %v", a.status, a.body, err)
				}
				r, _ := org.Record("Contact", id)
				if (r["Title"] == "x") != tc.applied {
					t.Errorf("Title is %v", r["Title"])
				}
				ours := 0
				truth := org.Truth()
				for _, m := range truth.Mutations {
					if !m.Foreign {
						ours++
					}
				}
				if (ours == 1) != tc.applied || truth.Faults[tc.kind] != 1 || len(truth.Faults) != 1 {
					t.Errorf("the truth has %d writes and %v", ours, truth.Faults)
				}
				if log := org.Log(); log[len(log)-1].Fault != tc.kind {
					t.Errorf("the log has %+v", log[len(log)-1])
				}
			})
		})
	}
}

func TestFaultAnswers(t *testing.T) {
	org, c := calm(t)
	org.InjectNext(emulator.FaultHTML, 1)
	if a := c.send(http.MethodGet, "/limits", ""); !strings.Contains(a.body, "We are down for maintenance.") || a.header.Get(usage) != "" ||
		!strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Error(a)
	}
	org.InjectNext(emulator.FaultAuth, 1)
	for range 2 {
		c.send(http.MethodGet, "/limits", "").want(t, 401, "INVALID_SESSION_ID")
	}
	c.signIn(org)
	org.InjectNext(emulator.FaultLostAck, 1) // of a read
	if _, err := c.try(http.MethodGet, "/limits", ""); err == nil {
		t.Error("an answer came")
	}
	account := org.Put("Account", map[string]any{"Name": "A"})
	id := org.Put("Contact", map[string]any{"LastName": "L", "AccountId": account})
	org.InjectNext(emulator.FaultRowLock, 1)
	if a := c.send(http.MethodDelete, "/sobjects/Contact/"+id, ""); a.code() != "UNABLE_TO_LOCK_ROW" || !strings.Contains(a.body, "records: "+account) {
		t.Error(a.body)
	}
}

func TestFaultWaitsForItsCall(t *testing.T) {
	org, c := calm(t)
	id := org.Put("Contact", map[string]any{"LastName": "L"})
	org.InjectNext(emulator.FaultLostAck, 1, emulator.Match{Method: http.MethodDelete}, emulator.Match{Method: http.MethodPatch})
	c.send(http.MethodPatch, "/sobjects/Contact/"+id, `{"LastName":""}`).want(t, 400, "REQUIRED_FIELD_MISSING")
	if _, err := c.try(http.MethodDelete, "/sobjects/Contact/"+id, ""); err == nil {
		t.Error("an answer came")
	}
	c.send(http.MethodGet, "/limits", "").want(t, 200, "")
	if faults := org.Truth().Faults; faults[emulator.FaultLostAck] != 1 {
		t.Error(faults)
	}
}

func TestFaultsInsideComposite(t *testing.T) {
	for _, kind := range []emulator.Fault{emulator.FaultRowLock, emulator.FaultChanged} {
		synctest.Test(t, func(t *testing.T) {
			org, c := calm(t)
			var parts []part
			for range 5 {
				id := org.Put("Contact", map[string]any{"LastName": "L"})
				parts = append(parts, part{
					Method: "PATCH", URL: "/sobjects/Contact/" + id, Body: map[string]any{"Phone": "1"},
					HTTPHeaders: map[string]string{"If-Unmodified-Since": time.Now().UTC().Format(http.TimeFormat)},
				})
			}
			time.Sleep(time.Minute)
			org.InjectNext(kind, 1, emulator.Match{Method: "PATCH", Object: "Contact"})
			failed := 0
			for _, p := range c.composite(false, parts...) {
				switch {
				case p.HTTPStatusCode == 204:
				case kind == emulator.FaultChanged && p.HTTPStatusCode == 412 && string(p.Body) == "null",
					kind == emulator.FaultRowLock && p.HTTPStatusCode == 400 && strings.Contains(string(p.Body), "UNABLE_TO_LOCK_ROW"):
					failed++
				default:
					t.Errorf("%d %s", p.HTTPStatusCode, p.Body)
				}
			}
			if failed != 1 {
				t.Errorf("%s: %d parts failed", kind, failed)
			}
		})
	}
}

// One object of a composite fails, whatever is asked of it, and the others do not.
func TestOneObjectFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t)
		contact, lead := org.Put("Contact", map[string]any{"LastName": "L"}), org.Put("Lead", map[string]any{"LastName": "L", "Company": "C"})
		org.SetFaults(emulator.FaultScript{{Kind: emulator.FaultObject, For: time.Hour, Match: emulator.Match{Object: "Contact"}}})
		ask := func() (status []int) {
			for _, p := range c.composite(false,
				part{Method: "GET", URL: "/query?q=" + url.QueryEscape("SELECT Id FROM Contact")},
				part{Method: "GET", URL: "/query?q=" + url.QueryEscape("SELECT Id FROM Lead")},
				part{Method: "PATCH", URL: "/sobjects/Contact/" + contact, Body: map[string]any{"Phone": "1"}},
				part{Method: "PATCH", URL: "/sobjects/Lead/" + lead, Body: map[string]any{"Phone": "1"}},
				part{Method: "GET", URL: "/sobjects/Contact/" + contact},
			) {
				status = append(status, p.HTTPStatusCode)
				if code := string(p.Body); p.HTTPStatusCode == 400 && !strings.Contains(code, "QUERY_TIMEOUT") ||
					p.HTTPStatusCode == 500 && !strings.Contains(code, "UNKNOWN_EXCEPTION") {
					t.Error(code)
				}
			}
			return status
		}
		if got := ask(); !slices.Equal(got, []int{400, 200, 500, 204, 500}) {
			t.Error(got)
		}
		c.send(http.MethodGet, "/query?q="+url.QueryEscape("SELECT Id FROM Contact"), "").want(t, 400, "QUERY_TIMEOUT")
		c.send(http.MethodGet, "/query?q="+url.QueryEscape("SELECT Id FROM Lead"), "").want(t, 200, "")
		a := c.send(http.MethodPatch, "/composite/sobjects", `{"records":[{"attributes":{"type":"Contact"},"id":"`+contact+`","Title":"x"}]}`)
		if !strings.Contains(a.body, `"statusCode":"UNKNOWN_EXCEPTION"`) {
			t.Error(a.body)
		}
		time.Sleep(time.Hour)
		if got := ask(); !slices.Equal(got, []int{200, 200, 204, 204, 200}) {
			t.Error(got)
		}
		if truth := org.Truth(); truth.Faults[emulator.FaultObject] != 3 {
			t.Errorf("%v", truth.Faults)
		}
	})
}

func TestGateLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t, func(o *emulator.Options) { o.Profile.GateFor = 5 * time.Second })
		org.InjectNext(emulator.FaultBurstSeconds, 1)
		if a := c.send(http.MethodGet, "/limits", ""); a.status != 429 || a.header.Get("Retry-After") != "5" {
			t.Error(a)
		}
		time.Sleep(4 * time.Second)
		if a := c.send(http.MethodGet, "/limits", ""); a.status != 429 || a.header.Get("Retry-After") != "1" {
			t.Error(a)
		}
		time.Sleep(time.Second)
		c.send(http.MethodGet, "/limits", "").want(t, 200, "")
		if early := org.Truth().Early; early != 1 {
			t.Errorf("%d calls were early", early)
		}
	})
}

func TestLateEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t)
		id := org.Put("Contact", map[string]any{"LastName": "L"})
		modified := time.Now().UTC().Format(http.TimeFormat)
		time.Sleep(time.Minute)
		org.InjectNext(emulator.FaultLateEffect, 1)
		if _, err := c.try(http.MethodPatch, "/sobjects/Contact/"+id, `{"Title":"late"}`, "If-Unmodified-Since", modified); err == nil {
			t.Fatal("an answer came")
		}
		if r, _ := org.Record("Contact", id); r["Title"] != nil {
			t.Error("the effect came at once")
		}
		time.Sleep(30 * time.Second)
		// A resend with the original condition meets the first one's effect.
		c.send(http.MethodPatch, "/sobjects/Contact/"+id, `{"Title":"late"}`, "If-Unmodified-Since", modified).want(t, 412, "")
		if truth := org.Truth(); len(truth.Mutations) != 1 || len(truth.Doubled()) != 0 {
			t.Errorf("%+v", truth.Mutations)
		}
	})
}

// The truth shows a write that went over an edit which the caller had not read.
func TestOverwritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t)
		id := org.Put("Contact", map[string]any{"LastName": "L"})
		edit := func() { org.Touch("Contact", id, map[string]any{"Title": "Dr"}) }
		edit()
		c.send(http.MethodGet, "/sobjects/Contact/"+id, "")
		c.send(http.MethodPatch, "/sobjects/Contact/"+id, `{"Title":"read"}`).want(t, 204, "")
		if over := org.Truth().Overwritten(); len(over) > 0 {
			t.Errorf("an edit that was read counts as overwritten: %+v", over)
		}
		edit()
		c.send(http.MethodPatch, "/sobjects/Contact/"+id, `{"Title":"blind"}`).want(t, 204, "")
		c.send(http.MethodDelete, "/sobjects/Contact/"+id, "").want(t, 204, "") // the same edit, still unread
		if over := org.Truth().Overwritten(); len(over) != 2 {
			t.Errorf("%d writes went over an edit unread, want 2", len(over))
		}
	})
}

func TestScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, c := calm(t)
		org.SetFaults(emulator.FaultScript{
			{Kind: emulator.FaultPlatform, At: 2, Times: 2},
			{Kind: emulator.FaultHTML, After: time.Hour, For: time.Minute},
		})
		run := func(n int) (out []int) {
			for range n {
				out = append(out, c.send(http.MethodGet, "/limits", "").status)
			}
			return out
		}
		if got := run(4); got[0] != 200 || got[1] != 500 || got[2] != 500 || got[3] != 200 {
			t.Error(got)
		}
		time.Sleep(time.Hour)
		if got := run(3); got[0] != 503 || got[2] != 503 {
			t.Error(got)
		}
		time.Sleep(time.Minute)
		if got := run(1); got[0] != 200 {
			t.Error(got)
		}
	})
}

// TestScenarios runs a plain mix of calls against each preset: the storm shows
// every kind of fault that it promises, whatever the seed, and calm shows none.
func TestScenarios(t *testing.T) {
	for _, name := range emulator.Scenarios() {
		for seed := range uint64(5) {
			synctest.Test(t, func(t *testing.T) {
				profile, ok := emulator.Scenario(name)
				if !ok {
					t.Fatal(name)
				}
				org, c := calm(t, func(o *emulator.Options) { o.Profile, o.Seed = profile, seed })
				var ids []string
				for range 30 {
					ids = append(ids, org.Put("Contact", map[string]any{"LastName": "L"}))
				}
				for i := range 120 {
					method, body := http.MethodGet, ""
					if i%3 == 0 {
						method, body = http.MethodPatch, `{"Title":"x"}`
					}
					if a, err := c.try(method, "/sobjects/Contact/"+ids[i%30], body); err == nil && a.status == 401 {
						c.signIn(org)
					}
					time.Sleep(20 * time.Second)
				}
				faults := org.Truth().Faults
				if name == "calm" && len(faults) != 0 {
					t.Errorf("calm: %v", faults)
				}
				for _, kind := range emulator.Faults() {
					if name == "storm" && kind != emulator.FaultLateEffect && kind != emulator.FaultObject && faults[kind] == 0 {
						t.Errorf("storm, seed %d: no %s in %v", seed, kind, faults)
					}
				}
				if name == "etag-war" && faults[emulator.FaultChanged] < 5 || name == "auth-drift" && faults[emulator.FaultAuth] < 5 {
					t.Errorf("%s: %v", name, faults)
				}
				if log := org.Log(); name == "quota-cliff" && log[len(log)-1].Used < 14_000 {
					t.Errorf("%s: %+v", name, log[len(log)-1])
				}
			})
		}
	}
}

func TestWithout(t *testing.T) {
	p := emulator.Storm().Without(emulator.FaultHTML)
	if p.Weights[emulator.FaultHTML] != 0 || emulator.Rude().Weights[emulator.FaultHTML] == 0 {
		t.Error("weights")
	}
	for _, s := range p.Script {
		if s.Kind == emulator.FaultHTML {
			t.Error("script")
		}
	}
}
