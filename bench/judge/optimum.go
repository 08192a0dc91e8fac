package judge

import (
	"container/heap"
	"time"
)

// Optimum is the least time in which somebody who knew everything beforehand
// would have done the work: each call goes as soon as a worker is free and the
// org would take it. Calls of one scenario are alike, so that sending as early
// as possible is best. Where calls differ in length (cap20s) it is the least of
// whoever keeps their order, as all policies here do: to send those of one
// length together would be quicker, and needs their lengths beforehand.
func Optimum(sc *Scenario) time.Duration {
	if sc.Neighbours != nil {
		return dailyOptimum(sc)
	}
	workers := sc.Workers
	if sc.Cap > 0 {
		workers = min(workers, sc.Cap)
	}
	free := make(times, workers)
	w := NewWorld(sc)
	end, now := time.Duration(0), time.Duration(0)
	for call := range sc.Calls {
		now = max(now, free[0], sc.Every*time.Duration(call))
		if sc.Rate != nil {
			now = max(now, w.nextToken(now))
			if sc.Shut.holds(now) {
				now = w.nextToken(sc.Shut.to)
			}
			w.refill(now)
			w.tokens--
		}
		now = w.nextRoom(now)
		took := sc.Latency(call)
		w.opens(now, took)
		done := now + took
		free[0] = done
		heap.Fix(&free, 0)
		end = max(end, done)
	}
	return end
}

// nextToken is when the bucket holds a call.
func (w *World) nextToken(now time.Duration) time.Duration {
	w.refill(now)
	lack, at := 1-w.tokens, now
	for lack > 0 {
		rate, until := w.sc.Rate(at)
		need := time.Duration(lack/rate*float64(time.Second)) + 1
		if until == forever || at+need <= until {
			return at + need
		}
		lack -= rate * (until - at).Seconds()
		at = until
	}
	return at
}

type times []time.Duration

func (t times) Len() int           { return len(t) }
func (t times) Less(i, j int) bool { return t[i] < t[j] }
func (t times) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *times) Push(x any)        { *t = append(*t, x.(time.Duration)) }
func (t *times) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}
