package governor_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

func TestRulingOfEveryCategory(t *testing.T) {
	type row struct {
		ruling weir.Ruling
		wait   time.Duration // with jitter 0; 0 = none
		last   weir.Ruling   // after the fifth failed attempt and the third conflict
		gate   bool
	}
	rows := map[weir.Category]row{
		weir.Success:             {weir.Proceed, 0, weir.Proceed, false},
		weir.PartialFailure:      {weir.Proceed, 0, weir.Proceed, false},
		weir.Gone:                {weir.Proceed, 0, weir.Proceed, false},
		weir.ThrottledDaily:      {weir.WaitUntil, 15 * time.Minute, weir.WaitUntil, true},
		weir.ThrottledConcurrent: {weir.WaitUntil, time.Second, weir.WaitUntil, true},
		weir.ThrottledBurst:      {weir.WaitUntil, 2 * time.Second, weir.WaitUntil, true},
		weir.ThrottledLogin:      {weir.WaitUntil, time.Minute, weir.WaitUntil, true},
		weir.Maintenance:         {weir.WaitUntil, time.Minute, weir.WaitUntil, true},
		weir.AuthDrift:           {weir.Reauth, 0, weir.Reauth, true},
		weir.AuthConfig:          {weir.DeadLetter, 0, weir.DeadLetter, true},
		weir.Permission:          {weir.DeadLetter, 0, weir.DeadLetter, false},
		weir.Validation:          {weir.DeadLetter, 0, weir.DeadLetter, false},
		weir.Conflict:            {weir.Reread, 0, weir.DeadLetter, false},
		weir.LockContention:      {weir.WaitUntil, 500 * time.Millisecond, weir.WaitUntil, false},
		weir.NotFound:            {weir.DeadLetter, 0, weir.DeadLetter, false},
		weir.AmbiguousMatch:      {weir.DeadLetter, 0, weir.DeadLetter, false},
		weir.CursorLost:          {weir.Restart, 0, weir.DeadLetter, false},
		weir.QueryTimeout:        {weir.WaitUntil, 2 * time.Second, weir.DeadLetter, false},
		weir.PlatformFault:       {weir.WaitUntil, 2 * time.Second, weir.DeadLetter, false},
		weir.EndpointMoved:       {weir.Reauth, 0, weir.DeadLetter, true},
		weir.Capacity:            {weir.DeadLetter, 0, weir.DeadLetter, false},
		weir.NotExecuted:         {weir.WaitUntil, 2 * time.Second, weir.WaitUntil, false},
		weir.UnknownOutcome:      {weir.Readback, 30 * time.Second, weir.DeadLetter, false},
		weir.UnknownClient:       {weir.DeadLetter, 0, weir.DeadLetter, false},
		weir.Drift:               {weir.DeadLetter, 0, weir.DeadLetter, false},
		weir.DeadlineRisk:        {weir.DeadLetter, 0, weir.DeadLetter, false},
		weir.Residue:             {weir.DeadLetter, 0, weir.DeadLetter, false},
		weir.StorageFault:        {weir.WaitUntil, 2 * time.Second, weir.DeadLetter, false},
		weir.StorageFull:         {weir.WaitUntil, 2 * time.Second, weir.WaitUntil, true},
		"novel":                  {weir.DeadLetter, 0, weir.DeadLetter, false},
	}
	for _, c := range append(weir.Categories(), "novel") {
		want, listed := rows[c]
		if !listed {
			t.Errorf("%s is not in the table", c)
			continue
		}
		t.Run(string(c), func(t *testing.T) {
			g := newOrg(t)
			d := g.observe(fault(c))
			if d.Ruling != want.ruling {
				t.Fatalf("ruled %s, want %s", d.Ruling, want.ruling)
			}
			if want.wait > 0 {
				g.until(d, want.wait)
			}
			if d.Ruling != weir.Proceed && len(d.Wait.Evidence) == 0 {
				t.Error("no evidence")
			}
			if open := g.admit().Ruling == weir.Proceed; open == want.gate {
				t.Errorf("the org is open: %v", open)
			}
			g = newOrg(t)
			d = g.observe(fault(c), attempts(5), func(o *weir.Outcome) { o.Conflicts = 3 })
			if d.Ruling != want.last {
				t.Errorf("at last ruled %s, want %s", d.Ruling, want.last)
			}
		})
	}
}

func TestBackoffGrowsWithAttempts(t *testing.T) {
	for n, want := range []time.Duration{2, 4, 8, 16, 32} {
		g := newOrg(t)
		g.until(g.observe(fault(weir.PlatformFault), attempts(n)), want*time.Second)
		g.until(g.observe(fault(weir.PlatformFault), attempts(n), jitter(1<<31)), want*time.Second+500*time.Millisecond)
	}
	g := newOrg(t)
	g.until(g.observe(fault(weir.LockContention), attempts(7)), 30*time.Second)
	g.ruling(g.observe(fault(weir.LockContention), attempts(8)), weir.DeadLetter, weir.LockContention)
}

