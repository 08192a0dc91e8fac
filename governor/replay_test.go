package governor_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

var readingKinds = []weir.ReadingKind{
	weir.ReadDaily, weir.ReadApp, weir.ReadBursts, weir.ReadConcurrent, weir.ReadRemaining, weir.ReadRetryAfter, weir.ReadOther,
}

// drawReadings draws readings as the classifier gives them or, when hostile,
// as nothing should ever give them.
func drawReadings(t *rapid.T, now time.Time, hostile bool) []weir.Reading {
	numbers := rapid.Int64Range(0, 2000)
	if hostile {
		numbers = rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, -1, math.MaxInt64, math.MinInt64}))
	}
	var out []weir.Reading
	for range rapid.IntRange(0, 3).Draw(t, "readings") {
		out = append(out, weir.Reading{
			Kind: rapid.SampledFrom(readingKinds).Draw(t, "kind"), Used: numbers.Draw(t, "used"),
			Limit: numbers.Draw(t, "limit"), At: now, App: "weir",
		})
	}
	return out
}

func drawFault(t *rapid.T, hostile bool) *weir.Fault {
	if rapid.Bool().Draw(t, "succeeded") {
		return nil
	}
	f := &weir.Fault{
		Category: rapid.SampledFrom(append(weir.Categories(), "novel")).Draw(t, "category"),
		Scope:    rapid.SampledFrom([]weir.Scope{weir.ScopeOrg, weir.ScopeUser, weir.ScopeObject, weir.ScopeRecord, weir.ScopeCall}).Draw(t, "scope"),
		Effect:   rapid.SampledFrom([]weir.Effect{weir.EffectNone, weir.EffectUnknown}).Draw(t, "effect"),
		Code:     "CODE", Status: 503,
	}
	if rapid.Bool().Draw(t, "asks to wait") {
		f.RetryAfter = time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "retry-after"))
		if hostile {
			f.RetryAfter = time.Duration(rapid.Int64().Draw(t, "hostile retry-after"))
		}
	}
	return f
}

func drawOutcome(t *rapid.T, now time.Time, hostile bool) weir.Outcome {
	o := weir.Outcome{
		Now: now, SentAt: now.Add(-time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "took"))),
		Cost: rapid.IntRange(0, 3).Draw(t, "cost"), Jitter: rapid.Uint32().Draw(t, "jitter"),
		Readings: drawReadings(t, now, hostile), Fault: drawFault(t, hostile),
		Attempts: rapid.IntRange(0, 9).Draw(t, "attempts"), Conflicts: rapid.IntRange(0, 4).Draw(t, "conflicts"),
		InFlight: rapid.IntRange(0, 9).Draw(t, "in flight"),
	}
	if rapid.Bool().Draw(t, "is about an object") {
		o.Object, o.Mutates, o.ReadBack = drawObject(t), rapid.Bool().Draw(t, "mutates"), rapid.IntRange(0, 9).Draw(t, "read back") == 0
		if rapid.IntRange(0, 5).Draw(t, "did something") == 0 {
			o.Answered = []string{o.Object, drawObject(t)}
		}
	}
	if rapid.Bool().Draw(t, "has a due date") {
		o.DueAt = now.Add(time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "slack")))
		o.Remaining = time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "remaining"))
	}
	if hostile {
		moments := rapid.Map(rapid.Int64(), func(s int64) time.Time { return time.Unix(s>>28, s&0xfffff).UTC() })
		// Years from 883 to 3057: what JSON can hold and the arithmetic cannot.
		o.Now, o.SentAt, o.DueAt = moments.Draw(t, "now"), moments.Draw(t, "sent"), moments.Draw(t, "due")
		o.Remaining = time.Duration(rapid.Int64().Draw(t, "hostile remaining"))
		o.Cost, o.Attempts = rapid.Int().Draw(t, "hostile cost"), rapid.Int().Draw(t, "hostile attempts")
		o.Conflicts, o.InFlight = rapid.Int().Draw(t, "hostile conflicts"), rapid.Int().Draw(t, "hostile in flight")
	}
	return o
}

func drawAsk(t *rapid.T, now time.Time) weir.Ask {
	return weir.Ask{
		Now: now, Cost: rapid.IntRange(0, 3).Draw(t, "asked cost"), InFlight: rapid.IntRange(0, 9).Draw(t, "open"),
		Urgent: rapid.Bool().Draw(t, "urgent"), Object: drawObject(t), Mutates: rapid.Bool().Draw(t, "asks to mutate"),
	}
}

