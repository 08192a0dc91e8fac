package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// Credential is what is known about our credentials at the org. A token that
// is refused is renewed once; when that does not help, the breaker opens: one
// step becomes the dead letter that a person sees, and all others wait at the
// gate while cheap probes ask whether the org accepts us again.
type Credential struct {
	Failures  int   `json:"failures,omitempty"`   // refused since a call was last accepted
	RenewAt   int64 `json:"renew_at,omitempty"`   // a renewal was asked for and has not answered
	RenewedAt int64 `json:"renewed_at,omitempty"` // the org last gave out a token
	OpenAt    int64 `json:"open_at,omitempty"`    // the breaker is open since
	NextAt    int64 `json:"next_at,omitempty"`    // the next probe
	Probes    int   `json:"probes,omitempty"`     // refused probes; survives a token that is then refused
	Told      bool  `json:"told,omitempty"`       // a dead letter tells a person
}

// renewLease is how long a renewal may be under way; its node may have died.
const renewLease = int64(30 * time.Second)

func (c Credential) renewing(now int64) bool {
	return c.RenewAt > 0 && now-c.RenewAt < renewLease
}

// closed says whether the breaker lets nobody through.
func (c Credential) closed(now int64) (int64, bool) {
	return c.NextAt, c.OpenAt > 0 && now < c.NextAt
}

func (c Credential) evidence() []weir.Evidence {
	return []weir.Evidence{number("refused", int64(c.Failures)), number("probes", int64(c.Probes)), at("since", c.OpenAt)}
}

// authenticated records that our credentials were accepted: by a token alone,
// or by a call. A token proves less, because an org may give out tokens that
// it then refuses; the next refusal opens the breaker again at once.
func (s *State) authenticated(x event) {
	switch c := s.Auth; {
	case !x.ofStep:
		s.Auth = Credential{Failures: c.Failures, Probes: c.Probes, RenewedAt: x.now}
		if c.OpenAt > 0 {
			s.Auth.Failures = 1
		}
	case x.cost > 0 && x.sent > max(c.OpenAt, c.RenewAt):
		s.Auth = Credential{RenewedAt: c.RenewedAt}
	}
}

// refused handles a token or credentials that the org did not accept.
func (s *State) refused(p Policy, x event) weir.Decision {
	c := s.Auth
	drift := x.fault.Category == weir.AuthDrift
	switch {
	case drift && x.ofStep && c.OpenAt == 0 && (x.sent < c.RenewedAt || c.RenewAt > 0 && x.sent <= c.RenewAt || c.renewing(x.now)):
		// The call went out with the token that has been replaced, or is to be:
		// while a renewal is under way nothing is admitted.
		wait := max(scatter(x.jitter), time.Millisecond)
		if c.renewing(x.now) {
			wait = Backoff(p, 0, x.jitter)
		}
		return park(x.due, after(x.now, wait), weir.AuthDrift, []weir.Evidence{span("backoff", wait)})
	case drift && x.ofStep && c.OpenAt == 0 && c.Failures == 0:
		s.Auth.Failures, s.Auth.RenewAt = 1, x.now
		return renewal(x, 1)
	case c.OpenAt == 0:
		s.Auth.OpenAt, s.Auth.RenewAt, s.Auth.Told = x.now, 0, false
	case x.sent <= c.OpenAt:
		return s.tell(x) // the same event: the breaker opened while the call was under way
	}
	s.Auth.Failures = min(s.Auth.Failures+1, maxStrikes)
	s.Auth.NextAt = after(x.now, max(Backoff(p, s.Auth.Probes, x.jitter), x.retryAfter()))
	s.Auth.Probes = min(s.Auth.Probes+1, maxStrikes)
	s.Auth.RenewAt = 0
	if drift && x.ofStep && s.Auth.Told {
		s.Auth.RenewAt = x.now // the probe was sent with the old token: ask for a new one
		return renewal(x, s.Auth.Failures)
	}
	return s.tell(x)
}

// tell makes the first step that reports the breaker the dead letter that a
// person sees. Everybody else waits for the next probe.
func (s *State) tell(x event) weir.Decision {
	if x.ofStep && !s.Auth.Told {
		s.Auth.Told = true
		return weir.Decision{Ruling: weir.DeadLetter, Wait: weir.Wait{
			Cause: weir.AuthConfig, Evidence: append(s.Auth.evidence(), x.facts()...),
		}}
	}
	return park(x.due, max(s.Auth.NextAt, after(x.now, time.Millisecond)), weir.AuthConfig, s.Auth.evidence())
}

func renewal(x event, failures int) weir.Decision {
	return weir.Decision{Ruling: weir.Reauth, Wait: weir.Wait{
		Until: moment(x.now), Cause: weir.AuthDrift, Evidence: append([]weir.Evidence{number("refused", int64(failures))}, x.facts()...),
	}}
}

// moved handles an org that lives elsewhere now: the token endpoint says where,
// so that the token is renewed, once for all calls of the moment.
func (s *State) moved(p Policy, x event) weir.Decision {
	if !x.ofStep || x.attempts > 0 || x.fault.Effect == weir.EffectUnknown || x.sent < s.Auth.RenewedAt || s.Auth.renewing(x.now) {
		s.stumbled(p, x)
		return x.again(p, p.Base, p.Ceiling, p.Retries)
	}
	s.Auth.RenewAt = x.now
	d := renewal(x, 0)
	d.Wait.Cause = weir.EndpointMoved
	return d
}

// stumbled is for faults that leave open whether the org took the call. Of a
// step they close no gate, unless they concern the whole org and ask to wait, or
// nothing else comes back.
// When a renewal of the token met one, nothing is known about the credentials:
// the gate closes for a moment and the next refused call asks again.
func (s *State) stumbled(p Policy, x event) {
	if x.ofStep {
		ra := x.retryAfter()
		if wide := x.fault.Scope == weir.ScopeOrg || x.fault.Scope == weir.ScopeUser; ra > 0 && wide {
			s.closeGate(x.now, after(x.now, ra), x.fault.Category, []weir.Evidence{span("retry-after", ra)})
		}
		if x.failsWholly() {
			s.down(p, x)
		}
		return
	}
	s.Auth.RenewAt = 0
	if s.Auth.OpenAt > 0 {
		s.Auth.NextAt = after(x.now, Backoff(p, s.Auth.Probes, x.jitter))
		s.Auth.Probes = min(s.Auth.Probes+1, maxStrikes)
		return
	}
	s.Auth.Failures = 0
	s.strike(p, x, p.Base, x.fault.Category)
}
