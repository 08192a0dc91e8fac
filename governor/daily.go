package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// add counts n calls at now. Calls that both a stale sample and the present
// window have left behind are forgotten.
func (w Own) add(now, n, keep int64) Own {
	if n <= 0 {
		return w
	}
	m := minuteOf(now)
	if m > w.Minute {
		w.Past = w.Past.add(w.Minute, w.Calls, keep)
		w.Minute, w.Calls = m, 0
	}
	w.Calls = clamp(w.Calls + n)
	w.Made = clamp(w.Made + n)
	return w
}

// between sums our calls of minutes in [from, to).
func (w Own) between(from, to int64) int64 {
	sum := w.Past.between(from, to)
	if w.Calls > 0 && w.Minute >= from && w.Minute < to {
		sum += w.Calls
	}
	return clamp(sum)
}

// window sums our calls that the org may still count at now.
func (w Own) window(now int64) int64 { return w.between(minuteOf(now)-windowMinutes, minuteOf(now)+1) }

// expired says whether every call that a sample counted has left the window.
func (d Sample) expired(now int64) bool {
	return d.Limit <= 0 || now >= d.expiry()
}

// firstCounted is the first minute whose calls a sample counts for sure. Of the
// minute before, some may have left the window when the sample was taken.
func (d Sample) firstCounted() int64 { return minuteOf(d.At) - windowMinutes + 1 }

func (d Sample) expiry() int64 { return (minuteOf(d.At) + windowMinutes + 1) * minute }

// count adds an outcome's calls and readings to the state.
func (s *State) count(p Policy, x event) {
	keep := minuteOf(x.now) - windowMinutes
	if !s.Daily.expired(x.now) {
		keep = min(keep, minuteOf(s.Daily.At)-windowMinutes)
	}
	s.Own = s.Own.add(x.now, x.cost, keep)
	s.Widest = max(s.Widest, x.cost)
	seen := false
	for _, r := range x.readings {
		if r.Clamped && r.Kind != weir.ReadRetryAfter {
			continue // a number that had to be cut is no measurement: keep the last sample
		}
		switch r.Kind {
		case weir.ReadDaily:
			seen = r.Limit > 0 || seen
			s.sampleDaily(p, x, r)
		case weir.ReadApp:
			s.App = s.sample(p, x, s.App, r)
			s.App.App = r.App
		case weir.ReadBursts:
			s.Extra = s.sample(p, x, s.Extra, r)
			s.Extra.Behind, s.Extra.Lag = 0, 0 // it counts by the month
		case weir.ReadConcurrent, weir.ReadRemaining, weir.ReadRetryAfter, weir.ReadOther:
			// concurrency.go and burst.go read these; an unknown item is for people only
		}
	}
	if x.cost > 0 && !seen && s.Daily.Limit > 0 {
		s.Daily.Stale = true // an absent header says nothing: keep the last sample
	}
}

// longCall is Salesforce's border between calls that its concurrency limit
// counts and those it does not (wire reference, section 1.5).
const longCall = int64(20 * time.Second)

// sample takes a newer reading. One that answers a call sent before the last
// sample arrived may be older than that sample although it came later. It may
// then lower the count, but by no more than what calls in flight can explain.
func (s *State) sample(p Policy, x event, old Sample, r weir.Reading) Sample {
	if r.Limit <= 0 || x.now < old.At {
		return old
	}
	used, limit := clamp(r.Used), clamp(r.Limit)
	if x.sent <= old.At && used < old.Used && limit == old.Limit {
		if x.now-x.sent >= longCall/2 {
			return old
		}
		used = min(old.Used, used+int64(max(p.Slots, 1))*s.Widest)
	}
	d := Sample{At: x.now, Used: used, Limit: limit, Made: s.Own.Made, App: old.App}
	d.Behind = s.behind(old, d)
	d.Lag = s.lag(p, old, d)
	return d
}

