package judge

import (
	"math"
	"slices"
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
	InWindow int // arrived within a Retry-After of which an answer had told a caller
	Starved  int // calls of neighbours that were refused
	Crossed  int // calls sent at or below the floor, as the newest reading said
	Asked    int // the same where that reading was as old as the window
	Unseen   int // calls sent below the floor that no reading had told of; see World.below

	Surge Surge // after the org was shut
}

// surgeTime is how long a surge is looked at, in steps of surgeStep.
const (
	surgeTime = 10 * time.Second
	surgeStep = 100 * time.Millisecond
)

// Surge is what came in the first ten seconds after a shut org was open again,
// counted from the first call.
type Surge struct {
	from    time.Duration
	Tenths  [surgeTime / surgeStep]int // calls that arrived in each 100 ms
	Allowed float64                    // calls that the rate and the workers would have allowed
	Taken   int
}

// Peak is the fullest 100 ms over the mean.
func (s Surge) Peak() float64 {
	sum := 0
	for _, n := range s.Tenths {
		sum += n
	}
	return float64(len(s.Tenths)*slices.Max(s.Tenths[:])) / float64(max(sum, 1))
}

// Share is how much of what was allowed was used.
func (s Surge) Share() float64 { return float64(s.Taken) / max(s.Allowed, 1) }

// came counts a call that arrives while the org is open again.
func (s *Surge) came(now time.Duration) {
	if s.from == 0 {
		s.from = now
	}
	if i := int((now - s.from) / surgeStep); i < len(s.Tenths) {
		s.Tenths[i]++
	}
}

// took counts one that was accepted.
func (s *Surge) took(now time.Duration) {
	if s.from > 0 && now-s.from < surgeTime {
		s.Taken++
	}
}

// World is one org on virtual time. Arrive is called in the order of time.
type World struct {
	sc  *Scenario
	now time.Duration

	tokens float64
	closed time.Duration // the org takes nothing until then
	told   time.Duration // until then, as the answers said that have arrived
	said   []notice      // the answers with a Retry-After that are still under way
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

func (s span) holds(t time.Duration) bool { return t >= s.from && t < s.to }

// NewWorld starts an org with a full bucket.
func NewWorld(sc *Scenario) *World {
	w := &World{sc: sc, tokens: sc.Burst}
	if sc.Shut.to > 0 {
		rate, _ := sc.Rate(sc.Shut.to)
		w.Count.Surge.Allowed = surgeTime.Seconds() * min(rate, float64(sc.Workers)/sc.Trip.Seconds())
	}
	return w
}

// refill lets time pass at the hidden rate, which changes at known times.
func (w *World) refill(now time.Duration) {
	for w.now < now {
		rate, until := w.sc.Rate(w.now)
		if s := w.sc.Shut; w.now < s.to && now >= s.from {
			w.now, w.tokens = min(now, s.to), 1 // it keeps its word, and no more
			continue
		}
		end := min(until, now)
		w.tokens = math.Min(w.sc.Burst, w.tokens+rate*(end-w.now).Seconds())
		w.now = end
	}
}

// Arrive is one call.
func (w *World) Arrive(now time.Duration) Answer {
	w.Count.Calls++
	if s := w.sc.Shut; s.holds(now) {
		w.closed = max(w.closed, s.to)
	} else if s.to > 0 && now >= s.to {
		w.Count.Surge.came(now)
	}
	w.hear(now)
	if now < w.closed {
		if now < w.told {
			w.Count.InWindow++
		}
		w.announce(now)
		return w.refuse(Burst, time.Duration(math.Ceil((w.closed-now).Seconds()))*time.Second)
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
				w.announce(now)
			}
			return w.refuse(Burst, ra)
		}
		w.tokens--
	}
	w.Count.Surge.took(now)
	w.seq++
	w.opens(now, took)
	reading.Took = took
	return reading
}

// opens counts a call that the org took.
func (w *World) opens(now, took time.Duration) {
	if w.sc.Cap > 0 {
		w.open = append(w.open, now+took)
	}
	if w.sc.LongCap > 0 && took >= longCall {
		w.long = append(w.long, span{now + longCall, now + took})
	}
}

// nextRoom is when fewer long calls are open than the org allows.
func (w *World) nextRoom(now time.Duration) time.Duration {
	for w.sc.LongCap > 0 && w.crowded(now) != Taken {
		next := now + time.Second // others' come and go
		for _, s := range w.long {
			if s.to > now {
				next = min(next, s.to)
			}
		}
		now = next
	}
	return now
}

// notice is an answer that says until when the org takes nothing.
type notice struct{ heard, until time.Duration }

// announce notes that the answer to a call of now tells of the window. Only the
// first one counts: a caller that sent before it arrived could not know.
func (w *World) announce(now time.Duration) {
	if n := len(w.said); w.told < w.closed && (n == 0 || w.said[n-1].until < w.closed) {
		w.said = append(w.said, notice{now + w.sc.RejectTook, w.closed})
	}
}

// hear takes in what has arrived by now, at whichever caller.
func (w *World) hear(now time.Duration) {
	for len(w.said) > 0 && w.said[0].heard <= now {
		w.told, w.said = w.said[0].until, w.said[1:]
	}
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
		if w.sc.Others != nil {
			n += w.sc.Others(now)
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