// drawObject draws one of a few objects, so that rows of failures come about.
func drawObject(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "Case", "Case", "Contact", "Lead"}).Draw(t, "object")
}

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
		hostile := rapid.Bool().Draw(t, "hostile")
		p, now := governor.DefaultPolicy(), start
		var live, replayed governor.State
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(40*time.Minute)).Draw(t, "passes")))
			before, was := live, text(t, live)
			var a, b weir.Decision
			if rapid.Bool().Draw(t, "ask") {
				ask := drawAsk(t, now)
				live, a = governor.Admit(p, live, ask)
				replayed, b = governor.Admit(throughJSON(t, p), throughJSON(t, replayed), throughJSON(t, ask))
			} else {
				o := drawOutcome(t, now, hostile)
				live, a = governor.Observe(p, live, o)
				replayed, b = governor.Observe(throughJSON(t, p), throughJSON(t, replayed), throughJSON(t, o))
			}
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
			governor.Look(p, live, now)
		}
	})
}

// TestEveryWait holds for all faults and histories: no wait ends before
// Retry-After, none that we compute is longer than the ceiling, none ends
// after the due date, and the jitter moves it by less than a second.
func TestEveryWait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now := governor.DefaultPolicy(), start
		var s governor.State
		for range rapid.IntRange(1, 25).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(5*time.Minute)).Draw(t, "passes")))
			o := drawOutcome(t, now, false)
			before := s
			next, d := governor.Observe(p, s, o)
			s = next
			if d.Ruling != weir.WaitUntil && d.Ruling != weir.Readback {
				continue
			}
			wait := d.Wait.Until.Sub(now)
			asked := time.Duration(0)
			for _, r := range o.Readings {
				if r.Kind == weir.ReadRetryAfter {
					asked = max(asked, time.Duration(r.Used)*time.Second)
				}
			}
			asked = max(asked, o.Fault.RetryAfter)
			if wait < asked {
				t.Fatalf("waits %v although the org asked for %v: %s", wait, asked, governor.Explain(d))
			}
			if len(d.Wait.Evidence) == 0 {
				t.Fatal("no evidence")
			}
			if !o.DueAt.IsZero() && d.Wait.Until.After(o.DueAt.Add(-o.Remaining)) {
				t.Fatalf("waits beyond the due date: %s", governor.Explain(d))
			}
			gated := !governor.Look(p, before, now).GateUntil.IsZero()
			if o.Fault.Category != weir.ThrottledDaily && d.Wait.Cause != weir.ThrottledDaily && asked == 0 && !gated && wait > p.Ceiling {
				t.Fatalf("waits %v, more than the ceiling: %s", wait, governor.Explain(d))
			}
			low, high := o, o
			low.Jitter, high.Jitter = 0, maxJitter
			_, a := governor.Observe(p, before, low)
			_, b := governor.Observe(p, before, high)
			if a.Ruling != d.Ruling || b.Ruling != d.Ruling {
				continue // the due date lies between the two
			}
			if a.Wait.Until.After(d.Wait.Until) || b.Wait.Until.Before(d.Wait.Until) || b.Wait.Until.Sub(a.Wait.Until) > time.Second {
				t.Fatalf("%v is not between %v and %v", d.Wait.Until, a.Wait.Until, b.Wait.Until)
			}
		}
	})
}

// TestAdmissionRespectsEveryGate replays random outcomes and asks in between:
// nothing proceeds while a gate that was shown is closed.
func TestAdmissionRespectsEveryGate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now := governor.DefaultPolicy(), start
		var s governor.State
		closed := start
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Minute)).Draw(t, "passes")))
			if rapid.Bool().Draw(t, "ask") {
				var d weir.Decision
				s, d = governor.Admit(p, s, drawAsk(t, now))
				if d.Ruling == weir.Proceed && now.Before(closed) {
					t.Fatalf("a call went at %v; the gate was closed until %v", now, closed)
				}
				if d.Ruling == weir.WaitUntil && !d.Wait.Until.After(now) {
					t.Fatalf("a wait that ends at once: %s", governor.Explain(d))
				}
				continue
			}
			o := drawOutcome(t, now, false)
			s, _ = governor.Observe(p, s, o)
			if f := o.Fault; f != nil && f.Category.Throttled() {
				closed = now.Add(max(f.RetryAfter, 0))
			}
		}
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
	f.Fuzz(func(t *testing.T, state, outcome []byte) {
		var s governor.State
		var o weir.Outcome
		if json.Unmarshal(state, &s) != nil || json.Unmarshal(outcome, &o) != nil {
			return
		}
		for _, p := range []governor.Policy{governor.DefaultPolicy(), {}} {
			next, d := governor.Observe(p, s, o)
			if governor.Width(p, next) < 1 || governor.Explain(d) == "" {
				t.Fatal("no slot or no sentence")
			}
			governor.Look(p, next, o.Now)
			governor.Admit(p, next, weir.Ask{Now: o.Now, DueAt: o.DueAt, Cost: o.Cost, InFlight: o.InFlight})
			if d.Ruling == weir.WaitUntil && p.Base > 0 && o.Now.Year() > 1970 && o.Now.Year() < 2190 && d.Wait.Until.Before(o.Now) {
				t.Fatalf("a wait into the past: %s", governor.Explain(d))
			}
		}
	})
}
