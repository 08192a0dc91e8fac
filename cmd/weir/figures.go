package main

import (
	"context"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/metrics"
)

// figures gives the metrics their view of an engine.
type figures struct{ engine *engine.Engine }

// Snapshot implements metrics.Source.
func (f figures) Snapshot(ctx context.Context) (metrics.Snapshot, error) {
	now := f.engine.Now()
	t, err := f.engine.Totals(ctx)
	if err != nil {
		return metrics.Snapshot{}, err
	}
	a := t.StepSums
	s := metrics.Snapshot{
		Now: now, Steps: t.Steps, Requests: t.Requests,
		DeadLetters: t.Letters, OldestLetterAge: age(now, t.OldestDead),
		Ready: t.Steps[weir.StepReady], Waiting: t.Steps[weir.StepWaiting],
		Sealed: t.Sealed, OldestSealedAge: age(now, t.OldestSeal), Journal: t.Journal,
		Accepted: a.Accepted, Done: a.Done, WaitingSteps: a.Waiting, Dead: a.Dead, Cancelled: a.Cancelled,
	}
	orgs := f.engine.OrgIDs()
	slices.Sort(orgs)
	for _, id := range orgs {
		o, err := f.engine.Limits(ctx, id)
		if err != nil {
			return s, err
		}
		org := orgFigures(o)
		if org.Late, err = f.engine.Late(ctx, id); err != nil {
			return s, err
		}
		s.Orgs = append(s.Orgs, org)
	}
	return s, nil
}

func orgFigures(o engine.OrgStatus) metrics.OrgSnapshot {
	v := o.View
	s := metrics.OrgSnapshot{
		Org: o.Org, DailyUsed: v.Used, DailyLimit: v.Limit, Floor: v.Floor, BurnPerHour: float64(v.Velocity),
		InFlight: o.InFlight, Width: v.Width, GateOpenAt: v.GateUntil, Breaker: v.Breaker, Broken: len(v.Objects),
	}
	if o.WakeAt.After(s.GateOpenAt) {
		s.GateOpenAt = o.WakeAt
	}
	return s
}

// age is how long ago something was; 0 when it never was.
func age(now, since time.Time) time.Duration {
	if since.IsZero() {
		return 0
	}
	return now.Sub(since)
}
