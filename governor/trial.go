package governor

import "time"

// Trial tells rejects that come by chance, because of a neighbour or of a
// gateway with worries of its own, from those of a rate. Each reject lowers the
// pace, and those by chance come at every pace, so that they would lower it
// without end. So after some rejects that came soon one after the other, a few
// calls go much faster than the bounds allow. Where a rate is hidden the first
// or second of them is refused, and the pace is what it was; otherwise the
// bounds are forgotten and the pace is looked for anew.
type Trial struct {
	Back  int64 `json:"back,omitempty"`  // the pace to go back to if the trial under way fails; 0 = none is
	Sure  int64 `json:"sure,omitempty"`  // the highest pace that was sure since calls last went well for long
	Doubt int   `json:"doubt,omitempty"` // rejects since then, those after hardly a call count twice
	Asked bool  `json:"asked,omitempty"` // the last reject meant a steep fall, and is to be confirmed
	Known bool  `json:"known,omitempty"` // calls once went well for long: there is a rate, and it is known
}

// Parameters of the trial, chosen on the tuning seeds of bench/judge.
const (
	doubtMost = 3                             // so much doubt begins a trial
	thinCalls = 4                             // fewer calls than this before a reject are hardly any
	wellCalls = 64                            // so many taken in a row say that the pace is right
	tryTimes  = 8                             // a trial is so much faster than the pace, at least
	tryCalls  = 4                             // and says nothing before so many calls were taken
	tryMost   = 32                            // nor after so many
	tryFree   = 5                             // calls that a bucket may have had ready that was not empty before it
	tryGate   = int64(500 * time.Millisecond) // longest wait before it: a bucket fills meanwhile
	steepFall = 4                             // a fall to less than this part of what is sure,
	steepPace = 16                            // or of this part of the pace, needs a second reject,
	steepGaps = 64                            // and that one within the time of so many calls
	steepSoon = int64(5 * time.Second)        // and this
	earlyPace = millionths                    // a pace below one call a second, while nothing is known,
	earlyHold = int64(15 * time.Second)       // is tried even without a reject, first after so long
)

// doubted counts a reject that came after n calls.
func (r Rate) doubted(n int64) Rate {
	switch t := &r.Trial; {
	case n >= wellCalls:
		*t = Trial{Sure: r.Low, Known: true}
	case n < thinCalls:
		t.Doubt += 2
	default:
		t.Doubt++
	}
	return r
}

// confirmed says whether a reject, so long after the last one, confirms a steep
// fall. Where calls are seldom, one that is refused by chance would mean a rate
// as seldom as they are; a bucket that really is that slow refuses the next too.
func (r Rate) confirmed(took int64) bool {
	return r.Trial.Asked && took <= steepSoon+steepGaps*gap(r.Pace)
}

// try begins a trial.
func (r Rate) try() Rate {
	r.Trial.Back, r.Trial.Doubt = r.Pace, 0
	r.Pace = max(r.Trial.Sure, min(tryTimes*r.Pace, maxRate))
	return r
}

// tried learns from n calls in a row that the trial under way had taken, at a
// mean of low. They bound nothing: the bucket may have been filled before.
func (r Rate) tried(n, low int64) Rate {
	switch t := &r.Trial; {
	case n < tryCalls:
	case low >= 2*max(t.Back, r.High):
		t.Back, r.Low, r.High = 0, max(r.Low, low), 0
	case n >= tryMost:
		r.Pace, t.Back = t.Back, 0
	}
	return r
}

// failed ends a trial that the org refused after n calls: the pace is what it
// was. A bucket would have taken the first call at least, about two having come
// in before the trial, so that a reject of the first says nothing.
func (r Rate) failed(n int64) Rate {
	r.Pace, r.Trial.Back = r.Trial.Back, 0
	if n == 0 {
		r.Trial.Doubt = doubtMost - 1
	} else {
		r.Hold = min(2*r.Hold, holdMost)
	}
	return r
}

// early says whether the pace is slow and rests on hardly any calls.
func (r Rate) early() bool { return r.Pace < earlyPace && !r.Trial.Known }