// sampleDaily also learns from the reading what the neighbours do. Their calls
// in the window are what is used minus our own. The counter lags, and calls in
// flight may be counted or not, so that this is known between two bounds only;
// the level moves when both bounds have passed it.
func (s *State) sampleDaily(p Policy, x event, r weir.Reading) {
	old := s.Daily
	s.Daily = s.sample(p, x, old, r)
	if s.Daily.At != x.now || s.Daily.Limit <= 0 {
		return
	}
	m, n := minuteOf(x.now), s.Neighbours
	if n.Since == 0 {
		s.Neighbours = Neighbour{Since: x.now, Level: max(s.Daily.Used-s.Own.window(x.now), 0)}
		s.Neighbours = s.Neighbours.watch(m, 0)
		return
	}
	low := s.Daily.Used - s.Own.window(x.now) - x.inFlight*max(s.Widest, 1)
	high := s.Daily.Used + s.unshown(s.Daily, x.now) - s.Own.between(m-windowMinutes+1, m-1)
	came := max(low-n.Level, 0)
	n.Level += came
	if high < n.Level {
		n.Level = max(high, 0)
	}
	gap := x.now - old.At
	if came > 0 && gap <= closeSamples {
		n.Past = n.Past.add(tenth(m), came, m-2*windowMinutes)
	}
	n.Rate = n.rate(came, gap, x.now)
	if n.Blind = min(n.Blind+1, blindMost); !old.expired(x.now) {
		n.Blind = 0
	}
	s.Neighbours = n.watch(m, m-minuteOf(old.At))
}

// closeSamples is how near two samples must be to say when the neighbours'
// calls between them were made: within arrivalDoubt minutes, rounding included.
const (
	closeSamples = int64(10 * time.Minute)
	arrivalDoubt = 20
)

// tenth rounds a minute up to a multiple of ten: when a neighbour's call came
// is known roughly only.
func tenth(m int64) int64 { return (m + 9) / 10 * 10 }

// rate is the mean of the neighbours' calls per hour, in thousandths, in which
// the last hour weighs most.
func (n Neighbour) rate(came, gap, now int64) int64 {
	second := int64(time.Second)
	gap = max(gap/second, 0)
	known := min(max(now-n.Since, 0)/second-gap, 3600)
	known = max(known, 600-gap, 1) // a few seconds after the first sample say nothing about an hour
	return clamp((clamp(n.Rate)*known + clamp(came)*3600*1000) / (known + gap))
}

func (n Neighbour) perHour() int64 { return n.Rate / 1000 }

// estimate is how many calls the org counts now: the newest sample, with what it
// does not show yet, plus what we sent since, plus a reserve for what the
// neighbours are likely to have sent since, minus what has surely left the window.
func (s *State) estimate(p Policy, now int64) int64 {
	from, to := s.Daily.firstCounted(), minuteOf(now)-windowMinutes
	others := s.Neighbours.Past.between(from+arrivalDoubt, to) - s.masked(p)
	left := s.Own.between(from, to) + max(others, 0)
	return max(s.Daily.Used+s.unshown(s.Daily, now)-left, 0) + s.since(s.Daily) + s.reserve(now)
}

// masked is how many of the neighbours' calls may have come earlier than
// recorded: as many as our calls in flight can hide.
func (s *State) masked(p Policy) int64 { return int64(max(p.Slots, 1)) * max(s.Widest, 1) }

func (s *State) since(d Sample) int64 { return max(s.Own.Made-d.Made, 0) }

func (s *State) reserve(now int64) int64 {
	return s.Neighbours.perHour() * (max(now-s.Daily.At, 0) / minute) / 60
}

// appUsed is the same for the quota that an org may give our connected app:
// there are no neighbours in it.
func (s *State) appUsed(now int64) int64 {
	from, to := s.App.firstCounted(), minuteOf(now)-windowMinutes
	return max(s.App.Used+s.unshown(s.App, now)-s.Own.between(from, to), 0) + s.since(s.App)
}
