package engine_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
)

// admitCall asks for a guest and expects that its call may go.
func (w *world) admitCall() string {
	w.t.Helper()
	a, err := w.engine.AdmitCall(w.t.Context(), acme, "kim", weir.Ask{})
	if err != nil || a.Decision.Ruling != weir.Proceed || a.ID == "" {
		w.t.Fatalf("admission %q, %s, %v", a.ID, governor.Explain(a.Decision), err)
	}
	return a.ID
}

func (w *world) observeCall(id string, o weir.Outcome, open bool) weir.Decision {
	w.t.Helper()
	d, err := w.engine.ObserveCall(w.t.Context(), acme, id, o, open)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// limits is what weir knows of the org.
func (w *world) limits() engine.OrgStatus {
	w.t.Helper()
	s, err := w.engine.Limits(w.t.Context(), acme)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) counts(own int64, inFlight int) {
	w.t.Helper()
	if s := w.limits(); s.View.Own24h != own || s.InFlight != inFlight {
		w.t.Fatalf("%d calls in the window and %d in flight, want %d and %d", s.View.Own24h, s.InFlight, own, inFlight)
	}
}

// TestAGuestsCallFromAdmissionToRelease, and of a program that dies at each
// point in between: what the org may have counted is counted, once.
func TestAGuestsCallFromAdmissionToRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		ended := func() {
			time.Sleep(2*time.Minute + time.Second)
			if err := w.engine.Control(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		used := weir.Outcome{Cost: 1, Readings: []weir.Reading{{Kind: weir.ReadDaily, Name: "api-usage", Used: 10, Limit: 15000}}}

		id := w.admitCall()
		w.counts(0, 1)
		w.observeCall(id, used, true)
		w.counts(1, 1)
		if err := w.engine.ReleaseCall(t.Context(), acme, id); err != nil {
			t.Fatal(err)
		}
		w.counts(1, 0)
		if v := w.limits().View; v.Used != 10 || v.Limit != 15000 {
			t.Errorf("knows %d of %d", v.Used, v.Limit)
		}

		w.observeCall(w.admitCall(), used, false)
		w.counts(2, 0)

		w.observeCall(w.admitCall(), weir.Outcome{Fault: &weir.Fault{Category: weir.PlatformFault, Effect: weir.EffectNone}}, false)
		w.counts(2, 0) // nothing was sent

		w.observeCall(w.admitCall(), used, true) // died while reading
		ended()
		w.counts(3, 0)

		id = w.admitCall() // died while calling
		ended()
		w.counts(4, 0)
		w.observeCall(id, used, false) // and yet it lives
		w.counts(4, 0)
	})
}

// TestAGuestAndWeirShareOneGate and one share, and each decision replays.
func TestAGuestAndWeirShareOneGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		r := w.submit(weir.Access, 0)
		begin := time.Now()
		throttled := &weir.Fault{Category: weir.ThrottledBurst, Scope: weir.ScopeOrg, Effect: weir.EffectNone, RetryAfter: time.Hour}
		w.observeCall(w.admitCall(), weir.Outcome{Cost: 1, Fault: throttled}, false)
		a, err := w.engine.AdmitCall(t.Context(), acme, "kim", weir.Ask{DueAt: begin.Add(time.Minute)})
		if err != nil || a.ID != "" || a.Decision.Ruling != weir.DeadLetter {
			t.Errorf("admission %q, %s, %v", a.ID, governor.Explain(a.Decision), err)
		}
		w.until(r.ID, 3*time.Hour, weir.Delivered, weir.Closed)
		for _, c := range w.org.Log() {
			if c.Kind != "token" && c.At.Before(begin.Add(time.Hour)) {
				t.Errorf("weir called %s although a guest had been asked to wait", c.Kind)
			}
		}
		if w.explainAll(r.ID) == 0 {
			t.Error("nothing was explained")
		}
	})
}

// TestAGuestCannotWriteIntoTheLog: the replay log takes its codes and numbers
// and none of its words.
// What guests have open for 20 s counts like weir's own: Salesforce does not know
// whose it is.
func TestAGuestsLongCallsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		for range 10 { // an org of which something is known takes calls at once
			w.observeCall(w.admitCall(), weir.Outcome{Now: time.Now(), SentAt: time.Now(), Cost: 1}, false)
		}
		for range 5 {
			w.admitCall()
		}
		time.Sleep(19 * time.Second)
		refused := w.admitCall()
		time.Sleep(time.Second)
		ask := func() weir.Decision {
			a, err := w.engine.AdmitCall(t.Context(), acme, "kim", weir.Ask{})
			if err != nil {
				t.Fatal(err)
			}
			return a.Decision
		}
		if d := ask(); d.Ruling != weir.WaitUntil || d.Wait.Cause != weir.ThrottledConcurrent {
			t.Errorf("with five long calls open: %s", governor.Explain(d))
		}
		f := &weir.Fault{Category: weir.ThrottledConcurrent, Scope: weir.ScopeOrg, Effect: weir.EffectNone}
		w.observeCall(refused, weir.Outcome{Now: time.Now(), SentAt: time.Now(), Cost: 1, Fault: f}, false)
		if v := w.limits().View; v.Cap != 0 || v.LongCap != 5 {
			t.Errorf("the refusal beside five long calls cut all calls to %d, and the long ones to %d", v.Cap, v.LongCap)
		}
	})
}

func TestAGuestCannotWriteIntoTheLog(t *testing.T) {
	w := newWorld(t, setup{})
	const value = "erika@example.test"
	f := &weir.Fault{Category: weir.Category(value), Code: "<" + value + ">", Scope: weir.Scope(value), Effect: weir.Effect(value), Fields: []string{value}}
	r := weir.Reading{Kind: weir.ReadApp, Name: value, App: value, Source: value, Used: -1, Limit: 1 << 62}
	w.observeCall(w.admitCall(), weir.Outcome{Cost: 1 << 60, Attempts: -5, Fault: f, Readings: []weir.Reading{r}}, false)
	var logged int
	err := w.engine.Store().DB().QueryRowContext(t.Context(),
		`SELECT count(*) FROM decision WHERE instr(input, 'example.test') > 0 OR instr(ruling, 'example.test') > 0`).Scan(&logged)
	if err != nil || logged != 0 {
		t.Errorf("%d decisions hold a guest's words, %v", logged, err)
	}
	w.counts(1, 0)
	if _, err := w.engine.AdmitCall(t.Context(), "nowhere", "kim", weir.Ask{}); !errors.Is(err, engine.ErrUnknownOrg) || strings.Contains(err.Error(), "kim") {
		t.Errorf("an unknown org: %v", err)
	}
}
