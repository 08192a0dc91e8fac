package governor_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// start is when the tests begin: on a full minute, so that sums are readable.
var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const maxJitter = uint32(math.MaxUint32)

// org drives a governor by hand: a clock, the state, and the policy.
type org struct {
	t   failer
	p   governor.Policy
	s   governor.State
	now time.Time
}

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func newOrg(t testing.TB) *org {
	t.Helper()
	return &org{t: t, p: governor.DefaultPolicy(), now: start}
}

func (g *org) admit(edit ...func(*weir.Ask)) weir.Decision {
	a := weir.Ask{Now: g.now, Cost: 1}
	for _, e := range edit {
		e(&a)
	}
	var d weir.Decision
	g.s, d = governor.Admit(g.p, g.s, a)
	return d
}

// observe reports a call that was sent 100 ms ago and cost 1.
func (g *org) observe(f *weir.Fault, edit ...func(*weir.Outcome)) weir.Decision {
	o := weir.Outcome{Now: g.now, SentAt: g.now.Add(-100 * time.Millisecond), Cost: 1, Fault: f}
	for _, e := range edit {
		e(&o)
	}
	var d weir.Decision
	g.s, d = governor.Observe(g.p, g.s, o)
	return d
}

func (g *org) wait(d time.Duration) *org {
	g.now = g.now.Add(d)
	return g
}

func (g *org) ruling(d weir.Decision, want weir.Ruling, cause weir.Category) {
	g.t.Helper()
	if d.Ruling != want || d.Wait.Cause != cause {
		g.t.Fatalf("ruled %s for %q, want %s for %q: %s", d.Ruling, d.Wait.Cause, want, cause, governor.Explain(d))
	}
}

// until checks a wait's end, counted from now.
func (g *org) until(d weir.Decision, want time.Duration) {
	g.t.Helper()
	if got := d.Wait.Until.Sub(g.now); got != want {
		g.t.Fatalf("waits %v, want %v: %s", got, want, governor.Explain(d))
	}
}

func fault(c weir.Category) *weir.Fault {
	f := &weir.Fault{Category: c, Scope: weir.ScopeCall, Effect: weir.EffectNone, Status: 400}
	switch c {
	case weir.ThrottledBurst, weir.ThrottledDaily, weir.ThrottledConcurrent, weir.Maintenance:
		f.Scope = weir.ScopeOrg
	case weir.AuthDrift, weir.AuthConfig, weir.ThrottledLogin:
		f.Scope = weir.ScopeUser
	case weir.UnknownOutcome:
		f.Effect, f.Status = weir.EffectUnknown, 0
	case weir.LockContention, weir.Conflict:
		f.Scope = weir.ScopeRecord
	default:
	}
	return f
}

func retryAfter(c weir.Category, d time.Duration) *weir.Fault {
	f := fault(c)
	f.RetryAfter = d
	return f
}

func daily(used, limit int64) func(*weir.Outcome) {
	return reading(weir.Reading{Kind: weir.ReadDaily, Used: used, Limit: limit})
}

func reading(r weir.Reading) func(*weir.Outcome) {
	return func(o *weir.Outcome) {
		r.At = o.Now
		o.Readings = append(o.Readings, r)
	}
}

func jitter(j uint32) func(*weir.Outcome)       { return func(o *weir.Outcome) { o.Jitter = j } }
func inFlight(n int) func(*weir.Outcome)        { return func(o *weir.Outcome) { o.InFlight = n } }
func attempts(n int) func(*weir.Outcome)        { return func(o *weir.Outcome) { o.Attempts = n } }
func due(t time.Time) func(*weir.Outcome)       { return func(o *weir.Outcome) { o.DueAt = t } }
func sent(t time.Time) func(*weir.Outcome)      { return func(o *weir.Outcome) { o.SentAt = t } }
func cost(n int) func(*weir.Outcome)            { return func(o *weir.Outcome) { o.Cost = n } }
func asking(open int) func(*weir.Ask)           { return func(a *weir.Ask) { a.InFlight = open } }
func dueAsk(t time.Time) func(*weir.Ask)        { return func(a *weir.Ask) { a.DueAt = t } }
func urgent(a *weir.Ask)                        { a.Urgent = true }
func token(o *weir.Outcome)                     { o.Cost, o.DueAt = 0, time.Time{} }
func evidence(d weir.Decision, n string) string { return lookup(d.Wait.Evidence, n) }

func lookup(es []weir.Evidence, name string) string {
	for _, e := range es {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

func encode(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
