package governor

import (
	"math"
	"math/bits"
	"time"

	"github.com/weirhq/weir"
)

// Rate is what is known about a rate limit that the org does not state. Its
// model is a bucket: it holds some calls, is refilled at a hidden rate, and a
// reject says that it is empty. Between two moments at which it was empty no
// more calls can have been accepted than came in, and exactly as many where
// it cannot have run over meanwhile. So each reject bounds the rate from both
// sides, and bounds that contradict each other say that the rate has changed.
// Rates are in millionths of a call per second; 0 is "not known".
type Rate struct {
	Pace   int64 `json:"pace,omitempty"`    // calls are sent at most this fast; 0 = as fast as slots allow
	NextAt int64 `json:"next_at,omitempty"` // the next call may not go before

	Low  int64 `json:"low,omitempty"`  // the hidden rate is at least this
	High int64 `json:"high,omitempty"` // and at most this

	EmptyAt int64 `json:"empty_at,omitempty"` // the bucket was empty; before the first reject, the first call
	CutAt   int64 `json:"cut_at,omitempty"`   // when we heard of it
	Sent    int64 `json:"sent,omitempty"`     // calls sent since
	Late    int64 `json:"late,omitempty"`     // calls that were sent between the two, and may have been accepted

	Bound bool `json:"bound,omitempty"` // the last call was held back by the pace, not by a lack of work or slots

	RunCalls int64 `json:"run_calls,omitempty"` // calls taken before the first reject ever, and
	RunTime  int64 `json:"run_time,omitempty"`  // how long that took: they tell how much the bucket holds

	Quick int `json:"quick,omitempty"` // rejects in a row with few calls between them

	Hold int64 `json:"hold,omitempty"` // how long after a reject the pace may not pass what is known

	Trial Trial `json:"trial,omitzero"` // whether rejects come by chance
}

// Parameters of the law, chosen on the tuning seeds of bench/judge.
const (
	quickDoubt  = 5
	searchMost  = 8
	searchFree  = 4 * millionths
	searchStart = 4                               // paced calls per first gate, when nothing is known yet
	holdLeast   = int64(1500 * time.Millisecond)  // first hold after a change
	holdMost    = int64(10 * time.Minute)         // longest hold
	holdCalls   = 16                              // a first hold lasts at least as many calls
	holdGates   = 25                              // and as many times the gate that a reject costs
	lateWake    = int64(20 * time.Millisecond)    // a call that woke late does not slow its followers
	maxRate     = int64(1_000_000) * millionths   // nothing is known of faster limits
	millionths  = int64(1_000_000)                // of a call per second
	unit        = millionths * int64(time.Second) // gap · rate
)

