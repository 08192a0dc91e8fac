package governor_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// learnt is an org whose rate of ten calls a second is known.
func learnt(t *testing.T) (*org, *bucket) {
	t.Helper()
	b := &bucket{holds: 5, level: 5, gap: 100 * time.Millisecond, filled: start}
	g := newOrg(t)
	g.work(b, start.Add(5*time.Minute))
	for g.admit().Ruling != weir.Proceed { // at the end the last answer may have asked to wait
		g.wait(10 * time.Millisecond)
	}
	return g, b
}

// shutFor lets the org refuse the call that was just admitted and say for how long.
func (g *org) shutFor(d time.Duration) {
	f := fault(weir.ThrottledBurst)
	f.RetryAfter = d
	g.observe(f)
}

// A gateway that restarts says nothing about the rate: what was learnt goes on
// when the org is open again, and at once.
func TestAShutOrgKeepsItsPace(t *testing.T) {
	g, b := learnt(t)
	was := g.s.Rate
	g.wait(100 * time.Millisecond).shutFor(20 * time.Second)
	if now := g.s.Rate; now.Pace != was.Pace || now.Low != was.Low || now.High != was.High {
		t.Errorf("the rate was %+v and is %+v", was, now)
	}
	g.until(g.admit(), 20*time.Second)

	b.level, b.filled = 1, g.now.Add(20*time.Second)
	taken, refused := g.work(b, g.now.Add(30*time.Second))
	if taken < 90 || refused > 2 {
		t.Errorf("in the ten seconds after: %d taken, %d refused, at ten a second", taken, refused)
	}
}

// An announced wait is believed once. When the org is still shut after it, one
// call at a time asks.
func TestAnOrgThatStaysShutIsProbed(t *testing.T) {
	g, _ := learnt(t)
	g.wait(100 * time.Millisecond).shutFor(20 * time.Second)
	g.wait(20 * time.Second)
	g.ruling(g.admit(), weir.Proceed, "")
	g.ruling(g.wait(time.Second).admit(asking(1)), weir.Proceed, "")

	g.wait(100 * time.Millisecond).shutFor(20 * time.Second)
	g.wait(20 * time.Second)
	g.ruling(g.admit(), weir.Proceed, "")
	g.ruling(g.wait(time.Second).admit(asking(1)), weir.WaitUntil, weir.ThrottledBurst)
}

// The first reject after it says that the bucket is empty, and how fast it is
// refilled is not to be read from the time in which the org was shut.
func TestTheFirstRejectAfterAShutdownBoundsNothing(t *testing.T) {
	g, _ := learnt(t)
	was := g.s.Rate
	g.wait(100 * time.Millisecond).shutFor(20 * time.Second)
	g.wait(20 * time.Second)
	g.ruling(g.admit(), weir.Proceed, "")
	g.wait(100 * time.Millisecond).observe(fault(weir.ThrottledBurst))
	if now := g.s.Rate; now.Pace != was.Pace || now.Low != was.Low {
		t.Errorf("the rate was %+v and is %+v", was, now)
	}
}

// Of an org that never refused a call before, what it took is known.
func TestAnOrgThatIsShutBeforeItsRateIsKnown(t *testing.T) {
	g := newOrg(t)
	g.p = governor.DefaultPolicy()
	b := &bucket{holds: 1000, level: 1000, gap: time.Millisecond, filled: start}
	g.work(b, start.Add(20*time.Second))
	g.ruling(g.admit(), weir.Proceed, "")
	g.wait(100 * time.Millisecond).shutFor(30 * time.Second)
	g.wait(30 * time.Second)
	if taken, refused := g.work(b, g.now.Add(10*time.Second)); taken < 500 || refused > 0 {
		t.Errorf("%d taken and %d refused in ten seconds, at a hundred a second before", taken, refused)
	}
}