func TestNothingIsSentBlindlyAgain(t *testing.T) {
	f := fault(weir.PlatformFault)
	f.Effect = weir.EffectUnknown
	g := newOrg(t)
	d := g.observe(f)
	g.ruling(d, weir.Readback, weir.PlatformFault)
	g.until(d, 30*time.Second)
	// A long backoff is not cut to the settle time.
	g.until(g.observe(f, attempts(4)), 32*time.Second)
	g.ruling(g.observe(f, due(g.now.Add(20*time.Second))), weir.DeadLetter, weir.DeadlineRisk)
}

func TestAWaitBeyondTheDueDateBecomesADeadLetterAtOnce(t *testing.T) {
	g := newOrg(t)
	d := g.observe(retryAfter(weir.ThrottledBurst, time.Hour), due(g.now.Add(time.Hour)))
	g.ruling(d, weir.WaitUntil, weir.ThrottledBurst)

	g = newOrg(t)
	d = g.observe(retryAfter(weir.ThrottledBurst, time.Hour), due(g.now.Add(time.Hour)), func(o *weir.Outcome) { o.Remaining = time.Second })
	g.ruling(d, weir.DeadLetter, weir.DeadlineRisk)
	g.until(d, time.Hour) // it is never sent earlier instead
	if evidence(d, "cause") != "throttled_burst" || evidence(d, "retry-after") != "1h0m0s" || evidence(d, "latest") == "" {
		t.Errorf("evidence %v", d.Wait.Evidence)
	}
	// The gate is closed all the same, and those that can wait do.
	g.ruling(g.admit(dueAsk(g.now.Add(time.Minute))), weir.DeadLetter, weir.DeadlineRisk)
	g.ruling(g.admit(dueAsk(g.now.Add(2*time.Hour))), weir.WaitUntil, weir.ThrottledBurst)
}

func TestOnlyWideFaultsCloseTheGate(t *testing.T) {
	g := newOrg(t)
	f := retryAfter(weir.PlatformFault, time.Minute)
	d := g.observe(f)
	g.until(d, time.Minute)
	g.ruling(g.admit(), weir.Proceed, "")
	f.Scope = weir.ScopeOrg
	g.observe(f)
	g.ruling(g.admit(), weir.WaitUntil, weir.PlatformFault)
}

func TestBurstGate(t *testing.T) {
	g := newOrg(t)
	d := g.observe(fault(weir.ThrottledBurst), jitter(1<<30))
	g.until(d, 2250*time.Millisecond)
	// Its fellows that were under way are the same event: no further strike.
	g.until(g.observe(fault(weir.ThrottledBurst), jitter(1<<31)), 2250*time.Millisecond)
	if v := governor.Look(g.p, g.s, g.now); v.Strikes != 1 || v.Width != 1 || v.GateCause != weir.ThrottledBurst {
		t.Errorf("view %+v", v)
	}
	// Every worker waits for the gate; then one probe goes, and no second one.
	g.until(g.admit(), 2250*time.Millisecond)
	g.wait(2250 * time.Millisecond)
	g.ruling(g.admit(), weir.Proceed, "")
	g.ruling(g.admit(), weir.WaitUntil, weir.ThrottledBurst)
	// Refused: doubled. Retry-After wins when it is longer, and only then.
	g.wait(time.Second)
	g.until(g.observe(retryAfter(weir.ThrottledBurst, time.Second)), 4*time.Second)
	g.wait(5 * time.Second)
	g.ruling(g.admit(), weir.Proceed, "")
	g.wait(time.Second)
	g.until(g.observe(retryAfter(weir.ThrottledBurst, time.Hour)), time.Hour)
	g.wait(time.Hour)
	g.ruling(g.admit(), weir.Proceed, "")
	g.wait(time.Second).observe(nil)
	if v := governor.Look(g.p, g.s, g.now); v.Strikes != 1 {
		t.Errorf("strikes %d: they are halved by a success, so that workers come back in steps", v.Strikes)
	}
	g.ruling(g.admit(), weir.Proceed, "")
	g.wait(time.Second).observe(nil)
	if v := governor.Look(g.p, g.s, g.now); v.Width != g.p.Slots {
		t.Errorf("width %d", v.Width)
	}
}

func TestRetryAfterAsAReading(t *testing.T) {
	g := newOrg(t)
	d := g.observe(fault(weir.ThrottledBurst), reading(weir.Reading{Kind: weir.ReadRetryAfter, Used: 90}))
	g.until(d, 90*time.Second)
}

