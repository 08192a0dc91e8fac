package governor

import (
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

	Blank bool `json:"blank,omitempty"` // the org was shut: what the bucket held at EmptyAt is not known

	Hold int64 `json:"hold,omitempty"` // how long after a reject the pace may not pass what is known

	Trial Trial `json:"trial,omitzero"` // whether rejects come by chance
}

// Parameters of the law, chosen on the tuning seeds of bench/judge.
const (
	quickDoubt  = 5
	searchMost  = 8
	searchFree  = 4 * millionths
	growTrip    = 4                              // the pace grows by about a quarter in a round trip at most, and a search by e
	searchStart = 4                              // paced calls per first gate, when nothing is known yet
	holdLeast   = int64(1500 * time.Millisecond) // first hold after a change
	holdMost    = int64(10 * time.Minute)        // longest hold
	holdCalls   = 16                             // a first hold lasts at least as many calls
	holdGates   = 25                             // and as many times the gate that a reject costs
	lateWake    = int64(20 * time.Millisecond)   // a call that woke late does not slow its followers
)

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
	if low > r.Low && !r.Blank {
		r.Low, r.Trial.Sure = low, max(r.Trial.Sure, low)
		if r.High > 0 && low > r.High {
			r.High = 0 // it has risen
		}
	}
	r.Pace = max(r.Pace, r.between())
	switch {
	case !r.Bound:
	case r.High == 0:
		r.Pace = max(r.Pace, min(r.Pace+r.Pace/max(2, x.inFlight), max(searchMost*r.Low, searchFree)))
	case x.now-r.CutAt < r.Hold:
	case r.early():
		r.Hold = min(2*r.Hold, holdMost)
		r = r.try()
		r.EmptyAt, r.CutAt, r.Sent, r.NextAt = x.now, x.now, -tryFree, 0
	default:
		r.Pace += r.Pace / max(32, growTrip*x.inFlight)
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
	late := r.sentAfter(x)
	n := r.before(x)
	switch asked := x.retryAfter(); {
	case r.Pace == 0 && n >= wellCalls && shut(perSecond(n, took), asked):
		r.Pace = perSecond(n, took)
		r = r.closed(x, asked)
	case r.Pace == 0:
		r.RunCalls, r.RunTime, r.Trial.Sure = n, took, perSecond(n, took)
		r.Pace, r.Hold = max(perSecond(searchStart, int64(gate)), searchFree/2), 0
		return r.empty(x, late), 0
	case shut(r.known(), asked):
		r = r.closed(x, asked)
	case r.Blank:
		r.Blank = false // that the bucket is empty is all that this reject says
		r = r.empty(x, late)
	case r.Trial.Back > 0:
		r = r.failed(n).empty(x, late)
	default:
		if r = r.doubted(n); r.Trial.Doubt >= doubtMost {
			wait := min(2*gap(r.Pace), tryGate)
			return r.try().empty(x, late), time.Duration(wait)
		}
		r = r.bounded(x, n, took).empty(x, late)
	}
	return r, time.Duration(2 * gap(r.Pace))
}

// sentAfter estimates how many calls were sent after one of which we hear now.
func (r Rate) sentAfter(x event) int64 {
	late := callsIn(r.Pace, x.now-x.sent)
	if r.Pace == 0 {
		late = mulDiv(r.Sent, x.now-x.sent, max(x.now-r.EmptyAt, 1))
	}
	return min(late, x.inFlight)
}

// before is how many calls were sent before it, since the bucket was last empty.
func (r Rate) before(x event) int64 { return max(r.Sent-1-r.sentAfter(x), 0) }

// bounded learns from a reject after n accepted calls since the bucket was last
// empty, and chooses the pace anew.
func (r Rate) bounded(x event, n, took int64) Rate {
	was, held := r, x.now-r.CutAt < r.Hold
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
	if high < max(r.Low, r.Pace/steepPace)/steepFall && !r.confirmed(took) {
		was.Trial.Asked = true
		return was
	}
	r.Trial.Asked = false
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
	if !held {
		r.Hold *= 2 // looking for more cost a reject
	}
	g := gap(r.Pace)
	least := max(holdLeast, holdCalls*g, 2*holdGates*g)
	if r.early() {
		least = min(least, earlyHold)
	}
	r.Hold = min(max(r.Hold, least), holdMost)
	return r
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

func (r Rate) perMinute() int64 { return r.Pace * 60 / millionths }

func (r Rate) evidence() []weir.Evidence {
	return []weir.Evidence{number("pace-per-minute", r.perMinute())}
}
