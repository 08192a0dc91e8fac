package engine_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
)

// scarce is an org of which ten calls a day are weir's, and a floor of a hundred
// is the business's; nobody may approve alone.
func scarce(people int) setup {
	return setup{
		people: people,
		org:    emulator.Options{Latency: 300 * time.Millisecond, Limits: emulator.Limits{DailyAPI: 1000}},
		policy: func(p *engine.Policy) { p.SingleOperator = false },
		gov:    func(p *governor.Policy) { p.Share, p.FloorCalls, p.FloorShare = 10, 100, 0 },
	}
}

// spend uses up weir's share of the day, with calls that belong to no request.
func (w *world) spend() {
	w.t.Helper()
	for {
		s, err := w.engine.Limits(w.t.Context(), acme)
		if err != nil {
			w.t.Fatal(err)
		}
		if s.View.Known && s.View.Own24h >= s.View.Share {
			return
		}
		if _, err := w.engine.TestOrg(w.t.Context(), acme); err != nil {
			w.t.Fatal(err)
		}
	}
}

// waits works for some minutes, and demands that the org's work then waits for
// hours.
func (w *world) waits() {
	w.t.Helper()
	for range 5 {
		w.settle()
		time.Sleep(time.Minute)
	}
	s, err := w.engine.Limits(w.t.Context(), acme)
	if err != nil || !s.WakeAt.After(time.Now().Add(time.Hour)) {
		w.t.Fatalf("the org wakes at %s: %v", s.WakeAt, err)
	}
}

// yesterday is when those asked who come before the others in the queue.
func yesterday() time.Time { return time.Now().AddDate(0, 0, -1) }

func (w *world) urgent(id weir.RequestID) {
	w.t.Helper()
	u, err := w.engine.MarkUrgent(w.t.Context(), id, "in danger", "lee")
	if err != nil || !u.Changed || u.Urgency.By != "lee" {
		w.t.Fatalf("%+v: %v", u, err)
	}
}

func (w *world) urgencies(id weir.RequestID) (acts []string) {
	w.t.Helper()
	entries, err := w.engine.History(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range entries {
		if strings.HasSuffix(n.Act, "urgent") {
			acts = append(acts, n.Act+" "+n.By+" "+n.Detail["reason"])
		}
	}
	return acts
}

// The share of the day is used up, and everything waits for tomorrow. The urgent
// one of two goes at once, and goes on after each of its own waits, although
// the other one stands in the queue with a wait of hours.
func TestUrgentWorkPassesTheShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scarce(2))
		w.spend()
		other, rush := w.submitReceived(weir.Erasure, 0, yesterday()), w.submit(weir.Access, 1)
		w.waits()
		if _, err := w.engine.MarkUrgent(t.Context(), rush.ID, "in danger", "kim"); !errors.Is(err, engine.ErrFourEyes) {
			t.Errorf("kim submitted it, and marks it as urgent: %v", err)
		}
		w.urgent(rush.ID)
		w.org.InjectNext(emulator.FaultPlatform, 2)
		w.until(rush.ID, 5*time.Minute, weir.Delivered)
		if r, err := w.engine.Request(t.Context(), other.ID); err != nil || r.Stage != weir.Verified {
			t.Errorf("the other one is %s: %v", r.Stage, err)
		}
		if n := w.explainAll(rush.ID); n < 4 {
			t.Errorf("%d decisions were recomputed", n)
		}
		w.until(other.ID, 96*time.Hour, weir.AwaitingApproval)
	})
}

