package governor_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

func TestExplain(t *testing.T) {
	g := newOrg(t)
	g.observe(nil, daily(14_100, 15_000))
	for _, c := range []struct {
		d    weir.Decision
		want string
	}{
		{
			g.observe(retryAfter(weir.ThrottledBurst, 2*time.Minute)),
			"It waits until 2026-11-23 12:02:00 UTC because the org takes no more calls for the moment (base 2s, strikes 0, backoff 2s, retry-after 2m0s).",
		},
		{
			newOrg(t).observe(fault(weir.Validation)),
			"A person must decide because the org refuses the change as it is (status 400).",
		},
		{
			newOrg(t).observe(fault(weir.UnknownOutcome)),
			"It waits until 2026-11-23 12:00:30 UTC and then reads back what the org has, before anything is sent again because no answer came, so that it may or may not have happened (settle 30s, attempts 1/5, backoff 2s).",
		},
		{
			newOrg(t).observe(fault(weir.ThrottledDaily), due(start)),
			"A person must decide; it could not go on before 2026-11-23 12:15:00 UTC because the wait would end after the due date (cause throttled_daily, latest 2026-11-23T12:00:00Z, refused 1).",
		},
		{newOrg(t).observe(nil), "It goes on now: nothing stands against it."},
		{weir.Decision{Ruling: "novel"}, `The ruling "novel" is not known.`},
	} {
		if got := governor.Explain(c.d); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	for _, c := range weir.Categories() {
		s := governor.Explain(weir.Decision{Ruling: weir.DeadLetter, Wait: weir.Wait{Cause: c}})
		if strings.Contains(s, string(c)) && strings.Contains(s, "because of") {
			t.Errorf("%s has no words: %s", c, s)
		}
	}
}

func TestClearedNeedsAnAnswerOfTheOrg(t *testing.T) {
	g := newOrg(t)
	if governor.Cleared(g.p, g.s, weir.ReleaseByPerson, g.now) {
		t.Error("a person's letter goes by itself")
	}
	g.observe(retryAfter(weir.ThrottledBurst, time.Hour))
	g.wait(2 * time.Hour)
	if governor.Cleared(g.p, g.s, weir.ReleaseByAllocation, g.now) {
		t.Error("released by a timer")
	}
	g.ruling(g.admit(), weir.Proceed, "")
	g.wait(time.Second).observe(nil, daily(14_000, 15_000))
	if governor.Cleared(g.p, g.s, weir.ReleaseByAllocation, g.now) {
		t.Error("released although the allocation is below the floor")
	}
	g.wait(time.Minute).observe(nil, daily(9_000, 15_000))
	if !governor.Cleared(g.p, g.s, weir.ReleaseByAllocation, g.now) {
		t.Error("not released although the org takes calls and has room")
	}
}

// What goes by itself must not die of the same state at once, however late it
// is: letter and release would chase each other.
func TestClearedIsNotDoomed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now := governor.DefaultPolicy(), start
		var s governor.State
		for range rapid.IntRange(1, 20).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(40*time.Minute)).Draw(t, "passes")))
			if rapid.Bool().Draw(t, "ask") {
				s, _ = governor.Admit(p, s, drawAsk(t, now))
			} else {
				s, _ = governor.Observe(p, s, drawOutcome(t, now, false))
			}
			if !governor.Cleared(p, s, weir.ReleaseByAllocation, now) {
				continue
			}
			if _, d := governor.Admit(p, s, weir.Ask{Now: now, Cost: 1, DueAt: now.Add(-time.Hour)}); d.Ruling == weir.DeadLetter {
				t.Fatalf("cleared and doomed: %s", governor.Explain(d))
			}
		}
	})
}
