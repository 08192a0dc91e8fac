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
func (s State) count(p Policy, x event) State {
	keep := minuteOf(x.now) - windowMinutes
	if !s.Daily.expired(x.now) {
		keep = min(keep, minuteOf(s.Daily.At)-windowMinutes)
	}
	s.Own = s.Own.add(x.now, x.cost, keep)
	s.Widest = max(s.Widest, x.cost)
	seen := false
	for _, r := range x.readings {
		switch r.Kind {
		case weir.ReadDaily:
			seen = r.Limit > 0 || seen
			s = s.sampleDaily(p, x, r)
		case weir.ReadApp:
			s.App = s.sample(p, x, s.App, r)
			s.App.App = r.App
		case weir.ReadBursts:
			s.Extra = s.sample(p, x, s.Extra, r)
		case weir.ReadConcurrent, weir.ReadRemaining, weir.ReadRetryAfter, weir.ReadOther:
			// concurrency.go and burst.go read these; an unknown item is for people only
		}
	}
	if x.cost > 0 && !seen && s.Daily.Limit > 0 {
		s.Daily.Stale = true // an absent header says nothing: keep the last sample
	}
	return s
}

// longCall is Salesforce's border between calls that its concurrency limit
// counts and those it does not (wire reference, section 1.5).
const longCall = int64(20 * time.Second)

// sample takes a newer reading. One that answers a call sent before the last
// sample arrived may be older than that sample although it came later. It may
// then lower the count, but by no more than what calls in flight can explain.
func (s State) sample(p Policy, x event, old Sample, r weir.Reading) Sample {
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
	return Sample{At: x.now, Used: used, Limit: limit, Made: s.Own.Made, App: old.App}
}

// sampleDaily also learns from the reading what the neighbours do. Their calls
// in the window are what is used minus our own. The counter lags, and calls in
// flight may be counted or not, so that this is known between two bounds only;
// the level moves when both bounds have passed it.
func (s State) sampleDaily(p Policy, x event, r weir.Reading) State {
	old := s.Daily
	s.Daily = s.sample(p, x, old, r)
	if s.Daily.At != x.now || s.Daily.Limit <= 0 {
		return s
	}
	m := minuteOf(x.now)
	n := s.Neighbours
	if n.Since == 0 {
		n.Since, n.Level = x.now, max(s.Daily.Used-s.Own.window(x.now), 0)
		s.Neighbours = n
		return s
	}
	low := s.Daily.Used - s.Own.window(x.now) - x.inFlight*max(s.Widest, 1)
	high := s.Daily.Used - s.Own.between(m-windowMinutes+1, m-1)
	switch {
	case low > n.Level:
		n.Past = n.Past.add(tenth(m), low-n.Level, m-2*windowMinutes)
		n.Level = low
	case high < n.Level:
		n.Level = max(high, 0)
	}
	s.Neighbours = n
	return s
}

// tenth rounds a minute up to a multiple of ten: when a neighbour's call came
// is known roughly only, and a later minute is the careful guess.
func tenth(m int64) int64 { return (m + 9) / 10 * 10 }

// perHour is how fast the neighbours' calls arrived lately.
func (n Neighbour) perHour(now int64) int64 {
	if n.Since == 0 {
		return 0
	}
	m := minuteOf(now)
	seen := min(max(m-minuteOf(n.Since), 10), 60)
	return clamp(n.Past.between(m-seen, m+11) * 60 / seen)
}

// estimate is how many calls the org counts now: the newest sample, plus what
// we sent since, plus a reserve for what the neighbours are likely to have
// sent since, minus what has surely left the window.
func (s State) estimate(now int64) int64 {
	from, to := s.Daily.firstCounted(), minuteOf(now)-windowMinutes
	left := s.Own.between(from, to) + s.Neighbours.Past.between(from, to)
	return max(s.Daily.Used-left, 0) + s.since(s.Daily) + s.reserve(now)
}

func (s State) since(d Sample) int64 { return max(s.Own.Made-d.Made, 0) }

func (s State) reserve(now int64) int64 {
	return s.Neighbours.perHour(s.Daily.At) * (max(now-s.Daily.At, 0) / minute) / 60
}

// appUsed is the same for the quota that an org may give our connected app:
// there are no neighbours in it.
func (s State) appUsed(now int64) int64 {
	from, to := s.App.firstCounted(), minuteOf(now)-windowMinutes
	return max(s.App.Used-s.Own.between(from, to), 0) + s.since(s.App)
}
