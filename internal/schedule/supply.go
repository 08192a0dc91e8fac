package schedule

import (
	"sort"
	"time"
)

// Point says how many calls the org will have taken by a time, counted from
// now.
type Point struct {
	At    time.Time
	Calls int64
}

// Supply is an org's capacity over time: points in rising order of time and
// calls. Between two points calls come evenly; behind the last one they go on
// as between the first and the last. An empty supply never gives a call.
type Supply []Point

// By is how many calls will have been possible at a time.
func (s Supply) By(at time.Time) int64 {
	i := sort.Search(len(s), func(i int) bool { return s[i].At.After(at) })
	switch {
	case i == 0:
		return 0
	case i < len(s):
		a, b := s[i-1], s[i]
		return a.Calls + share(b.Calls-a.Calls, at.Sub(a.At), b.At.Sub(a.At))
	}
	first, last := s[0], s[len(s)-1]
	return last.Calls + share(last.Calls-first.Calls, at.Sub(last.At), last.At.Sub(first.At))
}

// When is the earliest time at which that many calls will have been possible;
// false when that time is not in sight.
func (s Supply) When(calls int64) (time.Time, bool) {
	i := sort.Search(len(s), func(i int) bool { return s[i].Calls >= calls })
	if len(s) == 0 {
		return time.Time{}, false
	}
	if i == 0 {
		return s[0].At, true
	}
	from, more, span := s[i-1], int64(0), time.Duration(0)
	if i < len(s) {
		more, span = s[i].Calls-from.Calls, s[i].At.Sub(from.At)
	} else {
		more, span = from.Calls-s[0].Calls, from.At.Sub(s[0].At)
	}
	if more <= 0 || span <= 0 {
		return time.Time{}, false
	}
	lack := min(calls-from.Calls, maxCalls)
	// Seconds are exact enough for a forecast of hours, and cannot overflow.
	seconds := (lack*int64(span/time.Second) + more - 1) / more
	if seconds > int64(inSight/time.Second) {
		return time.Time{}, false
	}
	return from.At.Add(time.Duration(seconds) * time.Second), true
}

// inSight is how far a forecast reaches: no legal deadline lies further away.
const inSight = 400 * 24 * time.Hour

// maxCalls bounds the arithmetic; no org takes so many calls in a year.
const maxCalls = int64(1_000_000_000)

// share is the part of calls that falls into the first d of a span.
func share(calls int64, d, span time.Duration) int64 {
	total := int64(span / time.Second)
	if total <= 0 {
		return 0
	}
	return min(calls, maxCalls) * min(int64(d/time.Second), int64(inSight/time.Second)) / total
}
