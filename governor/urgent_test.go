package governor_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// TestUrgentWorkAgainstAnyOrg: whatever the share, the swell and the past are, no
// urgent call is let go that would leave less than the floor of the newest
// reading; and it never waits where, or for longer than, other work does.
func TestUrgentWorkAgainstAnyOrg(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &org{t: t, p: governor.DefaultPolicy(), now: start}
		g.p.Share, g.p.Swell = rapid.IntRange(1, 1000).Draw(t, "share"), rapid.IntRange(0, 1000).Draw(t, "swell")
		g.p.FloorCalls, g.p.FloorShare = rapid.Int64Range(0, 3000).Draw(t, "floor"), rapid.IntRange(0, 500).Draw(t, "floor share")
		limit := rapid.Int64Range(1, 20_000).Draw(t, "limit")
		floor := max(g.p.FloorCalls, limit*int64(g.p.FloorShare)/1000)
		for range rapid.IntRange(1, 20).Draw(t, "events") {
			g.wait(time.Duration(rapid.Int64Range(int64(time.Second), int64(5*time.Hour)).Draw(t, "passes")))
			used := rapid.Int64Range(0, limit+10).Draw(t, "used")
			g.observe(nil, cost(rapid.IntRange(0, 50).Draw(t, "made")), daily(used, limit))
			n := rapid.IntRange(1, 100).Draw(t, "asked")
			ask := weir.Ask{Now: g.now, Cost: n}
			_, other := governor.Admit(g.p, g.s, ask)
			ask.Urgent = true
			_, rush := governor.Admit(g.p, g.s, ask)
			if rush.Ruling == weir.Proceed && used+int64(n) > limit-floor {
				t.Fatalf("%d urgent calls go at %d of %d, with a floor of %d", n, used, limit, floor)
			}
			if rush.Ruling == weir.WaitUntil && (other.Ruling == weir.Proceed || rush.Wait.Until.After(other.Wait.Until)) {
				t.Fatalf("urgent: %s\nother: %s", governor.Explain(rush), governor.Explain(other))
			}
			// The two differ only where an org counts fewer calls than we made.
			_, same := governor.Admit(g.p.Urgent(), g.s, weir.Ask{Now: g.now, Cost: n})
			if same.Ruling != rush.Ruling && g.s.Daily.Used > g.s.Own.Made {
				t.Fatalf("an urgent ask: %s\nthe policy for it: %s", governor.Explain(rush), governor.Explain(same))
			}
		}
	})
}

// What the schedule may count on for urgent work, and which letters may go.
func TestThePolicyOfUrgentWork(t *testing.T) {
	g := newOrg(t)
	g.observe(nil, cost(6000), daily(8000, 15_000)) // the share is used up, and 2000 are the neighbours'
	g.s.Widest, g.s.Took = 1, 1000
	sum := func(p governor.Policy) (all int64) {
		for _, n := range governor.Capacity(p, g.s, g.now, 12, nil) {
			all += n
		}
		return all
	}
	if none, rest := sum(g.p), sum(g.p.Urgent()); none != 0 || rest != 5000 {
		t.Errorf("within the share %d calls, urgent ones %d; want 0 and what lies above the floor, 5000", none, rest)
	}
	if governor.Cleared(g.p, g.s, weir.ReleaseByAllocation, g.now) || !governor.Cleared(g.p.Urgent(), g.s, weir.ReleaseByAllocation, g.now) {
		t.Error("letters of urgent work, and only those, may go where the share is used up")
	}
	g.observe(nil, cost(0), daily(13_000, 15_000))
	if sum(g.p.Urgent()) != 0 || governor.Cleared(g.p.Urgent(), g.s, weir.ReleaseByAllocation, g.now) {
		t.Error("urgent work counts on calls below the floor")
	}
	if err := g.p.Urgent().Validate(); err != nil {
		t.Error(err)
	}
}
