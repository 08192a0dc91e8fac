package judge

import (
	"math"
	"time"
)

// Answer is what the org gives to one call.
type Answer struct {
	Reject     Reject
	Took       time.Duration // until the answer is back
	RetryAfter time.Duration
	Used       int64 // of the daily limit, where there is one
	Limit      int64
}

// Reject is why a call was refused.
type Reject string

// The reasons.
const (
	Taken      Reject = ""
	Burst      Reject = "burst"
	Concurrent Reject = "concurrent"
	Daily      Reject = "daily"
)

// Count is what the org saw over the whole life of a run.
type Count struct {
	Calls    int // all that arrived
	Rejected int
	InWindow int // arrived while an announced Retry-After had not passed
	Starved  int // calls of neighbours that were refused
	Crossed  int // calls sent at or below the floor, as the newest reading said
	Asked    int // the same where that reading was as old as the window
	Unseen   int // calls sent below the floor that no reading had told of; see World.below
}

// World is one org on virtual time. Arrive is called in the order of time.
type World struct {
	sc  *Scenario
	now time.Duration

	tokens float64
	closed time.Duration // an announced window is open until then
	open   []time.Duration
	long   []span // calls that will run 20 s or longer
	seq    int

	own    []int64 // our calls by the minute, where there is a daily window
	ownSum int64
	minute int
	known  reading   // the newest that has arrived at a caller
	under  []reading // those that are still under way

	Count Count
}

type reading struct {
	at     time.Duration // when it arrives
	minute int
	used   int64
}

type span struct{ from, to time.Duration }

// NewWorld starts an org with a full bucket.
func NewWorld(sc *Scenario) *World { return &World{sc: sc, tokens: sc.Burst} }

// refill lets time pass at the hidden rate, which changes at known times.
func (w *World) refill(now time.Duration) {
	for w.now < now {
		rate, until := w.sc.Rate(w.now)
		end := min(until, now)
		w.tokens = math.Min(w.sc.Burst, w.tokens+rate*(end-w.now).Seconds())
		w.now = end
	}
}

// Arrive is one call.
func (w *World) Arrive(now time.Duration) Answer {
	w.Count.Calls++
	if now < w.closed {
		w.Count.InWindow++
		return w.refuse(Burst, w.closed-now)
	}
	if w.sc.Chance > 0 && unit(w.sc.Seed+7, w.Count.Calls) < w.sc.Chance {
		return w.refuse(Burst, 0)
	}
	took := w.sc.Latency(w.seq)
	if r := w.crowded(now); r != Taken {
		return w.refuse(r, 0)
	}
	var reading Answer
	if w.sc.Neighbours != nil {
		a, ok := w.daily(now)
		if !ok {
			return a
		}
		reading = a
	}
	if w.sc.Rate != nil {
		w.refill(now)
		if w.tokens < 1 {
			var ra time.Duration
			if w.sc.RetryAfter {
				rate, _ := w.sc.Rate(now)
				ra = time.Duration(math.Ceil((1-w.tokens)/rate)) * time.Second
				w.closed = now + ra
			}
			return w.refuse(Burst, ra)
		}
		w.tokens--
	}
	w.seq++
	if w.sc.Cap > 0 {
		w.open = append(w.open, now+took)
	}
	if w.sc.LongCap > 0 && took >= longCall {
		w.long = append(w.long, span{now + longCall, now + took})
	}
	reading.Took = took
	return reading
}

// longCall is from when on Salesforce counts a request against its cap.
const longCall = 20 * time.Second

func (w *World) crowded(now time.Duration) Reject {
	if w.sc.Cap > 0 {
		w.open = keep(w.open, func(end time.Duration) bool { return end > now })
		if len(w.open) >= w.sc.Cap {
			return Concurrent
		}
	}
	if w.sc.LongCap > 0 {
		w.long = keep(w.long, func(s span) bool { return s.to > now })
		n := 0
		for _, s := range w.long {
			if s.from <= now {
				n++
			}
		}
		if n >= w.sc.LongCap {
			return Concurrent
		}
	}
	return Taken
}

func (w *World) refuse(r Reject, ra time.Duration) Answer {
	w.Count.Rejected++
	return Answer{Reject: r, Took: w.sc.RejectTook, RetryAfter: ra}
}

func keep[T any](in []T, ok func(T) bool) []T {
	out := in[:0]
	for _, v := range in {
		if ok(v) {
			out = append(out, v)
		}
	}
	return out
}
