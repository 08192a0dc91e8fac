package metrics

import (
	"context"
	"time"

	"github.com/weirhq/weir"
)

// Source is what a scrape needs. It must give up when ctx ends.
type Source interface {
	Snapshot(ctx context.Context) (Snapshot, error)
}

// Snapshot is every figure at one moment.
type Snapshot struct {
	Now  time.Time // of the snapshot; ages and the gate are seen from here
	Orgs []OrgSnapshot

	Steps    map[weir.StepState]int
	Requests map[weir.Stage]int // not yet ended, and ended

	DeadLetters     int           // open ones
	OldestLetterAge time.Duration // of an open one; 0 without any

	Ready   int // steps that a slot may claim now
	Waiting int // steps that wait for a recorded time

	Sealed          int           // payloads in the vault
	OldestSealedAge time.Duration // 0 without any
	Journal         int           // outcomes that wait for the store to come back

	// The accounting invariant over steps: Accepted is the sum of the others.
	Accepted, Done, WaitingSteps, Dead, Cancelled int64
}

// Balance is what the accounting invariant is off by; it is always 0.
func (s Snapshot) Balance() int64 {
	return s.Accepted - s.Done - s.WaitingSteps - s.Dead - s.Cancelled
}

// OrgSnapshot is how one org stands.
type OrgSnapshot struct {
	Org weir.OrgID

	DailyUsed  int64 // of the rolling day, by everybody
	DailyLimit int64 // 0 before the first reading: the daily figures are then absent
	Floor      int64 // calls that are left to the business

	BurnPerHour float64 // daily consumption velocity, by everybody

	InFlight int // our calls that are open now
	Width    int // how many may be

	GateOpenAt time.Time // calls are held back until then; zero or past = open
	Breaker    bool      // credentials failed twice: nothing is sent
	Broken     int       // objects of which nothing works

	Late int // open requests that the schedule has given up
}

// saturation is the used part of the allowed concurrency. Without any allowed,
// a call in flight counts as full.
func (o OrgSnapshot) saturation() float64 {
	if o.Width <= 0 {
		return boolean(o.InFlight > 0)
	}
	return float64(o.InFlight) / float64(o.Width)
}

// gate is how long the org's gate stays closed.
func (o OrgSnapshot) gate(now time.Time) time.Duration {
	if o.GateOpenAt.IsZero() {
		return 0
	}
	return max(0, o.GateOpenAt.Sub(now))
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