// A second mark changes nothing; without it the request waits for its turn again;
// and what is over cannot be urgent.
func TestUrgencyIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scarce(1))
		r := w.submit(weir.Access, 0)
		w.urgent(r.ID)
		again, err := w.engine.MarkUrgent(t.Context(), r.ID, "in great danger", "max")
		if err != nil || again.Changed || again.Urgency.Reason != "in danger" {
			t.Errorf("a second mark: %+v %v", again, err)
		}
		st, err := w.engine.Status(t.Context(), r.ID)
		if err != nil || st.Urgency.By != "lee" {
			t.Errorf("status: %+v %v", st.Urgency, err)
		}
		for i, want := range []bool{true, false} {
			off, err := w.engine.UnmarkUrgent(t.Context(), r.ID, "safe", "kim")
			if err != nil || off.Changed != want || off.Urgency.Request != "" {
				t.Errorf("taken back %d times: %+v %v", i+1, off, err)
			}
		}
		want := "request.urgent lee in danger, request.not_urgent kim safe"
		if got := strings.Join(w.urgencies(r.ID), ", "); got != want {
			t.Errorf("the ledger has %q, want %q", got, want)
		}
		w.spend()
		w.waits() // although it was urgent once
		w.until(r.ID, 96*time.Hour, weir.Delivered)
		for id, is := range map[weir.RequestID]error{r.ID: weir.ErrNoSuchTransition, "R-NOBODY": engine.ErrNotFound} {
			if _, err := w.engine.MarkUrgent(t.Context(), id, "in danger", "lee"); !errors.Is(err, is) {
				t.Errorf("mark of %s: %v", id, err)
			}
		}
		for reason, is := range map[string]error{"": engine.ErrReason, "a\nb": engine.ErrText} {
			if _, err := w.engine.MarkUrgent(t.Context(), r.ID, reason, "lee"); !errors.Is(err, is) {
				t.Errorf("reason %q: %v", reason, err)
			}
		}
	})
}

// Where the neighbours leave nothing above the floor, an urgent request waits
// like any other: not one call is sent of which that is known.
func TestUrgentWorkKeepsTheFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scarce(2))
		w.spend()
		rush := w.submit(weir.Access, 1)
		w.waits()
		s, err := w.engine.Limits(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		w.org.Neighbour(int(s.View.Limit - s.View.Floor - s.View.Used))
		before := len(w.org.Log())
		w.urgent(rush.ID)
		w.waits()
		if sent := len(w.org.Log()) - before; sent != 1 { // the one that learnt of it
			t.Errorf("%d calls were sent at the floor", sent)
		}
		why, err := w.engine.Why(t.Context(), string(rush.ID))
		if err != nil || !strings.Contains(why.Sentence, "floor 100") {
			t.Errorf("why: %s %v", why.Sentence, err)
		}
		w.until(rush.ID, 48*time.Hour, weir.Delivered)
	})
}

// pressed is an org whose share is used up while two requests are due in three hours.
func pressed(t *testing.T) (w *world, rush, late weir.Request) {
	w = newWorld(t, scarce(3))
	w.spend()
	w.submit(weir.Erasure, 0)
	w.waits()
	received := time.Now().AddDate(0, -1, 0).Add(3 * time.Hour)
	return w, w.submitReceived(weir.Access, 1, received), w.submitReceived(weir.Erasure, 2, received)
}

// What dooms other work does not doom urgent work: while an urgent step waits for
// its next attempt, another request dies of the share that is used up.
func TestUrgentWorkIsNotDoomedWithOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, rush, late := pressed(t)
		w.urgent(rush.ID)
		w.org.InjectNext(emulator.FaultPlatform, 2)
		w.until(rush.ID, 5*time.Minute, weir.Delivered)
		if open := w.letters(); len(open) != 1 || open[0].Request != late.ID {
			t.Errorf("letters: %+v", open)
		}
		entries, err := w.engine.History(t.Context(), rush.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range entries {
			if n.Act == "step.dead" {
				t.Errorf("an urgent step died:\n%s", w.story(rush.ID))
			}
		}
	})
}

// A request that would be late for want of share is a letter. A person marks it
// as urgent: it goes by itself, at once, and the letters of others stay.
func TestUrgencyReleasesALetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, rush, late := pressed(t)
		for range 5 {
			w.settle()
			time.Sleep(time.Second)
		}
		held := map[weir.RequestID]bool{}
		for _, l := range w.letters() {
			held[l.Request] = l.Cause == weir.DeadlineRisk
		}
		if !held[rush.ID] || !held[late.ID] {
			t.Fatalf("letters: %+v\n%s", w.letters(), w.story(rush.ID))
		}
		w.urgent(rush.ID)
		w.until(rush.ID, 5*time.Minute, weir.Delivered)
		if open := w.letters(); len(open) != 1 || open[0].Request != late.ID {
			t.Errorf("letters: %+v", open)
		}
	})
}
