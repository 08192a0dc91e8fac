package demo

import (
	"context"
	"time"

	"github.com/weirhq/weir"
)

// How often it is looked whether everything waits, and how often the loop looks
// and acts for the people.
const (
	look  = 20 * time.Millisecond
	round = 100 * time.Millisecond
)

// pass lets time go by. When nothing is left but what a person must decide, it
// goes by as on the wall.
func (d *Demo) pass(ctx context.Context, acted, over bool) error {
	switch {
	case d.byHand() && (acted || !over):
		return d.skip(ctx, acted)
	case over && !acted:
		d.clock.Rest()
	}
	return sleep(ctx, round)
}

// pace lets the clock run fast whenever everything waits.
func (d *Demo) pace(ctx context.Context) error {
	for {
		if calls, slow := d.clock.Slow(); slow {
			idle, err := d.idle(ctx)
			if err != nil {
				return stopped(ctx, err)
			}
			if idle {
				d.clock.Hurry(calls)
			}
		}
		if sleep(ctx, look) != nil {
			return nil
		}
	}
}

// idle says whether everything waits: for a time, not for a person or for
// weir's own control round.
func (d *Demo) idle(ctx context.Context) (bool, error) {
	due, err := d.engine.Due(ctx)
	if err != nil || len(due) > 0 {
		return false, err
	}
	t, err := d.engine.Totals(ctx)
	if err != nil {
		return false, err
	}
	soon := t.Steps[weir.StepExecuting] + t.Requests[weir.Received] + t.Requests[weir.AwaitingApproval] + t.Requests[weir.Sealing]
	_, more := d.desk.next()
	return soon == 0 && (more || t.Steps[weir.StepWaiting]+t.Steps[weir.StepReady] > 0), nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
