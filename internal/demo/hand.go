package demo

import (
	"context"
	"errors"
	"fmt"
)

// A demonstration at speed 0 takes its turns by hand, as simulations do: one
// after another and without the queue, and where everything waits, the clock
// goes on to the next wake-up. The same seed then gives the same run, but for
// the ids that weir draws.

func (d *Demo) byHand() bool { return d.opts.Speed <= 0 }

// tooMany bounds the turns between two wake-ups: above it, something spins.
const tooMany = 10_000

// turns works until nothing is due now.
func (d *Demo) turns(ctx context.Context) error {
	if !d.byHand() {
		return nil
	}
	for range tooMany {
		if err := d.engine.Control(ctx); err != nil {
			return err
		}
		due, err := d.engine.Due(ctx)
		if err != nil {
			return err
		}
		worked := false
		for _, org := range due {
			did, err := d.engine.Turn(ctx, org)
			if err != nil {
				return err
			}
			worked = worked || did
		}
		if !worked {
			return nil
		}
	}
	return fmt.Errorf("%d turns and still work to do: something spins", tooMany)
}

// skip goes to the next moment at which anything happens.
func (d *Demo) skip(ctx context.Context, acted bool) error {
	if acted || ctx.Err() != nil {
		return ctx.Err()
	}
	next, waits, err := d.engine.NextWake(ctx)
	if err != nil {
		return err
	}
	if at, more := d.desk.next(); more && (!waits || at.Before(next)) {
		next, waits = at, true
	}
	if !waits {
		// A pace waits for milliseconds only: they may have passed since the turn.
		due, err := d.engine.Due(ctx)
		if err != nil || len(due) > 0 {
			return err
		}
		return errors.New("nothing is due, and not everything is over")
	}
	d.clock.SkipTo(next)
	return nil
}
