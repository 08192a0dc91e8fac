package governor

import "time"

// shutTimes is how many times longer than the pace explains an announced wait
// must be to say that the org is shut rather than its bucket empty.
const shutTimes = 8

// shut says whether an announced wait is too long for a bucket that is refilled
// at anything like the known pace: those name the time until the next call,
// rounded up to a second. An org that is shut for a while, by a gateway that
// restarts or a window of calls that is used up, says nothing about its rate.
func shut(pace int64, asked time.Duration) bool {
	return pace > 0 && int64(asked)-int64(time.Second) > shutTimes*gap(pace)
}

// known is a pace that rests on calls that were taken, where there is one.
func (r Rate) known() int64 {
	switch {
	case r.Trial.Back > 0:
		return r.Trial.Back
	case r.Low > 0:
		return r.Low
	}
	return r.Pace
}

// closed waits out such a time with all that is known. What the bucket holds at
// its end is not.
func (r Rate) closed(x event, asked time.Duration) Rate {
	r = r.empty(x, 0)
	r.EmptyAt, r.Blank = after(x.now, asked), true
	switch {
	case r.Trial.Back > 0:
		r.Pace, r.Trial.Back = r.Trial.Back, 0
	case r.High == 0 && r.Low > 0:
		r.Pace = r.Low // a search goes on from what is sure
	}
	return r
}
