package runner

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// Engine is what the runner drives.
type Engine interface {
	// Turn does at most one call for an org and says whether it did anything.
	Turn(ctx context.Context, org weir.OrgID) (bool, error)
	// Pause is how long an org that has work lets us wait; 0 when it has none.
	Pause(ctx context.Context, org weir.OrgID) (time.Duration, error)
	// Width is how many calls of an org may be open at once, on all nodes.
	Width(ctx context.Context, org weir.OrgID) (int, error)
	// Due lists the orgs that have work now.
	Due(ctx context.Context) ([]weir.OrgID, error)
	// Tend is one round of what no call drives and must not wait.
	Tend(ctx context.Context) error
	// Finish is one round of the local work of requests, which may take long.
	Finish(ctx context.Context) error
	// Beat says that this node lives, when it is time to.
	Beat(ctx context.Context) error
	// Nodes sorts the nodes: those that run, this one included; those that are silent
	// and may not be judged now; those that no longer run.
	Nodes(ctx context.Context) (alive, silent, dead []string, err error)
}

// Options configure a Runner.
type Options struct {
	Store   *store.Store
	Engine  Engine
	Node    string        // unique per process start
	Tick    time.Duration // control loop
	Workers int           // slots worked at once on this node, default 32
	Log     *slog.Logger
}

// Runner works slots until its context ends.
type Runner struct {
	opts     Options
	client   *river.Client[*sql.Tx]
	slots    *slotWorker
	stopping chan struct{} // closed when no call may begin any more
}

// New migrates River's own tables and prepares a client. Nothing runs yet.
func New(ctx context.Context, o Options) (*Runner, error) {
	if o.Workers <= 0 {
		o.Workers = 32
	}
	driver := driverFor(o.Store)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: o.Log})
	if err != nil {
		return nil, fmt.Errorf("river migrations: %w", store.Unavailable(err))
	}
	err = o.Store.InTurn(ctx, func(ctx context.Context) error {
		_, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("river migrations: %w", store.Unavailable(err))
	}
	r := &Runner{opts: o, stopping: make(chan struct{})}
	r.slots = newSlotWorker(o.Engine, r.stopping)
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, r.slots); err != nil {
		return nil, fmt.Errorf("register slot worker: %w", err)
	}
	if r.client, err = river.NewClient(driver, config(o, workers)); err != nil {
		return nil, fmt.Errorf("river client: %w", err)
	}
	return r, r.freeSlots(ctx)
}

// jobTimeout covers a slot's turns and one call that began at their end. It is
// longer than the reference's minute because a call may take up to two; rescue
// by age does not matter, as slots of dead nodes are freed by their heartbeat.
const jobTimeout = 4 * time.Minute

// config holds the settings of the engine reference, section 6.
func config(o Options, workers *river.Workers) *river.Config {
	return &river.Config{
		ID:                          o.Node,
		Logger:                      o.Log,
		Queues:                      map[string]river.QueueConfig{queueOf(o.Node): {MaxWorkers: o.Workers}},
		Workers:                     workers,
		FetchCooldown:               10 * time.Millisecond,
		FetchPollInterval:           200 * time.Millisecond,
		JobTimeout:                  jobTimeout,
		RescueStuckJobsAfter:        jobTimeout + 15*time.Second,
		CompletedJobRetentionPeriod: time.Hour,
		DiscardedJobRetentionPeriod: -1,
		SoftStopTimeout:             20 * time.Second,
	}
}

func driverFor(s *store.Store) riverdriver.Driver[*sql.Tx] {
	if s.Dialect() == store.SQLite {
		return riversqlite.New(s.DB())
	}
	return riverdatabasesql.NewWithPgxListener(s.DB(), s.PgxPool())
}

// Run works until ctx ends: it begins no more calls, lets those under way
// record their outcome, and returns. It runs once. store.ErrUnavailable while ctx
// goes on says that it has not begun: the store went away.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.opts.Engine.Beat(context.WithoutCancel(ctx)); err != nil { // nothing is sent by a node that has not said that it lives
		return err
	}
	if err := r.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start queue: %w", store.Unavailable(err))
	}
	alive, still := context.WithCancel(context.WithoutCancel(ctx)) // until the last call has ended
	var pulse, work sync.WaitGroup
	pulse.Go(func() {
		r.every(alive, "no heartbeat", within(roundLimit, func(alive context.Context) error { return r.beat(alive, ctx.Err() != nil) }))
	})
	defer pulse.Wait()
	defer still()
	work.Go(func() { r.every(ctx, "local work failed", r.opts.Engine.Finish) })
	defer work.Wait()
	r.every(ctx, "control round failed", within(roundLimit, r.opts.Engine.Tend))
	close(r.stopping)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := r.client.Stop(stopping); err != nil {
		return fmt.Errorf("stop queue: %w", err)
	}
	return nil
}

// roundLimit ends a round in which a store no longer answers.
const roundLimit = 30 * time.Second

// within gives a round so much time.
func within(limit time.Duration, round func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return round(limited)
	}
}

// every does one round per tick until ctx ends. A round that fails is told and
// tried again with the next tick: everything it does is driven by the tables, so
// nothing is forgotten.
func (r *Runner) every(ctx context.Context, failed string, round func(context.Context) error) {
	tick := time.NewTicker(r.opts.Tick)
	defer tick.Stop()
	for {
		err := round(ctx)
		if err != nil && ctx.Err() == nil {
			r.opts.Log.Warn(failed, "error", err.Error()) //nolint:sloglint // one of three constants, above
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// beat is what must not wait for a control round, which may take half a minute:
// the node lives in the eyes of the others, what dead nodes left is
// adopted, and due orgs get their slots. A stopping node only lives.
func (r *Runner) beat(ctx context.Context, stopping bool) error {
	if err := r.opts.Engine.Beat(ctx); err != nil || stopping {
		return err
	}
	if err := r.freeSlots(ctx); err != nil {
		return err
	}
	due, err := r.opts.Engine.Due(ctx)
	if err != nil {
		return err
	}
	return r.insertSlots(ctx, due)
}
