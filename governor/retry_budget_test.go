package governor_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

func spent(calls, expected int64) func(*weir.Outcome) {
	return func(o *weir.Outcome) { o.Spent, o.Expected = calls, expected }
}

// An org that fails one call in three is not down, and its repeats would be a
// quarter of all calls. When the stock is spent they wait for minutes instead of
// using up the steps' attempts, until answers have earned more.
func TestRetriesWaitWhenTheirBudgetIsSpent(t *testing.T) {
	g := newOrg(t)
	quick := 0
	for {
		d := g.wait(time.Second).observe(fault(weir.PlatformFault))
		g.ruling(d, weir.WaitUntil, weir.PlatformFault)
		if evidence(d, "retries-of-org") != "" {
			g.until(d, 75*time.Second)
			break
		}
		g.until(d, 2*time.Second)
		quick++
		g.wait(time.Second).observe(nil)
		g.wait(time.Second).observe(nil)
	}
	if quick != 24 { // 20 in stock, and what 48 answers earned
		t.Errorf("%d repeats went at once", quick)
	}
	g.until(g.observe(fault(weir.PlatformFault), jitter(maxJitter)), 300*time.Second-53*time.Nanosecond)
	for range 10 {
		g.wait(time.Second).observe(nil)
	}
	g.until(g.observe(fault(weir.PlatformFault)), 2*time.Second)
	g.until(g.observe(fault(weir.LockContention)), 500*time.Millisecond) // has a count of its own
}

// Where the org fails most of what is asked, a step that has failed often enough for
// a letter waits on: what fails is the org. Time earns repeats, so that a step which
// fails by itself reaches a person although nobody's answers earn any.
func TestAWeakOrgSpendsNoAttempts(t *testing.T) {
	g := newOrg(t)
	for evidence(g.wait(time.Second).observe(fault(weir.PlatformFault)), "retries-of-org") == "" {
		g.observe(nil) // it is not down
	}
	d := g.observe(fault(weir.PlatformFault), attempts(5))
	g.ruling(d, weir.WaitUntil, weir.PlatformFault)
	if g.until(d, 75*time.Second); !d.Spared || evidence(d, "attempts") != "5/5" {
		t.Errorf("spared %v: %s", d.Spared, governor.Explain(d))
	}
	g.wait(5 * time.Minute)
	g.ruling(g.observe(fault(weir.PlatformFault), attempts(5)), weir.DeadLetter, weir.PlatformFault)
	if d := g.observe(fault(weir.PlatformFault), attempts(1)); d.Spared {
		t.Error("a repeat that time earned spends no attempt")
	}
	if d := g.observe(fault(weir.PlatformFault), attempts(5), due(g.now.Add(time.Minute))); d.Ruling != weir.DeadLetter {
		t.Errorf("with a minute to the due date: %s", governor.Explain(d))
	}
}

// A state that holds an absurd number is one whose stock is spent.
func TestAnAbsurdRetryCountIsSpent(t *testing.T) {
	g := newOrg(t)
	g.s.Retries = math.MaxInt64
	if d := g.observe(fault(weir.PlatformFault)); !d.Spared || g.s.Retries < 0 {
		t.Errorf("%d: %s", g.s.Retries, governor.Explain(d))
	}
}

// An element of a composite costs a small part of a call.
func TestElementsShareTheirRetry(t *testing.T) {
	g := newOrg(t)
	n := 0
	for ; evidence(g.observe(fault(weir.PlatformFault), cost(0), due(start.AddDate(0, 1, 0))), "retries-of-org") == ""; n++ {
	}
	if n != 20*25 {
		t.Errorf("%d elements went again at once", n)
	}
}

// A request that takes far more calls than it was expected to waits, and others do not.
func TestARequestHasARetryBudget(t *testing.T) {
	g := newOrg(t)
	g.until(g.observe(fault(weir.QueryTimeout), spent(120, 50)), 2*time.Second)
	d := g.observe(fault(weir.QueryTimeout), spent(121, 50))
	g.until(d, 75*time.Second)
	if evidence(d, "calls-of-request") != "121/120" {
		t.Errorf("evidence %v", d.Wait.Evidence)
	}
	g.until(g.observe(fault(weir.QueryTimeout), spent(10_000, 0)), 2*time.Second) // nobody knows what it takes
}

// Patience makes no dead letter: a step that is due sooner is repeated as ever, and
// it waits for no longer than the ceiling. What may have happened is read back soon.
func TestPatienceLosesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		g := &org{t: r, p: governor.DefaultPolicy(), now: start}
		g.s.Retries = rapid.Int64().Draw(r, "spent")
		o := weir.Outcome{
			Now: start, SentAt: start, Cost: rapid.IntRange(0, 2).Draw(r, "cost"), Jitter: rapid.Uint32().Draw(r, "jitter"),
			DueAt: start.Add(time.Duration(rapid.Int64Range(1, int64(10*time.Minute)).Draw(r, "due"))), Attempts: rapid.IntRange(0, 6).Draw(r, "attempts"),
			Fault: fault(weir.PlatformFault), Spent: rapid.Int64().Draw(r, "calls"), Expected: rapid.Int64().Draw(r, "expected"),
		}
		if rapid.Bool().Draw(r, "unknown") {
			o.Fault.Effect = weir.EffectUnknown
		}
		with, d := governor.Observe(g.p, g.s, o)
		o.Spent, o.Expected = 0, 0
		_, plain := governor.Observe(g.p, governor.State{}, o)
		switch {
		case d.Spared: // no attempt is spent, so that it is no letter
			if d.Ruling == weir.DeadLetter || evidence(d, "retries-of-org") == "" || !o.DueAt.IsZero() && d.Wait.Until.After(o.DueAt) {
				r.Fatalf("%s\nwithout a budget: %s", governor.Explain(d), governor.Explain(plain))
			}
		case d.Ruling != plain.Ruling || d.Wait.Until.Before(plain.Wait.Until):
			r.Fatalf("%s\nwithout a budget: %s", governor.Explain(d), governor.Explain(plain))
		}
		if d.Wait.Until.Sub(start) > max(g.p.Ceiling, plain.Wait.Until.Sub(start)) || with.Retries < 0 && g.s.Retries >= 0 {
			r.Fatalf("%s (spent %d)", governor.Explain(d), with.Retries)
		}
		soon := plain.Wait.Until
		if d.Spared { // as if it were the first attempt, however many were spent
			soon = start.Add(g.p.Settle)
		}
		if o.Fault.Effect == weir.EffectUnknown && !d.Wait.Until.Equal(soon) {
			r.Fatalf("a read-back waits: %s", governor.Explain(d))
		}
	})
}