func TestHistoryReplacesRetryAfter(t *testing.T) {
	g := newOrg(t)
	for range 3 { // bursts that last for two minutes
		g.observe(retryAfter(weir.ThrottledBurst, 2*time.Minute))
		g.wait(2 * time.Minute)
		g.admit()
		g.wait(100 * time.Millisecond).observe(nil)
		g.wait(time.Hour)
	}
	d := g.observe(fault(weir.ThrottledBurst))
	if wait := d.Wait.Until.Sub(g.now); wait != 105*time.Second { // an eighth less: records must be able to shrink
		t.Errorf("waits %v: %s", wait, governor.Explain(d))
	}
}

func TestRemainingOfAGateway(t *testing.T) {
	left := func(n int64) func(*weir.Outcome) { return reading(weir.Reading{Kind: weir.ReadRemaining, Used: n}) }
	g := newOrg(t)
	g.observe(nil, left(100))
	g.ruling(g.admit(), weir.Proceed, "")
	g.ruling(g.admit(), weir.Proceed, "")
	g.wait(time.Second).observe(nil, left(4)) // few are left: slower, and narrower
	if w := governor.Width(g.p, g.s); w != 4 {
		t.Errorf("width %d", w)
	}
	g.ruling(g.admit(), weir.Proceed, "")
	d := g.admit()
	g.ruling(d, weir.WaitUntil, weir.ThrottledBurst)
	g.until(d, 500*time.Millisecond)
	g.wait(time.Second).observe(nil, left(0)) // none: closed before the first reject
	d = g.admit()
	g.ruling(d, weir.WaitUntil, weir.ThrottledBurst)
	g.until(d, 2*time.Second)
	if evidence(d, "remaining") != "0" {
		t.Errorf("evidence %v", d.Wait.Evidence)
	}
	g.wait(2 * time.Second)
	g.ruling(g.admit(), weir.Proceed, "")
}

func TestConcurrency(t *testing.T) {
	g := newOrg(t)
	d := g.observe(fault(weir.ThrottledConcurrent), inFlight(5))
	g.until(d, time.Second)
	if w := governor.Width(g.p, g.s); w != 5 {
		t.Errorf("width %d, want what the org accepted", w)
	}
	g.observe(fault(weir.ThrottledConcurrent), inFlight(3)) // one that looked accepted was not
	if w := governor.Width(g.p, g.s); w != 3 {
		t.Errorf("width %d", w)
	}
	g.wait(2 * time.Second)
	g.ruling(g.admit(asking(3)), weir.WaitUntil, weir.ThrottledConcurrent)
	g.ruling(g.admit(asking(2)), weir.Proceed, "")
	g.wait(58*time.Second - 1).admit()
	if w := governor.Width(g.p, g.s); w != 3 {
		t.Errorf("width %d before a clean minute", w)
	}
	g.wait(1).admit()
	if w := governor.Width(g.p, g.s); w != 4 {
		t.Errorf("width %d after a clean minute", w)
	}
	g.wait(time.Hour).admit()
	if v := governor.Look(g.p, g.s, g.now); v.Width != 8 || v.Cap != 0 {
		t.Errorf("view %+v", v)
	}
	// Alone and refused: others hold all slots. Waits double, capped at a minute.
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		g.until(g.observe(fault(weir.ThrottledConcurrent)), want*time.Second)
		g.wait(want*time.Second + time.Second)
	}
}

func TestLongCallsHaveTheirOwnCap(t *testing.T) {
	g := newOrg(t)
	g.observe(nil, sent(g.now.Add(-25*time.Second)))
	long := func(n int) func(*weir.Ask) { return func(a *weir.Ask) { a.InFlight, a.Long = 6, n } }
	g.s.Own.Made = 10
	g.ruling(g.admit(long(g.p.LongCap-1)), weir.Proceed, "")
	g.ruling(g.admit(long(g.p.LongCap)), weir.WaitUntil, weir.ThrottledConcurrent)
	if !governor.Look(g.p, g.s, g.now).LongCalls {
		t.Error("people are not told that calls run long")
	}
	g.observe(nil, inFlight(2), reading(weir.Reading{Kind: weir.ReadConcurrent, Used: 25, Limit: 25}))
	if w := governor.Width(g.p, g.s); w != 2 {
		t.Errorf("width %d when the gateway is full", w)
	}
}

// TestProbeOfADeadNode: a probe whose claim was adopted has no outcome to come,
// and must not hold the org back for the whole lease.
func TestProbeOfADeadNode(t *testing.T) {
	open := func(a *weir.Ask) { a.InFlight = 1 }
	g := newOrg(t)
	d := g.observe(fault(weir.ThrottledBurst))
	g.now = d.Wait.Until
	g.ruling(g.admit(), weir.Proceed, "") // the probe, whose node now dies
	g.wait(3*time.Second).ruling(g.admit(open), weir.WaitUntil, weir.ThrottledBurst)
	g.ruling(g.admit(), weir.Proceed, "") // adopted: nothing is open any more
	g.ruling(g.admit(), weir.WaitUntil, weir.ThrottledBurst)
}
