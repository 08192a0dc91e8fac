package governor

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// closeGate holds back every call until a time. A gate is never opened earlier
// than was once decided.
func (s *State) closeGate(now, until int64, cause weir.Category, evidence []weir.Evidence) {
	if until > s.Gate.Until {
		s.Gate.Until, s.Gate.Cause, s.Gate.Evidence = until, cause, evidence
	}
	s.Gate.CutAt = max(s.Gate.CutAt, now)
}

// strike closes the gate because of a reject that says nothing about when it
// ends: backoff from base, doubled by each strike, or Retry-After if longer.
// Rejects of calls that were sent before the gate closed belong to the same
// event: they may extend it and change nothing else (control law, line 7).
func (s *State) strike(p Policy, x event, base time.Duration, cause weir.Category, extra ...weir.Evidence) {
	ra := x.retryAfter()
	learnt := s.learns(p)
	if cause == weir.ThrottledBurst {
		s.Notice.refused(x, s.Gate.CutAt, s.Rate.before(x))
	}
	learns := s.learns(p) && cause == weir.ThrottledBurst
	if x.sent <= s.Gate.CutAt {
		switch {
		case learns && learnt:
			s.Rate = s.Rate.refused()
		case learns:
			s.Rate, _ = s.Rate.emptied(x, time.Duration(max(s.Gate.Until-x.now, 0)))
		}
		if ra > 0 {
			s.closeGate(s.Gate.CutAt, after(x.now, ra), cause, append(extra, span("retry-after", ra)))
		}
		return
	}
	wait := backoff(base, p.Ceiling, s.Strikes, x.jitter)
	evidence := append(extra, span("base", base), number("strikes", int64(s.Strikes)), span("backoff", wait))
	announced := false // the org said when it takes calls again: no probe has to find out
	if learns {
		var known time.Duration
		blank := s.Rate.Blank
		if s.Rate, known = s.Rate.emptied(x, max(wait, ra)); known > 0 {
			least := time.Duration(0)
			if s.Strikes > 0 || s.Told {
				least = s.usualBurst() // otherwise the record holds hardly more than our own waits
			}
			wait = min(wait, max(spread(double(known, p.Ceiling, s.Strikes), x.jitter), least))
			evidence = append(evidence, s.Rate.evidence()...)
		}
		announced = s.Rate.Blank && !blank
	}
	if ra > 0 {
		evidence = append(evidence, span("retry-after", ra))
	}
	if !announced {
		s.Strikes = min(s.Strikes+1, maxStrikes)
	}
	s.closeGate(x.now, after(x.now, max(wait, ra)), cause, evidence)
}

// announced says whether the gate was closed for as long as the org asked.
func (g Gate) announced() bool {
	return slices.ContainsFunc(g.Evidence, func(e weir.Evidence) bool { return e.Name == "retry-after" })
}

// burst handles a reject by a rate limit. Without Retry-After the first wait
// comes from how long the org's last bursts lasted.
func (s *State) burst(p Policy, x event) {
	base := p.Base
	if x.retryAfter() == 0 {
		base = max(base, s.usualBurst())
	}
	if s.BurstAt == 0 {
		s.BurstAt = x.now
	}
	s.strike(p, x, base, weir.ThrottledBurst)
}

// burstsKept is how many bursts are remembered.
const burstsKept = 8

// usualBurst is the median of the recorded bursts less an eighth. Without that
// discount our own waits, which a burst seems to last at least, could only
// ever lengthen the record.
func (s *State) usualBurst() time.Duration {
	if len(s.Bursts) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.Bursts))
	ms := min(max(sorted[len(sorted)/2], 0), int64(24*time.Hour/time.Millisecond))
	return time.Duration(ms-ms/8) * time.Millisecond
}

// accepted records that the org took a call which was sent after the gate had
// closed: the event is over, and the strikes are halved rather than forgotten,
// so that the workers come back in steps.
func (s *State) accepted(x event) {
	if x.cost <= 0 {
		return
	}
	s.Notice.taken(x, s.Gate.CutAt)
	s.Rate = s.Rate.taken(x)
	if x.sent <= s.Gate.CutAt {
		return
	}
	if lasted := x.sent - s.BurstAt; s.BurstAt > 0 && s.Rate.Pace > 0 && lasted <= 8*gap(s.Rate.Pace) {
		s.BurstAt = 0 // no longer than a few calls of the pace: the rate explains it
	} else if s.BurstAt > 0 {
		ms := clamp(lasted / int64(time.Millisecond))
		kept := s.Bursts
		if len(kept) >= burstsKept {
			kept = kept[len(kept)-burstsKept+1:]
		}
		s.Bursts = append(slices.Clip(kept), ms)
		s.BurstAt, s.Told = 0, s.Gate.announced()
	}
	s.Strikes /= 2
	s.BlockedAt, s.DailyProbes, s.CapStrikes = 0, 0, 0
}

// How long a gateway's X-Rate-Limit-Remaining is believed: its window is not
// known.
const leftTrusted = int64(time.Minute)

// remaining reads X-Rate-Limit-Remaining: zero closes the gate before the
// first reject.
func (s *State) remaining(p Policy, x event) {
	for _, r := range x.readings {
		if r.Kind != weir.ReadRemaining || x.now < s.Left.At {
			continue
		}
		if r.Used > 0 {
			s.Left = Left{At: x.now, Calls: clamp(r.Used), Limit: clamp(r.Limit)}
			continue
		}
		s.Left, s.PacedTo = Left{}, 0
		s.strike(p, x, max(p.Base, s.usualBurst()), weir.ThrottledBurst, number("remaining", 0))
	}
}

// pace is the least time between two calls: none while enough calls are left,
// then longer the fewer there are.
func (s *State) pace(p Policy) time.Duration {
	enough := int64(2 * max(p.Slots, 1))
	if s.Left.Limit > 0 {
		enough = max(s.Left.Limit/10, 1)
	}
	if s.Left.At == 0 || s.Left.Calls <= 0 || s.Left.Calls > enough {
		return 0
	}
	return max(p.Base, 0) / time.Duration(s.Left.Calls)
}
