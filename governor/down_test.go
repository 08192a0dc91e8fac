package governor_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

func tried(n int) func(*weir.Outcome) { return func(o *weir.Outcome) { o.Attempts = n } }

// A platform that fails whatever is asked costs a call now and then, and not
// every step its attempts.
func TestAnOrgThatIsDown(t *testing.T) {
	for _, c := range []weir.Category{weir.PlatformFault, weir.UnknownOutcome} {
		g := newOrg(t)
		for range 7 {
			g.observe(fault(c))
			g.ruling(g.wait(time.Second).admit(), weir.Proceed, "")
		}
		g.observe(fault(c))
		d := g.admit()
		g.ruling(d, weir.WaitUntil, weir.PlatformFault)
		if evidence(d, "failed-in-a-row") != "8" {
			t.Errorf("evidence %v", d.Wait.Evidence)
		}
		calls := 0
		for end := g.now.Add(6 * time.Hour); g.now.Before(end); {
			if d := g.admit(); d.Ruling == weir.WaitUntil {
				g.now = d.Wait.Until
				continue
			}
			calls++
			g.wait(100*time.Millisecond).observe(fault(c), tried(calls%6))
		}
		if calls < 60 || calls > 100 { // 300 s apart in the end
			t.Errorf("%d calls in six hours of an outage", calls)
		}
		for d := g.admit(); d.Ruling == weir.WaitUntil; d = g.admit() {
			g.now = d.Wait.Until
		}
		for range 8 { // answers, if no good ones: one at a time, until all may send
			g.wait(time.Second).observe(fault(weir.Validation))
			g.ruling(g.admit(), weir.Proceed, "")
		}
		g.wait(time.Second).observe(fault(c))
		g.ruling(g.admit(), weir.Proceed, "")
		if governor.Look(g.p, g.s, g.now).GateCause != "" {
			t.Error("the breaker is open again at the first failure")
		}
	}
}

// A step that always fails, while nothing else is asked, does not stop the others, however often it is tried,
// and neither does the failing element of a composite that was taken.
func TestOneStepThatFailsIsNoOutage(t *testing.T) {
	g := newOrg(t)
	for n := range 6 {
		g.observe(fault(weir.PlatformFault), tried(n))
		g.observe(fault(weir.PlatformFault), due(g.now.Add(time.Hour)), func(o *weir.Outcome) { o.Cost = 0 })
		g.ruling(g.wait(time.Second).admit(), weir.Proceed, "")
	}
	for range 20 { // others that fail, with answers between
		g.observe(fault(weir.PlatformFault))
		g.observe(nil)
		g.ruling(g.wait(time.Second).admit(), weir.Proceed, "")
	}
}
