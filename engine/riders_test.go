package engine_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// through lets an engine call its org through another transport.
func (w *world) through(wire http.RoundTripper) {
	w.t.Helper()
	w.options.Orgs = slices.Clone(w.options.Orgs)
	w.options.Orgs[0].Transport = wire
	if err := w.engine.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// The first queries of a discovery ride in the describe's call, and a confirmation that
// finds what the plan found asks for every level at once.
func TestTheFirstQueriesRide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		r := w.until(w.submit(weir.Erasure, 0).ID, time.Hour, weir.AwaitingApproval)
		parts := func() (list []int) {
			for _, c := range w.org.Log() {
				if c.Writes > 0 {
					break
				}
				if c.Kind == "composite" {
					list = append(list, c.Parts)
				}
			}
			return list
		}
		const objects, level0, level1, level2 = 6, 2, 3, 2 // the map's; level 1 follows contacts and leads, level 2 cases
		if want, got := []int{objects + level0, level1, level2}, parts(); !slices.Equal(got, want) {
			t.Errorf("the plan took composites of %v, want %v", got, want)
		}
		began := len(parts())
		approve(w, r)
		w.until(r.ID, 48*time.Hour, weir.Closed)
		const atOnce = 5 // queries in one call
		want := []int{objects + atOnce, level0 + level1 + level2 - atOnce}
		if got := parts()[began:]; len(got) < 2 || !slices.Equal(got[:2], want) {
			t.Errorf("the confirmation took composites of %v, want %v and a check", got, want)
		}
		w.erased(0)
		w.clean()
	})
}

// A query that spoils its call takes the describe with it once: the describe goes again
// by itself, and the letter is about the query.
func TestARiderSpoilsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		w.through(&poison{RoundTripper: w.options.Orgs[0].Transport, marks: []string{"ada0.o"}})
		r := w.submit(weir.Erasure, 0)
		for len(w.letters()) == 0 {
			w.settle()
			w.pass()
		}
		for _, l := range w.letters() {
			if l.Kind != weir.StepFind || l.Request != r.ID {
				t.Errorf("a letter about a %s of %s", l.Kind, l.Request)
			}
		}
		if story := w.story(r.ID); !strings.Contains(story, "outcome=described") {
			t.Errorf("nothing was described:\n%s", story)
		}
	})
}

// A check that spoils the writes before which it rides is none of theirs: they go again
// without it, and nothing is for a person.
func TestARiderSpoilsOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		wire := &poison{RoundTripper: w.options.Orgs[0].Transport, marks: []string{`"method":"DELETE"`, "FROM%20Contact"}}
		w.through(wire)
		r := w.approved(0)
		w.until(r.ID, 48*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
		if wire.refused != 1 {
			t.Errorf("%d calls were refused, want the one with the rider", wire.refused)
		}
		if got := w.letters(); len(got) > 0 {
			t.Errorf("letters: %v", got)
		}
	})
}

// What a call brings for riders that were cancelled meanwhile is dropped.
func TestRidersThatNobodyWantsAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		wire := &meanwhile{RoundTripper: w.options.Orgs[0].Transport}
		w.through(wire)
		r := w.submit(weir.Erasure, 0)
		wire.do = func() {
			if _, err := w.engine.Cancel(t.Context(), r.ID, "withdrawn", "kim"); err != nil {
				t.Error(err)
			}
		}
		w.until(r.ID, time.Hour, weir.Cancelled)
		w.settle()
		if story := w.story(r.ID); strings.Contains(story, "outcome=read") {
			t.Errorf("a query of a cancelled request was taken up:\n%s", story)
		}
		if wire.do != nil {
			t.Error("nothing was asked")
		}
	})
}

// stopped tells weir to stop in the moment in which the org has answered its first write.
type stopped struct {
	http.RoundTripper
	edit func() // somebody else's, before that
	stop context.CancelFunc
}

func (s *stopped) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.stop == nil || !s.writes(r) {
		return s.RoundTripper.RoundTrip(r)
	}
	s.edit()
	resp, err := s.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	s.stop()
	s.stop = nil
	return resp, nil
}

// writes looks into a request and leaves it as it was.
func (s *stopped) writes(r *http.Request) bool {
	if r.Body == nil {
		return false
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return bytes.Contains(body, []byte(`"method":"DELETE"`))
}

// A rider about which nothing can be decided, because weir stops and its store answers
// no more, takes nothing from the writes that carried it: they are applied.
func TestAStopTakesNothingFromTheWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		ctx, stop := context.WithCancel(t.Context())
		wire := &stopped{RoundTripper: w.options.Orgs[0].Transport, stop: stop}
		wire.edit = func() { // so that it must be looked up whose the case is now
			time.Sleep(2 * time.Second)
			w.org.Touch("Case", w.subjects[0].Records["Case"][0], map[string]any{"Subject": "Edited"})
		}
		w.through(wire)
		r := w.approved(0)
		for ctx.Err() == nil {
			if _, err := w.engine.Turn(ctx, acme); err != nil && ctx.Err() == nil {
				t.Fatal(err)
			}
		}
		applied := 0
		err := w.engine.Store().View(t.Context(), time.Now(), func(tx *store.Tx) error {
			intents, err := tx.Intents(r.ID)
			for _, in := range intents {
				if in.State == weir.IntentApplied {
					applied++
				} else {
					t.Errorf("%s %s is %s", in.Object, in.Record, in.State)
				}
			}
			return err
		})
		if err != nil || applied == 0 {
			t.Errorf("%d writes are applied, %v", applied, err)
		}
		w.until(r.ID, 48*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
	})
}
