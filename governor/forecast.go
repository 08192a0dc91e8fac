package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// shortage is why a number of calls does not fit now, and when it will.
type shortage struct {
	until    int64
	sure     bool // from recorded calls, not from the sample's expiry
	ours     bool // nothing but our own patience, see Admit
	share    bool // our share, which is another one in quiet hours
	evidence []weir.Evidence
}

// short says whether need calls, those in flight included, would cross the
// floor, the app's quota or, unless urgent, our share or what the neighbours may
// come to need. That is a forecast, and a person may overrule it for urgent
// work; the floor is a fact, and nobody may.
func (s *State) short(p Policy, now, need int64, urgent bool) (shortage, bool) {
	if d := s.Daily; !d.expired(now) {
		used, floor := s.estimate(p, now), p.floor(d.Limit)
		if over := used + need + s.spare(d, now) - (d.Limit - floor); over > 0 {
			until, sure := s.returns(p, now, over)
			lack := shortage{until: until, sure: sure, evidence: []weir.Evidence{
				ratio("daily", d.Used, d.Limit), number("estimate", used), number("floor", floor),
				number("neighbours-per-hour", s.Neighbours.perHour()), at("sampled", d.At),
			}}
			if lack, short := s.counted(d, now, need, over, lack); short {
				return lack, true
			}
		}
	}
	if a := s.App; !a.expired(now) {
		used := s.appUsed(now)
		if over := used + need + s.spare(a, now) - a.Limit; over > 0 {
			until, sure := s.ownReturns(now, over, a.expiry())
			lack := shortage{until: until, sure: sure, evidence: []weir.Evidence{ratio("app", a.Used, a.Limit), number("estimate", used)}}
			if lack, short := s.counted(a, now, need, over, lack); short {
				return lack, true
			}
		}
	}
	if limit := s.Daily.Limit; limit > 0 && !urgent {
		own, share := s.Own.window(now), p.share(limit)
		if over := own + need - share; over > 0 {
			until, sure := s.ownReturns(now, over, after(now, windowMinutes*time.Minute))
			return shortage{until: until, sure: sure, share: true, evidence: []weir.Evidence{ratio("own-24h", own, share), ratio("daily", s.Daily.Used, limit)}}, true
		}
		if s.Daily.expired(now) {
			return s.patience(p, now, need)
		}
		return s.crowds(p, now, own, need)
	}
	return shortage{}, false
}

// returns predicts when over calls will have left the window, while the
// neighbours go on as they did. Only calls whose minute is known can be
// predicted; the others are gone when the sample expires, at the latest.
func (s *State) returns(p Policy, now, over int64) (int64, bool) {
	rate := s.Neighbours.perHour()
	own := ager{ring: s.Own.Past, last: Tally{s.Own.Minute, s.Own.Calls}}
	others := ager{ring: s.Neighbours.Past}
	gone, counted := minuteOf(now)-windowMinutes, s.Daily.firstCounted()
	freed, theirs, expiry := int64(0), -s.masked(p), s.Daily.expiry()
	for {
		t, ours, ok := next(&own, &others)
		if !ok {
			return max(expiry, after(now, 1)), false
		}
		switch {
		case ours && t.Minute >= max(gone, counted):
			freed += t.Calls
		case !ours && t.Minute >= counted+arrivalDoubt:
			before := max(theirs, 0)
			if theirs += t.Calls; t.Minute >= gone { // those that are gone are not in the estimate
				freed += max(theirs, 0) - before
			}
		default:
			continue
		}
		back := leaves(t.Minute)
		if back >= expiry {
			return max(expiry, after(now, 1)), false
		}
		if t.Minute >= gone && freed >= over+(rate*((back-now)/minute+1)+59)/60 {
			return back, true
		}
	}
}

// ownReturns is the same for an allowance that only our calls use up.
func (s *State) ownReturns(now, over, latest int64) (int64, bool) {
	own := ager{ring: s.Own.Past, last: Tally{s.Own.Minute, s.Own.Calls}}
	gone, freed := minuteOf(now)-windowMinutes, int64(0)
	for {
		t, ok := own.take()
		if !ok {
			return max(latest, after(now, 1)), false
		}
		if t.Minute < gone {
			continue
		}
		if freed += t.Calls; freed >= over {
			return leaves(t.Minute), true
		}
	}
}

// leaves is when the calls of a minute have surely left the window.
func leaves(m int64) int64 { return min((m+windowMinutes+1)*minute, lastInstant) }

// ager hands out the minutes of a ring, oldest first.
type ager struct {
	ring Ring
	last Tally // the minute under way
}

func (a *ager) peek() (Tally, bool) {
	if len(a.ring) > 0 {
		return a.ring[0], true
	}
	return a.last, a.last.Calls > 0
}

func (a *ager) take() (Tally, bool) {
	t, ok := a.peek()
	if len(a.ring) > 0 {
		a.ring = a.ring[1:]
	} else {
		a.last = Tally{}
	}
	return t, ok
}

// next takes the older of two, and says whether it is a's.
func next(a, b *ager) (Tally, bool, bool) {
	x, okX := a.peek()
	y, okY := b.peek()
	if okX && (!okY || x.Minute <= y.Minute) {
		t, ok := a.take()
		return t, true, ok
	}
	t, ok := b.take()
	return t, false, ok
}

// blockDaily closes the gate because the org said that its limit is used up:
// until calls are predicted to have left the window or, where nothing can be
// predicted, until a probe. Each refused probe doubles the next wait.
func (s *State) blockDaily(p Policy, x event) {
	ra := x.retryAfter()
	if x.sent <= s.Gate.CutAt && s.BlockedAt > 0 {
		if ra > 0 { // of the same event, but only this answer says how long
			s.closeGate(s.Gate.CutAt, after(x.now, ra), weir.ThrottledDaily, []weir.Evidence{span("retry-after", ra)})
		}
		return
	}
	s.BlockedAt = x.now
	j := scatter(x.jitter)
	until := after(after(x.now, p.ProbeBlind), j)
	if s.DailyProbes > 0 {
		until = after(after(x.now, double(max(p.ProbeFirst, 0), max(p.ProbeMax, 0), s.DailyProbes-1)), j)
	}
	evidence := []weir.Evidence{number("refused", int64(s.DailyProbes)+1)}
	if d := s.Daily; !d.expired(x.now) {
		evidence = append(evidence, ratio("daily", d.Used, d.Limit), number("own-24h", s.Own.window(x.now)))
		// Below the floor no probe is sent either, so that even the late release
		// that the sample's age promises is the time to wait for.
		if lack, short := s.short(p, x.now, 1, true); short {
			if s.DailyProbes == 0 {
				until = 0
			}
			until = max(until, after(lack.until, j))
			evidence = append(evidence, at("release", lack.until))
		}
	}
	s.DailyProbes = min(s.DailyProbes+1, maxStrikes)
	s.Strikes = min(s.Strikes+1, maxStrikes)
	if ra > 0 {
		until = max(until, after(x.now, ra))
		evidence = append(evidence, span("retry-after", ra))
	}
	s.closeGate(x.now, until, weir.ThrottledDaily, evidence)
}

// maxStrikes bounds counters that only ever serve as an exponent.
const maxStrikes = 64
