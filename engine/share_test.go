package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
)

// recordsIn lists the ids of the records in a request's package, by object.
func (w *world) recordsIn(id weir.RequestID) map[string][]string {
	w.t.Helper()
	all := map[string][]string{}
	for name, text := range w.opened(id) {
		object, isData := strings.CutPrefix(name, "data/")
		object, isJSON := strings.CutSuffix(object, ".json")
		if !isData || !isJSON {
			continue
		}
		var rows []struct {
			ID string `json:"Id"`
		}
		if err := json.Unmarshal(text, &rows); err != nil {
			w.t.Fatalf("%s: %v", name, err)
		}
		for _, r := range rows {
			all[object] = append(all[object], r.ID)
		}
		slices.Sort(all[object])
	}
	return all
}

// holdsExactly compares a package with what truly is the subject's.
func (w *world) holdsExactly(id weir.RequestID, want map[string][]string) {
	w.t.Helper()
	got := w.recordsIn(id)
	for object, ids := range want {
		ids = slices.Sorted(slices.Values(ids))
		if !slices.Equal(got[object], ids) {
			w.t.Errorf("%s: %s has %d records, want %d", id, object, len(got[object]), len(ids))
		}
	}
	for object := range got {
		if _, ok := want[object]; !ok {
			w.t.Errorf("%s: %d records of %s are nobody's", id, len(got[object]), object)
		}
	}
}

// sharers is how many people ask at once: the long form is the goal of issue 4.
func sharers() int {
	if os.Getenv("WEIR_PROVE") == "long" {
		return 1000
	}
	return 40
}

// Many people ask for access at once. Their requests share calls, so that there
// are fewer calls than requests, and each package holds exactly what is its
// subject's: also of one who asks twice, of one who has the addresses of two
// others, of an address that only the org can compare, and of one with many records.
func TestRequestsShareCalls(t *testing.T) {
	for name, profile := range map[string]emulator.Profile{"calm": emulator.Calm(), "rude": emulator.Rude()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{
					people: sharers(), org: emulator.Options{Seed: 11, Profile: profile},
					policy: func(p *engine.Policy) { p.MaxRecords = 0 },
				})
				want := map[weir.RequestID]map[string][]string{}
				for _, p := range w.subjects {
					want[w.access(p.Email).ID] = p.Records
				}
				want[w.access(strings.ToUpper(w.subjects[2].Email)).ID] = w.subjects[2].Records
				both := map[string][]string{}
				for _, p := range w.subjects[:2] {
					for object, ids := range p.Records {
						both[object] = append(both[object], ids...)
					}
				}
				want[w.access(w.subjects[0].Email, w.subjects[1].Email).ID] = both
				foreign := w.org.Put("Contact", map[string]any{"LastName": "Müller", "Email": "jürgen@müller.example"})
				want[w.access("JÜRGEN@müller.example").ID] = map[string][]string{"Contact": {foreign}}
				want[w.access("many@example.org").ID] = w.hoarder("many@example.org")

				began := len(w.org.Log())
				for id := range want {
					w.until(id, 96*time.Hour, weir.Delivered)
				}
				calls := len(w.org.Log()) - began
				for id, records := range want {
					w.holdsExactly(id, records)
				}
				w.clean()
				t.Logf("%d calls for %d requests", calls, len(want))
				if name == "calm" && calls >= len(want) {
					t.Errorf("%d calls for %d requests", calls, len(want))
				}
			})
		})
	}
}

// poison answers each composite that holds all the marks, such as the subject that it
// asks for, as if a query could not be read, whatever else it asks for.
type poison struct {
	http.RoundTripper
	marks   []string
	refused int
}

func (p *poison) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || !strings.HasSuffix(r.URL.Path, "/composite") {
		return p.RoundTripper.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(p.marks, func(mark string) bool { return !strings.Contains(string(body), mark) }) {
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		return p.RoundTripper.RoundTrip(r)
	}
	p.refused++
	return &http.Response{
		StatusCode: http.StatusBadRequest, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}},
		Body:   io.NopCloser(strings.NewReader(`[{"errorCode":"MALFORMED_QUERY","message":"unexpected token"}]`)),
	}, nil
}

// One request whose question the org refuses takes none of those with it that
// shared its call: they are answered, and it alone is for a person.
func TestAPoisonRequestIsIsolated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{people: 12})
		wire := &poison{RoundTripper: w.options.Orgs[0].Transport, marks: []string{"ada7.o"}}
		w.through(wire)
		requests := map[int]weir.Request{}
		for i := range w.subjects {
			requests[i] = w.submit(weir.Access, i)
		}
		for _, i := range slices.Sorted(maps.Keys(requests)) {
			if i == 7 {
				continue
			}
			w.until(requests[i].ID, 24*time.Hour, weir.Delivered)
			w.holdsExactly(requests[i].ID, w.subjects[i].Records)
		}
		if wire.refused < 2 {
			t.Errorf("%d calls were refused: nothing was shared", wire.refused)
		}
		letters := w.letters()
		if len(letters) == 0 {
			t.Fatal("nobody was told of the request that cannot be read")
		}
		for _, l := range letters {
			if l.Request != requests[7].ID || l.Code != "MALFORMED_QUERY" {
				t.Errorf("letter: %+v", l)
			}
		}
	})
}

// A call of several requests is lost on the way: each of them goes on, with an
// attempt less, and nobody's budget is another's.
func TestASharedCallThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{people: 20})
		var script emulator.FaultScript
		for i := range 5 { // no step can be unlucky in more calls than it has attempts
			script = append(script, emulator.ScriptedFault{Kind: emulator.FaultPlatform, At: 2 * (i + 1), Match: emulator.Match{Kind: "composite"}})
		}
		w.org.SetFaults(script)
		var all []weir.Request
		for i := range w.subjects {
			all = append(all, w.submit(weir.Access, i))
		}
		for i, r := range all {
			w.until(r.ID, 24*time.Hour, weir.Delivered)
			w.holdsExactly(r.ID, w.subjects[i].Records)
		}
		if open := w.letters(); len(open) > 0 {
			t.Errorf("%d dead letters, such as %s", len(open), fmt.Sprint(open[0].Cause))
		}
	})
}
