package governor

import (
	"slices"
	"time"
)

// Shift moves everything that the governor remembers by what the wall clock was
// stepped by. To the governor nothing happened then: a gate that had ten
// minutes to go has ten minutes to go.
func Shift(s State, by time.Duration) State {
	move := func(at *int64) {
		if *at > 0 { // 0 is never
			*at = min(max(*at+int64(by), 1), lastInstant)
		}
	}
	for _, at := range []*int64{
		&s.Gate.Until, &s.Gate.CutAt, &s.ProbeAt, &s.BurstAt, &s.Left.At, &s.PacedTo,
		&s.Rate.NextAt, &s.Rate.EmptyAt, &s.Rate.CutAt, &s.Notice.From, &s.Notice.At, &s.CapAt, &s.Long.CapAt, &s.Long.SeenAt, &s.RetriesAt,
		&s.Auth.RenewAt, &s.Auth.RenewedAt, &s.Auth.OpenAt, &s.Auth.NextAt,
		&s.Daily.At, &s.App.At, &s.Extra.At, &s.Neighbours.Since, &s.BlockedAt,
	} {
		move(at)
	}
	s.Objects = slices.Clone(s.Objects) // states share their lists
	for i := range s.Objects {
		o := &s.Objects[i]
		for _, at := range []*int64{&o.FailAt, &o.Until, &o.CutAt, &o.ProbeAt, &o.ToldAt} {
			move(at)
		}
	}
	s.Long.Slow = slices.Clone(s.Long.Slow)
	for i := range s.Long.Slow {
		move(&s.Long.Slow[i].At)
	}
	// Calls are kept by the minute, and none may lie in a minute to come, where
	// it would not be counted: a call may leave the window up to a minute early.
	minutes := int64(by) / minute
	if int64(by)%minute < 0 {
		minutes--
	}
	s.Own.Past, s.Neighbours.Past = s.Own.Past.shift(minutes), s.Neighbours.Past.shift(minutes)
	s.Neighbours.Highs, s.Neighbours.Watched = s.Neighbours.Highs.shift(minutes), s.Neighbours.Watched.shift(minutes)
	if s.Own.Minute > 0 {
		s.Own.Minute = max(s.Own.Minute+minutes, 1)
	}
	return s
}

func (r Ring) shift(minutes int64) Ring {
	out := slices.Clone(r) // states share their rings
	for i := range out {
		out[i].Minute += minutes
	}
	return out
}
