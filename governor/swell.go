package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// Our calls stay in the window for a day. What must be left free for the
// neighbours is therefore not what they use now, but what they may come to use
// before our calls have left: this file says how much that is. The floor is
// theirs too and takes up its part of the rise; the larger of the two counts.

// How the neighbours' level may rise, chosen on the tuning seeds of bench/judge
// (docs/decisions/0019). Of an org that was never watched nothing is known, so
// that a fifth of the level is left free above it. That shrinks to a 25th, half
// of the way after a day of watching: the levels of the next day that were
// above the highest so far by more were one in a hundred.
const (
	swellLast = 5                // so many times less is left of the policy's swell in the end
	swellMost = 400              // of the level now: one busy day must not lock the org for a week
	swellHalf = windowMinutes    // minutes of watching after which it is halfway
	swellDays = 8                // remembered: a week, and the day under way
	swellGap  = 180              // a sum over 24 hours says so little of its path in more minutes than these
	lookEvery = int64(time.Hour) // one call may look how the neighbours are while the others make room
	lookShare = 750              // per mille of the swell that must be free for it
	askShare  = 500              // the same for a call that asks anew after a day, and
	blindMost = 3                // readings after which the days between two such calls, 1, 1, 2 and 4, grow no more
)

// watch remembers the level at minute m, which is known gap minutes after the
// last one. Days begin when something is known, not at midnight, so that the
// memory does not depend on where the clock stands.
func (n Neighbour) watch(m, gap int64) Neighbour {
	keep := m - swellDays*windowMinutes
	n.Highs = n.Highs.top(n.Highs.day(m), n.Level, keep)
	n.Watched = n.Watched.add(n.Watched.day(m), min(gap, swellGap), keep)
	return n
}

// peak is how far the neighbours' level may rise within the coming day: above
// the highest that we have seen of late, but not further than the level now can
// explain. Nothing is left free for neighbours who are not there.
func (n Neighbour) peak(p Policy, now int64) int64 { return n.peakOf(p, now, perMille) }

// peakOf is the peak with only a part of the swell, per mille. Without a swell
// there is none: the floor alone is left free.
func (n Neighbour) peakOf(p Policy, now, part int64) int64 {
	first := int64(min(p.Swell, perMille))
	if first <= 0 {
		return 0
	}
	to := minuteOf(now)
	from := to - swellDays*windowMinutes
	high := max(n.Highs.most(from), n.Level)
	watched := n.Watched.between(from, to+1)
	swell := first/swellLast + (first-first/swellLast)*swellHalf/(swellHalf+watched)
	return clamp(min(high+high*swell/perMille*part/perMille, n.Level+n.Level*swellMost/perMille))
}

// crowds says whether need calls more of ours would be in the neighbours' way
// before they leave the window. One call an hour may look how the neighbours
// are, while most of the swell is still free: without readings nothing more
// would be learnt until the calls have left.
func (s *State) crowds(p Policy, now, own, need int64) (shortage, bool) {
	d, n := s.Daily, s.Neighbours
	if n.Level <= 0 {
		return shortage{}, false
	}
	peak := n.peak(p, now)
	over := own + need + peak - d.Limit
	if over <= 0 {
		return shortage{}, false
	}
	until, sure := s.ownReturns(now, over, d.expiry())
	if own+need+n.peakOf(p, now, lookShare) <= d.Limit {
		look := after(d.At, time.Duration(lookEvery))
		if look <= now && need <= max(s.Widest, 1) {
			return shortage{}, false
		}
		if look = max(look, after(now, time.Minute)); look < until {
			until, sure = look, false
		}
	}
	return shortage{until: until, sure: sure, evidence: []weir.Evidence{
		ratio("daily", d.Used, d.Limit), number("own-24h", own), number("neighbours-24h", n.Level),
		number("swell", peak-n.Level), at("sampled", d.At),
	}}, true
}

// patience holds back the call that asks anew after a day without a reading,
// where such calls found again and again that the neighbours leave hardly
// anything: in an org at its limit even one call is in their way. The first two
// ask a day apart, because a busy day is often the only one; then it is two
// days, and four.
func (s *State) patience(p Policy, now, need int64) (shortage, bool) {
	d, n := s.Daily, s.Neighbours
	if n.Level <= 0 || n.Blind < 2 || need+n.peakOf(p, now, askShare) <= d.Limit {
		return shortage{}, false
	}
	until := after(d.At, 24*time.Hour<<(min(n.Blind, blindMost)-1))
	return shortage{until: until, ours: true, evidence: []weir.Evidence{
		ratio("daily", d.Used, d.Limit), number("neighbours-24h", n.Level),
		number("swell", n.peak(p, now)-n.Level), number("asked", int64(n.Blind)), at("sampled", d.At),
	}}, until > now
}

// day is the first minute of the day in a ring of days that m belongs to.
func (r Ring) day(m int64) int64 {
	if k := len(r); k > 0 && m-r[k-1].Minute < windowMinutes {
		return r[k-1].Minute
	}
	return m
}

// top returns a ring in which the newest entry, at m, is at least n.
func (r Ring) top(m, n, keep int64) Ring {
	if k := len(r); k > 0 && r[k-1].Minute >= m {
		n -= r[k-1].Calls
	}
	return r.add(m, n, keep)
}

// most is the largest entry from a minute on.
func (r Ring) most(from int64) int64 {
	most := int64(0)
	for _, t := range r {
		if t.Minute >= from {
			most = max(most, t.Calls)
		}
	}
	return most
}
