package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// slowBase is the first wait after a concurrency reject (wire reference,
// section 3.3): calls end within seconds, so it is short.
const slowBase = time.Second

// Width is how many calls of the org may be in flight now, on all nodes
// together. While the org rejects, one probe at a time finds out whether it
// still does. Those that are open for 20 s have a cap of their own, see Long.
func Width(p Policy, s State) int { return s.width(p) }

func (s *State) width(p Policy) int {
	w := p.Slots
	if s.Cap > 0 {
		w = min(w, s.Cap)
	}
	if s.Left.At > 0 {
		w = int(min(int64(w), s.Left.Calls))
	}
	if s.probing() {
		w = 1
	}
	return max(w, 1)
}

// probing says whether the next call finds out if the org takes calls again.
func (s *State) probing() bool { return s.Strikes > 0 || s.BlockedAt > 0 || s.Auth.OpenAt > 0 }

// afterCrowd says whether calls have waited because too many were open. All would
// go at the same moment: one goes first, so that a refusal costs one call.
func (s *State) afterCrowd() bool { return s.CapStrikes > 0 || s.Long.Held }

// crowded handles a reject because too many calls are open. While long calls of
// ours are, those are too many; otherwise the cap becomes what the org did accept.
func (s *State) crowded(p Policy, x event) {
	crowded := s.crowdedByAll
	if x.long > 0 {
		crowded = s.crowdedByLong
	}
	evidence := crowded(p, x)
	wait := backoff(slowBase, p.SlowCap, s.CapStrikes, x.jitter)
	wait = min(wait, max(p.Ceiling, 0))
	evidence = append(evidence, span("backoff", wait))
	if ra := x.retryAfter(); ra > 0 {
		wait = max(wait, ra)
		evidence = append(evidence, span("retry-after", ra))
	}
	if x.sent > s.Gate.CutAt {
		s.CapStrikes = min(s.CapStrikes+1, maxStrikes)
	}
	s.closeGate(x.now, after(x.now, wait), weir.ThrottledConcurrent, evidence)
}

// crowdedByAll cuts the width to what the org accepted. Rejects of the same
// moment may lower it further, because calls that look accepted may be rejected
// next.
func (s *State) crowdedByAll(p Policy, x event) []weir.Evidence {
	accepted := int(min(max(x.inFlight, 1), int64(max(p.Slots, 1))))
	if s.Cap > 0 {
		accepted = min(accepted, s.Cap)
	}
	if s.Cap == 0 || x.sent > s.CapAt {
		s.CapAt = x.now
	}
	s.Cap = accepted
	return []weir.Evidence{number("cap", int64(s.Cap)), number("in-flight", x.inFlight)}
}

// gatewayCap reads a gateway's X-Rate-Limit-Concurrent: when it is full, no
// more than what is open now.
func (s *State) gatewayCap(p Policy, x event) {
	for _, r := range x.readings {
		if r.Kind != weir.ReadConcurrent || r.Limit <= 0 || r.Used < r.Limit {
			continue
		}
		open := int(min(max(x.inFlight, 1), int64(max(p.Slots, 1))))
		if s.Cap == 0 || open < s.Cap {
			s.Cap, s.CapAt = open, x.now
		}
	}
}

// tick lets time pass: a cut cap grows by one after each clean minute, and
// what is only believed for a while is forgotten.
func (s *State) tick(p Policy, now int64) {
	if s.Cap > 0 && p.Regrow > 0 && now > s.CapAt {
		grown := min((now-s.CapAt)/int64(p.Regrow), int64(max(p.Slots, 1)))
		s.Cap += int(grown)
		s.CapAt += grown * int64(p.Regrow)
		if s.Cap >= p.Slots {
			s.Cap, s.CapAt, s.CapStrikes = 0, 0, 0
		}
	}
	s.Long.tick(p, now)
	s.forgetRate(p, now)
	if s.Left.At > 0 && now-s.Left.At >= leftTrusted {
		s.Left, s.PacedTo = Left{}, 0
	}
	if s.ProbeAt > 0 && now-s.ProbeAt >= probeLease {
		s.ProbeAt = 0
	}
}

// probeLease is how long a probe without an outcome blocks the next one: its
// node may have died. Where no call is open the probe's claim was given back
// already, and only a call that needs no claim, such as a renewal, can still be
// under way.
const (
	probeLease     = int64(15 * time.Second)
	unclaimedLease = int64(2 * time.Second)
)

// probeFirst says whether a call waits for the answer to another one.
func (s *State) probeFirst(now, open int64) bool {
	return s.probing() && s.probeHeld(now, open) || s.afterCrowd() && s.ProbeAt > 0 && now-s.ProbeAt < refusedWithin
}

// refusedWithin is when a call that has no answer yet was not refused for those
// that are open: the org says that before it begins.
const refusedWithin = int64(2 * time.Second)

// probeHeld says whether a probe may be in flight.
func (s *State) probeHeld(now, open int64) bool {
	return s.ProbeAt > 0 && (open > 0 || now-s.ProbeAt < unclaimedLease)
}
