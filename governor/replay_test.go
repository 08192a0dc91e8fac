package governor_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// throughJSON is what the replay log and the store do to a value.
func throughJSON[T any](t *rapid.T, v T) T {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode %T: %v", v, err)
	}
	var back T
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatalf("decode %T: %v", v, err)
	}
	return back
}

func text(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode %T: %v", v, err)
	}
	return string(b)
}

// TestReplay runs a history twice: once in memory, once with policy, state and
// inputs written down and read back at each step. All must be equal, and no
// step may change a state that was handed out before.
func TestReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hostile, p := rapid.Bool().Draw(t, "hostile"), drawPolicy(t)
		var live, replayed governor.State
		twice := func(in, again func(governor.State) (governor.State, weir.Decision)) weir.Decision {
			before, was := live, text(t, live)
			var a, b weir.Decision
			live, a = in(live)
			replayed, b = again(throughJSON(t, replayed))
			if text(t, a) != text(t, b) {
				t.Fatalf("decided\n%s\nand replayed\n%s", text(t, a), text(t, b))
			}
			if governor.Hash(live) != governor.Hash(replayed) {
				t.Fatalf("state\n%s\nand replayed\n%s", text(t, live), text(t, replayed))
			}
			if text(t, before) != was {
				t.Fatal("a state was changed in place")
			}
			if governor.Explain(a) == "" || governor.Width(p, live) < 1 {
				t.Fatal("no sentence or no slot")
			}
			return a
		}
		h := history{hostile: hostile, most: 40 * time.Minute, gateway: drawGateway(t)}
		h.ask = func(ask weir.Ask) weir.Decision {
			governor.Look(p, live, ask.Now)
			return twice(
				func(s governor.State) (governor.State, weir.Decision) { return governor.Admit(p, s, ask) },
				func(s governor.State) (governor.State, weir.Decision) {
					return governor.Admit(throughJSON(t, p), s, throughJSON(t, ask))
				})
		}
		h.observe = func(o weir.Outcome) {
			twice(
				func(s governor.State) (governor.State, weir.Decision) { return governor.Observe(p, s, o) },
				func(s governor.State) (governor.State, weir.Decision) {
					return governor.Observe(throughJSON(t, p), s, throughJSON(t, o))
				})
		}
		h.pass(t)
	})
}

// TestEveryWait holds for all faults, histories and policies: no wait ends
// before Retry-After, none that we compute is longer than the ceiling, none ends
// after the due date, and the jitter moves it by less than a second.
func TestEveryWait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		var s governor.State
		h := history{most: 5 * time.Minute, gateway: drawGateway(t)}
		h.ask = func(ask weir.Ask) (d weir.Decision) {
			s, d = governor.Admit(p, s, ask)
			return d
		}
		h.observe = func(o weir.Outcome) {
			before := s
			next, d := governor.Observe(p, s, o)
			s = next
			if d.Ruling != weir.WaitUntil && d.Ruling != weir.Readback {
				return
			}
			wait, asked := d.Wait.Until.Sub(o.Now), askedFor(o)
			if wait < asked {
				t.Fatalf("waits %v although the org asked for %v: %s", wait, asked, governor.Explain(d))
			}
			if len(d.Wait.Evidence) == 0 {
				t.Fatal("no evidence")
			}
			if !o.DueAt.IsZero() && d.Wait.Until.After(o.DueAt.Add(-o.Remaining)) {
				t.Fatalf("waits beyond the due date: %s", governor.Explain(d))
			}
			gated := !governor.Look(p, before, o.Now).GateUntil.IsZero()
			if o.Fault.Category != weir.ThrottledDaily && d.Wait.Cause != weir.ThrottledDaily && asked == 0 && !gated && wait > longest(p, o.Fault) {
				t.Fatalf("waits %v, more than the ceiling: %s", wait, governor.Explain(d))
			}
			low, high := o, o
			low.Jitter, high.Jitter = 0, maxJitter
			_, a := governor.Observe(p, before, low)
			_, b := governor.Observe(p, before, high)
			if a.Ruling != d.Ruling || b.Ruling != d.Ruling {
				return // the due date lies between the two
			}
			if a.Wait.Until.After(d.Wait.Until) || b.Wait.Until.Before(d.Wait.Until) || b.Wait.Until.Sub(a.Wait.Until) > time.Second {
				t.Fatalf("%v is not between %v and %v", d.Wait.Until, a.Wait.Until, b.Wait.Until)
			}
		}
		h.pass(t)
	})
}

// askedFor is how long the response of an outcome asked to wait.
func askedFor(o weir.Outcome) time.Duration {
	asked := time.Duration(0)
	for _, r := range o.Readings {
		if r.Kind == weir.ReadRetryAfter {
			asked = max(asked, time.Duration(min(r.Used, 366*24*3600))*time.Second)
		}
	}
	if o.Fault != nil {
		asked = max(asked, o.Fault.RetryAfter)
	}
	return asked
}

// longest is the longest wait that a policy allows us to compute: its ceiling,
// or the second over which calls are scattered that were refused together.
func longest(p governor.Policy, f *weir.Fault) time.Duration {
	most := max(p.Ceiling, time.Second)
	if f.Category == weir.LockContention {
		most = p.LockCeiling
	}
	if f.Effect == weir.EffectUnknown {
		most = max(most, p.Settle)
	}
	return most
}

