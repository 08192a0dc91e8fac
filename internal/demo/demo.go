package demo

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/web"
)

// Options say what is shown. The zero value of each field but Dir is a default.
type Options struct {
	Dir      string // made anew; see place.go
	Seed     uint64
	Scenario string  // one of Scenarios
	Speed    float64 // how many times as fast as the wall's clock; 0 waits for nothing and goes to the next wake-up
	Access   int     // requests of each right, at least one in all
	Erasure  int
	Program  string // how the person called weir, for the commands that are printed
	Stay     bool   // go on serving when everything has ended, until the context does
}

// Defaults are the options of a plain `weir demo`.
func Defaults() Options {
	return Options{Dir: "weir-demo", Seed: 42, Scenario: "throttle-storm", Speed: 3600, Access: 8, Erasure: 6, Program: "weir"}
}

// Demo is one demonstration: an org, a weir and the people around it.
type Demo struct {
	opts     Options
	scenario Scenario
	place    *place
	clock    *Clock
	org      *emulator.Org
	engine   *engine.Engine

	born   time.Time // on the demonstration's clock
	begun  time.Time // on the wall's
	desk   *desk
	story  *story
	closed bool
}

// Run works until every request has ended or is in a person's hands, tells
// what happens on the way, and returns the summary. With Stay it then goes on
// until the context ends. While it runs, every verb works through the socket
// in the data directory.
func (d *Demo) Run(ctx context.Context, to Teller) (*Summary, error) {
	d.begun = time.Now()
	d.clock.SetSpeed(d.speed(false))
	if err := to.Start(d.start()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, working := errgroup.WithContext(ctx)
	g.Go(func() error { return d.engine.Run(working) })
	g.Go(func() error { return web.Serve(working, d.place.data(), d.engine) })
	var sum *Summary
	g.Go(func() error {
		defer cancel() // the work is over: the others stop
		var err error
		sum, err = d.drive(working, to)
		return err
	})
	if err := g.Wait(); err != nil {
		return sum, err
	}
	return sum, nil
}

// Rounds of the loop that watches and acts for the people, and how often a
// status is told.
const (
	round     = 40 * time.Millisecond
	quick     = 4 * time.Millisecond // while nothing is waited for
	statusGap = 500 * time.Millisecond
)

// drive plays the people, reads what happened and tells it.
func (d *Demo) drive(ctx context.Context, to Teller) (sum *Summary, err error) {
	var told time.Time
	for {
		acted, err := d.desk.work(ctx)
		if err != nil {
			return sum, stopped(ctx, err)
		}
		if err := d.tell(ctx, to, &told); err != nil {
			return sum, stopped(ctx, err)
		}
		over, err := d.over(ctx)
		if err != nil {
			return sum, stopped(ctx, err)
		}
		if over && !acted && sum == nil {
			if sum, err = d.conclude(ctx, to); err != nil || !d.opts.Stay {
				return sum, stopped(ctx, err)
			}
		}
		if err := d.pass(ctx, over && !acted); err != nil {
			return sum, stopped(ctx, err)
		}
	}
}

// stopped is nil when the end of the context is why the work failed.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, engine.ErrUnavailable)) {
		return nil
	}
	return err
}

// tell passes on what is new, and now and then where everything stands.
func (d *Demo) tell(ctx context.Context, to Teller, told *time.Time) error {
	news, err := d.story.news(ctx)
	if err != nil {
		return err
	}
	for _, e := range news {
		if err := to.Event(e); err != nil {
			return err
		}
	}
	if time.Since(*told) < statusGap {
		return nil
	}
	*told = time.Now()
	s, err := d.status(ctx)
	if err != nil {
		return err
	}
	return to.Status(s)
}

// conclude tells what is left to tell and the summary.
func (d *Demo) conclude(ctx context.Context, to Teller) (*Summary, error) {
	var at time.Time
	if err := d.tell(ctx, to, &at); err != nil {
		return nil, err
	}
	sum, err := d.summary(ctx)
	if err != nil {
		return nil, err
	}
	return sum, to.Summary(*sum)
}

// pass lets time go by. Time runs fast only while weir has something to wait
// for: a person who is awaited lives at the wall's speed.
func (d *Demo) pass(ctx context.Context, over bool) error {
	wait := round
	if d.opts.Speed <= 0 {
		wait = quick
		if err := d.skip(ctx); err != nil {
			return err
		}
	} else {
		d.clock.SetSpeed(d.speed(over))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// speed is how fast time passes now. Who waits for nothing lives at the wall's
// speed between two wake-ups.
func (d *Demo) speed(over bool) float64 {
	if over || d.opts.Speed <= 0 {
		return 1
	}
	return d.opts.Speed
}

// skip goes to the next moment at which anything happens, when weir has
// nothing to do until then.
func (d *Demo) skip(ctx context.Context) error {
	idle, err := d.idle(ctx)
	if err != nil || !idle {
		return err
	}
	next, waits, err := d.engine.NextWake(ctx)
	if err != nil {
		return err
	}
	if at, more := d.desk.next(); more && (!waits || at.Before(next)) {
		next, waits = at, true
	}
	if waits {
		d.clock.SkipTo(next)
	}
	return nil
}

// Engine and Org are the two truths that the printed figures come from.
func (d *Demo) Engine() *engine.Engine { return d.engine }

// Org is the emulated org.
func (d *Demo) Org() *emulator.Org { return d.org }

// Close ends the demonstration; keep says whether its directory stays.
func (d *Demo) Close(keep bool) error {
	if d.closed {
		return nil
	}
	d.closed = true
	err := d.engine.Close()
	if keep {
		return err
	}
	return errors.Join(err, d.place.remove())
}
