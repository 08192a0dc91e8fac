package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// Admit decides whether one call may be sent now. Proceed reserves nothing
// but the probe: calls in flight come with the ask.
//
// A wait for the org (gate, breaker, daily allocation), or for an object of it,
// that would end after the due date makes a dead letter. A wait for our own slots and pace does
// not: it says nothing about when the work could be done.
func Admit(p Policy, s State, a weir.Ask) (State, weir.Decision) {
	now := max(nanos(a.Now), 1)
	s.tick(p, now)
	open, cost := clampCalls(a.InFlight), max(clampCalls(a.Cost), 1)
	if open == 0 {
		s.Widest = cost
	}
	s.Widest = max(s.Widest, cost)
	due := deadlineOf(a.DueAt, 0)

	if now < s.Gate.Until {
		return s, park(due, s.Gate.Until, s.Gate.Cause, s.Gate.Evidence)
	}
	if until, closed := s.Auth.closed(now); closed {
		return s, park(due, until, weir.AuthConfig, s.Auth.evidence())
	}
	if d, held := s.objectHeld(p, now, open, a); held {
		return s, d
	}
	if d, held := s.slowHeld(p, now, a); held {
		return s, d
	}
	if d, held := s.holdForRoom(p, now, open, a); held {
		return s, d
	}
	need := cost + open*s.Widest
	lack, short := s.short(p.During(a.Quiet), now, need, a.Urgent)
	lack = s.turned(p, now, need, a, lack)
	// Only a call that is known to have the time waits out of patience: its wait
	// becomes the org's, and others may be due earlier.
	if hurry := lack.ours && (due == 0 || lack.until > due); short && !hurry {
		return s, park(due, lack.until, weir.ThrottledDaily, lack.evidence)
	}
	if s.probing() || s.afterCrowd() {
		s.ProbeAt = now
	}
	if gap := s.pace(p); gap > 0 {
		s.PacedTo = after(now, gap)
	}
	switch {
	case s.learns(p):
		s.Rate = s.Rate.admitted(now)
	case p.NoticeRate:
		s.unnoticed(now)
	}
	s.objectAsked(now, a)
	return s, weir.Decision{Ruling: weir.Proceed}
}

// holdForRoom holds a call back for a slot, for the probe in flight, for the
// renewal of the token or for our own pace.
func (s *State) holdForRoom(p Policy, now, open int64, a weir.Ask) (weir.Decision, bool) {
	soon := after(now, max(p.Base, time.Millisecond))
	switch {
	case s.Auth.renewing(now):
		return waitFor(soon, weir.AuthDrift, []weir.Evidence{at("renewal-asked", s.Auth.RenewAt)}), true
	case s.probeFirst(now, open):
		return waitFor(soon, s.probeCause(), []weir.Evidence{
			number("strikes", int64(s.Strikes)), at("probe-since", s.ProbeAt),
		}), true
	case clampCalls(a.Long) >= s.longCap(p):
		// Salesforce refuses every new call while so many are open for 20 s.
		s.Long.Held = true
		return waitFor(soon, weir.ThrottledConcurrent, []weir.Evidence{
			number("open-20s", clampCalls(a.Long)), number("long-cap", s.longCap(p)),
		}), true
	case open >= int64(s.width(p)):
		return waitFor(soon, s.probeCause(), []weir.Evidence{
			number("in-flight", open), number("width", int64(s.width(p))), number("strikes", int64(s.Strikes)),
		}), true
	case s.Rate.Pace == 0 && open >= 2*(s.Own.Made+1):
		// Nothing is known of the org: the calls at once double with its answers.
		return waitFor(soon, weir.ThrottledConcurrent, []weir.Evidence{number("in-flight", open), number("answered", s.Own.Made)}), true
	case open > 0 && s.Daily.Limit > 0 && now-s.Daily.At >= closeSamples:
		// What the neighbours did since is a guess: one call asks first.
		return waitFor(soon, weir.ThrottledDaily, []weir.Evidence{
			number("in-flight", open), at("sampled", s.Daily.At),
		}), true
	case now < s.Rate.NextAt:
		return waitFor(s.Rate.NextAt, weir.ThrottledBurst, s.Rate.evidence()), true
	case now < s.PacedTo:
		return waitFor(s.PacedTo, weir.ThrottledBurst, []weir.Evidence{number("remaining", s.Left.Calls)}), true
	}
	return weir.Decision{}, false
}

// probeCause is why the org is being probed; without a reject the slots are full.
func (s *State) probeCause() weir.Category {
	switch {
	case s.Auth.OpenAt > 0:
		return weir.AuthConfig
	case s.probing() && s.Gate.Cause != "":
		return s.Gate.Cause
	}
	return weir.ThrottledConcurrent
}

// deadlineOf is the last instant at which a wait may end; 0 = no due date.
func deadlineOf(due time.Time, remaining time.Duration) int64 {
	if due.IsZero() {
		return 0
	}
	return max(nanos(due)-int64(max(remaining, 0)), 1)
}

// park is a wait for the org, or a dead letter if it would end too late: the
// wait is never cut short instead.
func park(due, until int64, cause weir.Category, evidence []weir.Evidence) weir.Decision {
	d := waitFor(until, cause, evidence)
	if due == 0 || until <= due {
		return d
	}
	d.Ruling, d.Wait.Cause = weir.DeadLetter, weir.DeadlineRisk
	d.Wait.Evidence = append([]weir.Evidence{{Name: "cause", Value: string(cause)}, at("latest", due)}, evidence...)
	return d
}

func waitFor(until int64, cause weir.Category, evidence []weir.Evidence) weir.Decision {
	return weir.Decision{Ruling: weir.WaitUntil, Wait: weir.Wait{Until: moment(until), Cause: cause, Evidence: evidence}}
}
