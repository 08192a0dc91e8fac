package governor_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

func TestAnExpiredTokenIsRenewedOnce(t *testing.T) {
	g := newOrg(t)
	g.ruling(g.observe(fault(weir.AuthDrift)), weir.Reauth, weir.AuthDrift)
	// While it is being renewed nobody sends; the fellows wait and renew nothing.
	g.ruling(g.observe(fault(weir.AuthDrift)), weir.WaitUntil, weir.AuthDrift)
	g.ruling(g.admit(), weir.WaitUntil, weir.AuthDrift)
	old := g.now
	g.wait(200*time.Millisecond).observe(nil, token)
	g.ruling(g.admit(), weir.Proceed, "")
	// A straggler that was sent with the old token says nothing about the new one.
	d := g.wait(time.Millisecond).observe(fault(weir.AuthDrift), sent(old), jitter(1<<31))
	g.ruling(d, weir.WaitUntil, weir.AuthDrift)
	g.until(d, 500*time.Millisecond)
	// The next expiry, two hours later, is a new story.
	g.wait(time.Second).observe(nil)
	g.ruling(g.wait(2*time.Hour).observe(fault(weir.AuthDrift)), weir.Reauth, weir.AuthDrift)
}

func TestALostRenewalIsNotWaitedForForEver(t *testing.T) {
	g := newOrg(t)
	g.observe(fault(weir.AuthDrift)) // and the node dies
	g.ruling(g.wait(31*time.Second).admit(), weir.Proceed, "")
}

// revoked runs steps against an org that refuses credentials until `back`.
func revoked(t *testing.T, steps int, drift bool, back time.Duration) (calls, tokens, letters int, g *org) {
	t.Helper()
	g = newOrg(t)
	end := g.now.Add(back)
	left := steps
	for left > 0 && g.now.Before(end.Add(time.Hour)) {
		d := g.admit(dueAsk(g.now.Add(30 * 24 * time.Hour)))
		if d.Ruling != weir.Proceed {
			g.now = d.Wait.Until
			continue
		}
		g.wait(100 * time.Millisecond)
		calls++
		if !g.now.Before(end) {
			g.observe(nil, due(g.now.Add(30*24*time.Hour)))
			left--
			continue
		}
		c := weir.AuthConfig
		if drift {
			c = weir.AuthDrift
		}
		switch d := g.observe(fault(c), due(g.now.Add(30*24*time.Hour))); d.Ruling {
		case weir.Reauth:
			tokens++
			g.wait(100 * time.Millisecond)
			g.observe(fault(weir.AuthConfig), token)
		case weir.DeadLetter:
			letters++
			left--
		case weir.WaitUntil:
		default:
			t.Fatalf("ruled %s", d.Ruling)
		}
	}
	if left > 0 {
		t.Errorf("%d steps are left", left)
	}
	return calls - steps, tokens, letters, g
}

func TestThousandsOfStepsMeetARevokedToken(t *testing.T) {
	for _, drift := range []bool{true, false} {
		wasted, tokens, letters, g := revoked(t, 5000, drift, time.Hour)
		// Probes at 2, 4, 8 … 300 s: about twenty within an hour.
		if letters != 1 || wasted > 24 || tokens > 24 {
			t.Errorf("drift %v: %d wasted calls, %d token calls, %d dead letters", drift, wasted, tokens, letters)
		}
		if !governor.Cleared(g.p, g.s, weir.ReleaseByAuth, g.now) {
			t.Error("the letter does not go although calls are accepted")
		}
	}
}

func TestBreaker(t *testing.T) {
	g := newOrg(t)
	g.observe(fault(weir.AuthDrift))
	g.wait(time.Second).observe(fault(weir.AuthConfig), token)
	v := governor.Look(g.p, g.s, g.now)
	if !v.Breaker || v.GateCause != weir.AuthConfig || !v.ProbeAt.Equal(g.now.Add(2*time.Second)) {
		t.Errorf("view %+v", v)
	}
	if governor.Cleared(g.p, g.s, weir.ReleaseByAuth, g.now) {
		t.Error("cleared while the breaker is open")
	}
	// The first step that reports it is the letter; those under way wait.
	d := g.observe(fault(weir.AuthDrift), sent(g.now.Add(-2*time.Second)), due(g.now.Add(time.Hour)))
	g.ruling(d, weir.DeadLetter, weir.AuthConfig)
	d = g.observe(fault(weir.AuthDrift), sent(g.now.Add(-2*time.Second)), due(g.now.Add(time.Hour)))
	g.ruling(d, weir.WaitUntil, weir.AuthConfig)
	// Those that would be late reach a person instead of waiting.
	g.ruling(g.admit(dueAsk(g.now.Add(time.Second))), weir.DeadLetter, weir.DeadlineRisk)

	// A new secret: the token is accepted, the letter may go, all may send.
	g.wait(time.Second).observe(nil, token)
	if !governor.Cleared(g.p, g.s, weir.ReleaseByAuth, g.now) {
		t.Error("not cleared by an accepted token")
	}
	g.ruling(g.admit(), weir.Proceed, "")
	// But the org refuses that token too: open again at once, and a longer wait.
	d = g.wait(time.Second).observe(fault(weir.AuthDrift), due(g.now.Add(time.Hour)))
	g.ruling(d, weir.DeadLetter, weir.AuthConfig)
	if v := governor.Look(g.p, g.s, g.now); !v.ProbeAt.Equal(g.now.Add(4 * time.Second)) {
		t.Errorf("next probe at %v", v.ProbeAt.Sub(g.now))
	}
	g.wait(4 * time.Second)
	g.ruling(g.admit(), weir.Proceed, "")
	g.wait(time.Second).observe(nil)
	if v := governor.Look(g.p, g.s, g.now); v.Breaker {
		t.Error("an accepted call leaves the breaker open")
	}
}

func TestATokenServerThatIsDown(t *testing.T) {
	g := newOrg(t)
	g.observe(fault(weir.AuthDrift))
	g.wait(time.Second).observe(fault(weir.PlatformFault), token)
	if v := governor.Look(g.p, g.s, g.now); v.Breaker {
		t.Error("an outage is taken for refused credentials")
	}
	d := g.admit()
	g.ruling(d, weir.WaitUntil, weir.PlatformFault)
	g.now = d.Wait.Until
	g.ruling(g.admit(), weir.Proceed, "")
	g.ruling(g.wait(time.Second).observe(fault(weir.AuthDrift)), weir.Reauth, weir.AuthDrift)
}

func TestAMovedOrgAsksForItsAddressOnce(t *testing.T) {
	g := newOrg(t)
	g.ruling(g.observe(fault(weir.EndpointMoved)), weir.Reauth, weir.EndpointMoved)
	g.ruling(g.observe(fault(weir.EndpointMoved)), weir.WaitUntil, weir.EndpointMoved)
	g.wait(time.Second).observe(nil, token)
	g.ruling(g.observe(fault(weir.EndpointMoved), attempts(1)), weir.WaitUntil, weir.EndpointMoved)
}
