package schedule

import (
	"slices"
	"time"
)

// Experience is what past requests of one kind have taught about the next
// ones. The zero value knows nothing yet. All shares are per mille, so that
// what is learnt is the same on every machine.
type Experience struct {
	Mean   int64   `json:"mean,omitempty"`   // calls that one costs in all
	Factor int64   `json:"factor,omitempty"` // calls that it cost, of those that its plan said
	Spread []int64 `json:"spread,omitempty"` // time that it took, of the time foreseen; newest last
}

// Before anything was learnt: a small request, a plan that is right, and
// finishes that come between half and two and a half times the time foreseen.
const firstMean, sound = 20, 1000

func firstSpread() []int64 { return []int64{500, 700, 850, 950, 1050, 1200, 1600, 2500} }

// remembered is how many finishes the spread is made from.
const remembered = 64

// Left is how many calls a request still costs, given those it has made and
// those its plan foresees in all; 0 stands for no plan yet. A plan that is used
// up was wrong by more than is seen so far: an eighth of the calls made is still
// expected, so that a person is told before the due date and not at it.
func (e Experience) Left(made, planned int64) int64 {
	if planned <= 0 {
		return max(e.mean()-made, e.mean()/4, 1)
	}
	if left := planned*e.factor()/sound - made; left > 0 {
		return left
	}
	return max(made/8, 1)
}

// Learn takes the lesson of a request that has ended: the calls it made, what
// its plan said, and how long it took beside the time that was foreseen (0:
// nothing was foreseen).
func (e Experience) Learn(made, planned int64, took, foreseen time.Duration) Experience {
	e.Mean = toward(e.mean(), max(made, 1))
	if planned > 0 {
		e.Factor = toward(e.factor(), min(max(made*sound/planned, sound/4), sound*4))
	}
	if foreseen > 0 && took >= 0 {
		share := min(took/time.Second*sound/max(foreseen/time.Second, 1), 20*sound)
		spread := append(slices.Clone(e.spread()), int64(share))
		e.Spread = spread[max(len(spread)-remembered, 0):]
	}
	return e
}

// Quantile is when a finish that is foreseen at a time will have come in so
// many per mille of the cases, as far as past ones tell. The next finish is as
// likely to fall before, between or behind any two of the n past ones, so that
// ranks count from n+1, and away from the middle: between the tenth and the
// ninetieth percentile come at least 80 % (conformal prediction: Vovk, Gammerman,
// Shafer, Algorithmic Learning in a Random World, section 2.2).
func (e Experience) Quantile(now, foreseen time.Time, perMille int) time.Time {
	spread := slices.Sorted(slices.Values(e.spread()))
	rank := (len(spread) + 1) * perMille
	if perMille >= 500 {
		rank += 999
	}
	i := min(max(rank/1000-1, 0), len(spread)-1)
	seconds := int64(min(max(foreseen.Sub(now), 0), inSight)/time.Second) * spread[i] / sound
	return now.Add(time.Duration(seconds) * time.Second)
}

// toward moves an eighth of the way, and at least by one.
func toward(old, seen int64) int64 {
	switch step := (seen - old) / 8; {
	case step != 0:
		return old + step
	case seen > old:
		return old + 1
	case seen < old:
		return old - 1
	}
	return old
}

func (e Experience) mean() int64 {
	if e.Mean > 0 {
		return e.Mean
	}
	return firstMean
}

func (e Experience) factor() int64 {
	if e.Factor > 0 {
		return e.Factor
	}
	return sound
}

func (e Experience) spread() []int64 {
	if len(e.Spread) > 0 {
		return e.Spread
	}
	return firstSpread()
}