// mulDiv is a·b/c without overflow, at most the greatest int64.
func mulDiv(a, b, c int64) int64 {
	if a <= 0 || b <= 0 || c <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= uint64(c) {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(min(q, math.MaxInt64))
}

// perSecond is the rate of n calls in d nanoseconds.
func perSecond(n, d int64) int64 { return min(mulDiv(n, unit, max(d, 1)), maxRate) }

// callsIn is how many calls a rate gives in d nanoseconds.
func callsIn(rate, d int64) int64 { return min(mulDiv(rate, d, unit), maxCount) }

// gap is the time between two calls at a rate.
func gap(rate int64) int64 { return min(unit/max(rate, 1), holdMost) }

// mean is the geometric mean of two rates.
func mean(a, b int64) int64 {
	const scale = 20 // maxRate shifted by it still fits
	return root(min(a, maxRate)<<scale) * root(min(b, maxRate)<<scale) >> scale
}

// root is the integer square root, by Newton's method from above.
func root(n int64) int64 {
	if n <= 0 {
		return 0
	}
	x := int64(1) << ((bits.Len64(uint64(n)) + 1) / 2)
	for {
		y := (x + n/x) / 2
		if y >= x {
			return x
		}
		x = y
	}
}

// admitted counts a call that is sent now and says when the next may go.
func (r Rate) admitted(now int64) Rate {
	if r.EmptyAt == 0 {
		r.EmptyAt = now
	}
	r.Sent = min(r.Sent+1, maxCount)
	if r.Pace > 0 {
		g := gap(r.Pace)
		late := now - r.NextAt
		if r.NextAt == 0 || late > min(g/16, lateWake) {
			late = 0
		}
		r.Bound = r.NextAt > 0 && now-r.NextAt <= min(g/16, lateWake)
		r.NextAt = min(now-late+g, lastInstant)
	}
	return r
}

// taken learns from an accepted call. What is known for sure raises the pace at
// once; after the hold, the pace is raised beyond it to look for more.
func (r Rate) taken(x event) Rate {
	if r.Pace <= 0 || x.sent <= r.CutAt {
		return r
	}
	r.Pace = min(r.Pace, maxRate)
	// Those in flight were sent after this one and may still be refused.
	n := r.Sent - 1 - x.inFlight
	low := perSecond(n, x.sent-r.EmptyAt)
	if r.Trial.Back > 0 {
		return r.tried(n, low)
	}
	if low > r.Low {
		r.Low, r.Trial.Sure = low, max(r.Trial.Sure, low)
		if r.High > 0 && low > r.High {
			r.High = 0 // it has risen
		}
	}
	r.Pace = max(r.Pace, r.between())
	switch {
	case !r.Bound:
	case r.High == 0:
		r.Pace = max(r.Pace, min(r.Pace+r.Pace/2, max(searchMost*r.Low, searchFree)))
	case x.now-r.CutAt < r.Hold:
	case r.early():
		r.Hold = min(2*r.Hold, holdMost)
		r = r.try()
		r.EmptyAt, r.CutAt, r.Sent, r.NextAt = x.now, x.now, -tryFree, 0
	default:
		r.Pace += r.Pace / 32
	}
	r.Pace = min(r.Pace, maxRate)
	return r
}

// refused learns from a reject of the same event as the one before.
func (r Rate) refused() Rate {
	r.Late = max(r.Late-1, 0)
	return r
}

// emptied learns from the first reject of an event, and returns the time after
// which about two calls have come in; 0 when nothing is known yet.
func (r Rate) emptied(x event, gate time.Duration) (Rate, time.Duration) {
	took := max(x.sent-r.EmptyAt, 1)
	late := callsIn(r.Pace, x.now-x.sent)
	if r.Pace == 0 {
		late = mulDiv(r.Sent, x.now-x.sent, max(x.now-r.EmptyAt, 1))
	}
	late = min(late, x.inFlight)
	n := max(r.Sent-1-late, 0)
	if r.Pace == 0 {
		r.RunCalls, r.RunTime, r.Trial.Sure = n, took, perSecond(n, took)
		r.Pace = max(perSecond(searchStart, int64(gate)), searchFree/2)
		r.Hold = 0
		return r.empty(x, late), 0
	}
	if r.Trial.Back > 0 { // the org refuses the higher pace: it was no chance
		r.Pace, r.Hold = r.Trial.Back, min(2*r.Hold, holdMost)
		r.Trial.Back = 0
		return r.empty(x, late), time.Duration(2 * gap(r.Pace))
	}
	if r = r.doubted(n); r.Trial.Doubt >= doubtMost {
		g := min(2*gap(r.Pace), tryGate)
		return r.try().empty(x, late), time.Duration(g)
	}
	was := r
	low, high := perSecond(n-1, took), r.Pace
	if r.High > 0 {
		high = min(high, r.High)
	}
	if r.ranOver(n, took) > min(high, 2*perSecond(n+1, took)) {
		high = min(high, perSecond(n+1+r.Late, took))
	}
	high = max(high, 1000)
	low = min(low, high)
	if r.Quick = min(r.Quick+1, maxStrikes); n >= holdCalls {
		r.Quick = 0
	}
	switch {
	case r.High > 0 && low > r.High+r.High/8, high < r.Low-r.Low/8:
		r.Low, r.High, r.Hold = low, high, 0 // it has changed
	default:
		// Rejects one after another say that what seemed sure no longer is.
		doubt := high >> max(quickDoubt-r.Quick, 1)
		r.Low, r.High = max(min(r.Low, high-doubt), low), high
	}
	r.Pace = r.between()
	if r.Low == 0 {
		r.Pace = r.High / 2
	}
	r.Pace = max(r.Pace, 1000)
	g := 2 * gap(r.Pace)
	if x.now-was.CutAt >= was.Hold {
		r.Hold *= 2 // looking for more cost a reject
	}
	least := max(holdLeast, holdCalls*gap(r.Pace), holdGates*g)
	if r.early() {
		least = min(least, earlyHold)
	}
	r.Hold = min(max(r.Hold, least), holdMost)
	return r.empty(x, late), time.Duration(g)
}

// between is the pace to try while the hidden rate lies between two bounds: a
// little below their geometric mean, and at most twice of what is sure.
func (r Rate) between() int64 {
	if r.High == 0 {
		return 2 * r.Low
	}
	return min(mean(r.Low, r.High)/1000*985, 2*r.Low)
}

func (r Rate) empty(x event, late int64) Rate {
	r.EmptyAt, r.CutAt, r.Sent, r.Late, r.NextAt = x.sent, x.now, 0, late, 0
	return r
}

// ranOver is the least hidden rate at which a bucket, empty d ago, can have run
// over while n calls were sent. What it holds at least is known from the run
// before the first reject.
func (r Rate) ranOver(n, d int64) int64 { return perSecond(n+r.RunCalls, d+r.RunTime) }

// spread adds up to a half, and less than a second, to a wait.
func spread(d time.Duration, jitter uint32) time.Duration {
	return d + time.Duration(mulDiv(int64(scatter(jitter)), min(int64(d/2), int64(time.Second)), int64(time.Second)))
}

func (r Rate) evidence() []weir.Evidence {
	return []weir.Evidence{number("pace-per-minute", r.Pace*60/millionths)}
}
