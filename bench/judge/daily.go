package judge

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Neighbours are the other users of an org with a daily allocation: everything
// that they will ever do, by the minute, from a day before the start.
type Neighbours struct {
	Limit int64
	Floor int64   // what our policy leaves to the business
	Share int64   // what our policy lets us use in 24 hours
	calls []int64 // per minute; index dayMinutes is the start
	sum   []int64 // calls in the 24 hours that end with the minute
}

const dayMinutes = 24 * 60

// horizonDays bounds a run of the daily window.
const horizonDays = 20

// drawDaily makes a daily window with neighbours who use a share of it, in waves
// by the hour of the day, with noisy hours and batch jobs at any time. Their
// profile is not known to any policy beforehand.
func drawDaily(sc *Scenario, rng *rand.Rand, in Ranges) {
	n := &Neighbours{Limit: in.Limit}
	n.Floor, n.Share = max(2000, n.Limit*50/1000), n.Limit*400/1000 // as governor.DefaultPolicy
	level := in.Neighbours[0] + (in.Neighbours[1]-in.Neighbours[0])*rng.Float64()
	wave, phase := 0.9*rng.Float64(), 2*math.Pi*rng.Float64()
	batch := int64(0.02 * rng.Float64() * float64(n.Limit))
	sc.Calls = 4000 + rng.IntN(8000)
	n.calls = make([]int64, (horizonDays+1)*dayMinutes)
	perMinute := level * float64(n.Limit) / dayMinutes
	hour := 1.0
	for m := range n.calls {
		if m%60 == 0 {
			hour = math.Exp(0.1*rng.NormFloat64() - 0.005)
		}
		mean := perMinute * hour * (1 + wave*math.Sin(2*math.Pi*float64(m)/dayMinutes+phase))
		n.calls[m] = int64(math.Max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
		if rng.Float64() < 3.0/dayMinutes {
			n.calls[m] += batch
		}
	}
	n.sum = make([]int64, len(n.calls))
	total := int64(0)
	for m, c := range n.calls {
		if total += c; m >= dayMinutes {
			total -= n.calls[m-dayMinutes]
		}
		n.sum[m] = total
	}
	sc.Neighbours = n
	sc.Text = fmt.Sprintf("limit %d floor %d neighbours %.0f%% wave %.1f batch %d calls %d", n.Limit, n.Floor, 100*level, wave, batch, sc.Calls)
}

func minuteAt(now time.Duration) int { return int(now/time.Minute) + dayMinutes }

// daily counts our call against the window. Neighbours' calls of the minutes
// since the last one are judged first: one that is refused although there would
// have been room without us was starved by us.
func (w *World) daily(now time.Duration) (Answer, bool) {
	n, m := w.sc.Neighbours, minuteAt(now)
	if m >= len(n.calls) {
		return w.refuse(Daily, 0), false
	}
	w.passMinutes(m)
	used := n.sum[m] + w.ownSum
	if used >= n.Limit {
		a := w.refuse(Daily, 0)
		a.Used, a.Limit = used, n.Limit
		return a, false
	}
	for len(w.under) > 0 && w.under[0].at <= now {
		w.known, w.under = w.under[0], w.under[1:]
	}
	if used >= n.Limit-n.Floor {
		*w.below(m)++
	}
	w.own[m]++
	w.ownSum++
	w.under = append(w.under, reading{now + w.sc.Latency(w.seq), m, used + 1})
	return Answer{Used: used + 1, Limit: n.Limit}, true
}

// below names the figure for a call that the org, before it, already counted
// at the floor or below. What the org counts decides, because a governor may
// rightly forecast that others' calls have left since the newest reading. The
// reading says whose fault the call is. It crossed the floor knowingly when the
// newest reading that had arrived, less our own calls that have left since,
// stood at the floor too. Of a reading as old as the window no call is counted
// any more, so that it says nothing, and only another call can ask: those are
// kept apart. The rest is what nobody could know: the neighbours' calls since
// the reading.
func (w *World) below(m int) *int {
	n := w.sc.Neighbours
	switch said := w.known.used - w.aged(w.known.minute, m); {
	case said < n.Limit-n.Floor:
		return &w.Count.Unseen
	case m-w.known.minute >= dayMinutes:
		return &w.Count.Asked
	}
	return &w.Count.Crossed
}

// aged is how many of our calls have left the window between two minutes.
func (w *World) aged(from, to int) int64 {
	gone := int64(0)
	for m := max(from, dayMinutes) + 1; m <= to; m++ {
		gone += w.own[m-dayMinutes]
	}
	return gone
}

// Settle judges the day after the last call, in which our calls still take up
// the neighbours' room.
func (w *World) Settle(now time.Duration) {
	if n := w.sc.Neighbours; n != nil {
		w.passMinutes(min(minuteAt(now)+dayMinutes, len(n.calls)-1))
	}
}

// over says whether the time of a scenario with neighbours has run out: nothing
// is drawn of what they do later, so that no run can go on.
func (sc *Scenario) over(now time.Duration) bool {
	return sc.Neighbours != nil && minuteAt(now) >= len(sc.Neighbours.calls)
}

func (w *World) passMinutes(m int) {
	n := w.sc.Neighbours
	if w.own == nil {
		w.own, w.minute = make([]int64, len(n.calls)), dayMinutes
	}
	for w.minute < m {
		w.minute++
		w.ownSum -= w.own[w.minute-dayMinutes]
		over := n.sum[w.minute] + w.ownSum - n.Limit
		if over > 0 {
			w.Count.Starved += int(min(over, n.calls[w.minute], w.ownSum))
		}
	}
}

// dailyOptimum sends each call as early as the window allows, knowing what the
// neighbours will do: none while both together are at the floor, none that a
// neighbour would lack within the following day, and no more than our share.
func dailyOptimum(sc *Scenario) time.Duration {
	n := sc.Neighbours
	room := make([]int64, len(n.calls)+dayMinutes)  // calls that nobody will need
	above := make([]int64, len(n.calls)+dayMinutes) // calls above the floor, and of our share
	for m := range room {
		room[m] = n.Limit - n.sum[min(m, len(n.sum)-1)]
		above[m] = min(room[m]-n.Floor, n.Share)
	}
	left, bare := int64(sc.Calls), time.Duration(0)
	for call := range sc.Calls {
		bare += sc.Latency(call) / time.Duration(sc.Workers)
	}
	for m := dayMinutes; m < len(n.calls); m++ {
		can := min(left, above[m])
		for t := m; t < m+dayMinutes; t++ {
			can = min(can, room[t])
		}
		if can <= 0 {
			continue // even the neighbours alone may be at the limit
		}
		for t := m; t < m+dayMinutes; t++ {
			room[t] -= can
			above[t] -= can
		}
		if left -= can; left == 0 {
			return max(time.Duration(m-dayMinutes)*time.Minute, bare)
		}
	}
	return 0 // the neighbours leave too little within the horizon
}
