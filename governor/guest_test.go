package governor_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// TestAGuestsCredentialsAreItsOwn: they neither close nor open our breaker, and
// ours does not hold the guest back.
func TestAGuestsCredentialsAreItsOwn(t *testing.T) {
	g := newOrg(t)
	outcome := func(f *weir.Fault) weir.Outcome {
		return weir.Outcome{Now: g.now, SentAt: g.now.Add(-time.Second), Cost: 1, DueAt: g.now.Add(time.Hour), Fault: f}
	}
	for range 3 {
		g.s, _ = governor.ObserveGuest(g.p, g.s, outcome(fault(weir.AuthDrift)))
	}
	g.ruling(g.admit(), weir.Proceed, "")
	if g.s.Auth != (governor.Credential{}) || governor.Look(g.p, g.s, g.now).Own24h != 3 {
		t.Errorf("a guest's token touched ours: %+v", g.s.Auth)
	}
	g.observe(fault(weir.AuthDrift))
	g.observe(fault(weir.AuthConfig))
	if !governor.Look(g.p, g.s, g.now).Breaker {
		t.Fatal("our breaker is not open")
	}
	ours := g.s.Auth
	next, d := governor.AdmitGuest(g.p, g.s, weir.Ask{Now: g.now, Cost: 1})
	if d.Ruling != weir.Proceed {
		t.Errorf("our breaker holds a guest back: %s", governor.Explain(d))
	}
	next, _ = governor.ObserveGuest(g.p, next, outcome(nil))
	if next.Auth != ours {
		t.Error("a guest's success closed our breaker")
	}
}

// TestAGuestClosesTheGateForAll and spends the same allocation.
func TestAGuestClosesTheGateForAll(t *testing.T) {
	g := newOrg(t)
	o := weir.Outcome{Now: g.now, SentAt: g.now.Add(-time.Second), Cost: 1, Fault: retryAfter(weir.ThrottledBurst, time.Hour)}
	g.s, _ = governor.ObserveGuest(g.p, g.s, o)
	d := g.admit()
	g.ruling(d, weir.WaitUntil, weir.ThrottledBurst)
	g.until(d, time.Hour)
	_, guest := governor.AdmitGuest(g.p, g.s, weir.Ask{Now: g.now, Cost: 1})
	g.until(guest, time.Hour)
}