// TestAdmissionRespectsEveryGate replays random outcomes and asks in between:
// nothing proceeds while a gate that was shown, or a wait that a throttle asked
// for, is not over.
func TestAdmissionRespectsEveryGate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		var s governor.State
		closed := start
		h := history{most: 3 * time.Minute, gateway: drawGateway(t)}
		h.ask = func(ask weir.Ask) (d weir.Decision) {
			shown := governor.Look(p, s, ask.Now).GateUntil
			s, d = governor.Admit(p, s, ask)
			if d.Ruling == weir.Proceed && (ask.Now.Before(closed) || ask.Now.Before(shown)) {
				t.Fatalf("a call went at %v; the gate was closed until %v", ask.Now, closed)
			}
			if d.Ruling == weir.WaitUntil && !d.Wait.Until.After(ask.Now) {
				t.Fatalf("a wait that ends at once: %s", governor.Explain(d))
			}
			return d
		}
		h.observe = func(o weir.Outcome) {
			s, _ = governor.Observe(p, s, o)
			if o.Fault != nil && o.Fault.Category.Throttled() {
				if until := o.Now.Add(askedFor(o)); until.After(closed) {
					closed = until
				}
			}
		}
		h.pass(t)
	})
}

func TestHostileRingsAreRefused(t *testing.T) {
	for _, doc := range []string{`[1]`, `[5,1,0,1]`, `[-1,1]`, `[1,-1]`, `[9223372036854775807,1,9223372036854775807,1]`, `{}`, `["x",1]`} {
		var r governor.Ring
		if err := json.Unmarshal([]byte(doc), &r); err == nil {
			t.Errorf("%s was read as %v", doc, r)
		}
	}
}

func FuzzObserve(f *testing.F) {
	f.Add([]byte(`{}`), []byte(`{}`))
	f.Add([]byte(`{"gate":{"until":1,"cut_at":1,"cause":"x"},"own":{"past":[1,2,3,4]}}`),
		[]byte(`{"now":"2026-11-23T12:00:00Z","cost":1,"readings":[{"kind":"daily","used":-5,"limit":9223372036854775807}]}`))
	f.Add([]byte(`{"daily":{"at":1795435199000000000,"used":1,"limit":1}}`),
		[]byte(`{"now":"9999-12-31T23:59:59Z","sent_at":"0001-01-01T00:00:00Z","fault":{"category":"throttled_daily","retry_after_ns":-9223372036854775808}}`))
	f.Add([]byte(`{"rate":{"pace":9223372036854775807,"next_at":-1,"low":-5,"high":9223372036854775807,"empty_at":-9223372036854775808,"sent":-1,"late":9223372036854775807,"run_calls":9223372036854775807,"run_time":-7,"quick":-9223372036854775808,"hold":-1,"bound":true}}`),
		[]byte(`{"now":"2026-11-23T12:00:00Z","cost":1,"fault":{"category":"throttled_burst"}}`))
	f.Add([]byte(`{"strikes":-9,"cap":-1,"widest":-4,"bursts":[-1,0,9223372036854775807]}`),
		[]byte(`{"now":"2026-11-23T12:00:00Z","fault":{"category":"throttled_burst"},"attempts":-1}`))
	learnt := `{"rate":{"pace":10000000,"low":9000000,"high":11000000,"empty_at":1795435190000000000,"cut_at":1795435190000000000,"sent":70,"bound":true,"hold":1500000000,"trial":{"doubt":2,"sure":9000000}}}`
	trying := `{"rate":{"pace":80000000,"low":900000,"high":1100000,"empty_at":1795435190000000000,"cut_at":1795435190000000000,"sent":40,"trial":{"back":1000000,"sure":900000}}}`
	for _, known := range []string{learnt, trying} {
		for _, fault := range []string{`null`, `{"category":"throttled_burst"}`, `{"category":"throttled_burst","retry_after_ns":90000000000}`} {
			f.Add([]byte(known), []byte(`{"now":"2026-11-23T12:00:00Z","sent_at":"2026-11-23T11:59:59.9Z","cost":1,"in_flight":3,"fault":`+fault+`}`))
		}
	}
	f.Fuzz(func(t *testing.T, state, outcome []byte) {
		var s governor.State
		var o weir.Outcome
		if json.Unmarshal(state, &s) != nil || json.Unmarshal(outcome, &o) != nil {
			return
		}
		learns := governor.DefaultPolicy()
		learns.LearnRate = true
		for _, p := range []governor.Policy{governor.DefaultPolicy(), {}, learns} {
			next, d := governor.Observe(p, s, o)
			if governor.Width(p, next) < 1 || governor.Explain(d) == "" {
				t.Fatal("no slot or no sentence")
			}
			governor.Look(p, next, o.Now)
			next, _ = governor.Admit(p, next, weir.Ask{Now: o.Now, DueAt: o.DueAt, Cost: o.Cost, InFlight: o.InFlight})
			governor.Observe(p, next, o) // the calls of one moment are refused together
			if d.Ruling == weir.WaitUntil && o.Now.Year() > 1970 && o.Now.Year() < 2190 {
				if wait := d.Wait.Until.Sub(o.Now); p.Base > 0 && wait < 0 || wait < min(askedFor(o), 365*24*time.Hour) {
					t.Fatalf("waits %v: %s", wait, governor.Explain(d))
				}
			}
		}
	})
}
