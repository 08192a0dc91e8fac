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
	Speed    float64 // how many times as fast as the wall's clock; 0 waits for nothing, see hand.go
	Access   int     // requests of each right, at least one in all
	Erasure  int
	Program  string // how the person called weir, for the commands that are printed
	Stay     bool   // go on serving when everything has ended, until the context does
}

// Defaults are the options of a plain `weir demo`.
func Defaults() Options {
	return Options{Dir: "weir-demo", Seed: 42, Scenario: "throttle-storm", Speed: 7200, Access: 8, Erasure: 6, Program: "weir"}
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
func (d *Demo) Run(ctx context.Context, to Teller) (sum *Summary, err error) {
	d.begun = time.Now()
	d.clock.Run()
	server, err := web.NewServer(d.place.data())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if err := to.Start(d.start()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, working := errgroup.WithContext(ctx)
	if !d.byHand() {
		g.Go(func() error { return d.engine.Run(working) })
		g.Go(func() error { return d.pace(working) })
	}
	g.Go(func() error { return server.Serve(working, d.engine) })
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

// statusGap is how often a status is told.
const statusGap = 500 * time.Millisecond

// drive plays the people, reads what happened and tells it.
func (d *Demo) drive(ctx context.Context, to Teller) (sum *Summary, err error) {
	var told time.Time
	for {
		if err := d.turns(ctx); err != nil {
			return sum, stopped(ctx, err)
		}
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
		if err := d.pass(ctx, acted, over); err != nil {
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
