package engine

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// QuietHours are a part of every day in which weir's share of an org's calls is
// the governor's QuietShare. The governor is told with each ask whether it is quiet
// and when that turns, so that its decisions replay without zones.
type QuietHours struct {
	Zone  *time.Location
	From  int // minute of the day in the zone, from which on it is quiet
	Until int // and until which; before From, the window passes midnight
}

// At says whether it is quiet at a time; never without hours.
func (q *QuietHours) At(at time.Time) bool {
	if q == nil {
		return false
	}
	at = at.In(q.Zone)
	m := at.Hour()*60 + at.Minute()
	if q.From <= q.Until {
		return m >= q.From && m < q.Until
	}
	return m >= q.From || m < q.Until
}

// Turns is when it next begins or ends to be quiet after a time; zero without
// hours. Where summer time begins or ends, a window may begin or end with the
// jump, or come twice.
func (q *QuietHours) Turns(after time.Time) time.Time {
	if q == nil {
		return time.Time{}
	}
	local := after.In(q.Zone)
	_, jump := local.ZoneBounds()
	next := time.Time{}
	look := func(at time.Time) {
		if at.After(after) && (next.IsZero() || at.Before(next)) && q.At(at) != q.At(at.Add(-time.Nanosecond)) {
			next = at
		}
	}
	offsets := []int{offset(local)}
	if !jump.IsZero() {
		look(jump)
		offsets = append(offsets, offset(jump.In(q.Zone)))
	}
	year, month, day := local.Date()
	for d := -1; d <= 2; d++ {
		for _, m := range []int{q.From, q.Until} {
			for _, seconds := range offsets {
				look(time.Date(year, month, day+d, 0, m, -seconds, 0, time.UTC))
			}
		}
	}
	return next.UTC()
}

func offset(at time.Time) int {
	_, seconds := at.Zone()
	return seconds
}

// ask is the question whether one call may be sent at a time, with what the
// governor must know of the org's quiet hours.
func (l *lane) ask(now time.Time) weir.Ask {
	return weir.Ask{Now: now, Cost: 1, Quiet: l.Quiet.At(now), TurnsAt: l.Quiet.Turns(now)}
}

// policyAt is the org's policy with the share that is in force at a time.
func (l *lane) policyAt(now time.Time) governor.Policy {
	return l.Governor.During(l.Quiet.At(now))
}
