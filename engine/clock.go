package engine

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// clock is the engine's time. It goes on evenly from where it was set, whatever
// somebody does to the wall clock, and only the control round sets it anew:
// waits are instants in the store, so a clock that jumped ahead by itself would
// end every gate early, and one that jumped back would prolong it.
type clock struct {
	wall   func() time.Time
	steady func() time.Duration // since any moment; nil = the wall clock is never stepped

	mu    sync.Mutex
	set   time.Time     // what the wall clock showed when the clock was set
	since time.Duration // what steady said then
}

// newClock makes the clock of Options. The runtime's monotonic reading is
// steady; it stands still while the machine sleeps, so that a sleep looks like a
// step ahead.
func newClock(wall func() time.Time, steady func() time.Duration) *clock {
	if wall == nil {
		wall = crash.Wall
		if steady == nil {
			start := time.Now()
			steady = func() time.Duration { return time.Since(start) }
		}
	}
	c := &clock{wall: wall, steady: steady}
	c.adopt()
	return c
}

// now is truncated to milliseconds, which is what the store keeps: a decision
// made before a restart replays to the bit after it.
func (c *clock) now() time.Time {
	if c.steady == nil {
		return c.wall().UTC().Truncate(time.Millisecond)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set.Add(c.steady() - c.since).Truncate(time.Millisecond)
}

// drift is how far the wall clock has gone ahead.
func (c *clock) drift() time.Duration {
	if c.steady == nil {
		return 0
	}
	return c.wall().UTC().Round(0).Sub(c.now())
}

// adopt sets the clock by the wall.
func (c *clock) adopt() {
	if c.steady == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set, c.since = c.wall().UTC().Round(0), c.steady()
}

// Below smallStep the wall clock is followed without a word: that is how far
// time daemons slew, and finer than the control loop.
const smallStep = time.Second

// followClock notices a step of the wall clock. On an embedded store every wait
// moves along, so that it lasts as long as it was meant to, and the clock is
// set; dates that people live by, such as due dates and the expiry of plans, are
// the wall's and stay. Nodes that share a store also share their waits: there
// the clock stays even until the process starts again.
func (e *Engine) followClock(ctx context.Context) error {
	by := e.clock.drift().Truncate(time.Millisecond)
	embedded := e.store.Dialect() == store.SQLite
	switch {
	case by.Abs() < smallStep && embedded:
		e.clock.adopt()
		return nil
	case by.Abs() < smallStep || !embedded && (by-e.told).Abs() < smallStep:
		return nil
	case embedded && by < 0:
		e.clock.adopt() // first, so that in between waits look longer and never shorter
	}
	err := e.update(ctx, crash.Clock, func(tx *txn) error {
		if embedded {
			if err := tx.shift(by); err != nil {
				return err
			}
		}
		return tx.note(weir.Entry{Act: "clock.step", Detail: map[string]string{
			KeyByMillis: strconv.FormatInt(by.Milliseconds(), 10), KeyFollowed: strconv.FormatBool(embedded),
		}})
	})
	if err != nil {
		return fmt.Errorf("follow a step of the clock by %s: %w", by, err)
	}
	if e.told = by; embedded {
		e.told = 0
		if by > 0 {
			e.clock.adopt()
		}
	}
	e.log.WarnContext(ctx, "the wall clock was stepped; no wait ends early", KeyByMillis, by.Milliseconds(), KeyFollowed, embedded)
	return nil
}

// shift moves what waits by the same duration: steps, claims, and what the
// governors remember. Each governor's move is in the replay log.
func (t *txn) shift(by time.Duration) error {
	for id, l := range t.e.orgs {
		g, err := t.lockGovernor(l)
		if err != nil {
			return err
		}
		before := g.state
		g.state = governor.Shift(g.state, by)
		if g.org.WakeAt.After(time.Time{}) {
			g.org.WakeAt = g.org.WakeAt.Add(by)
		}
		if err := g.record(kindClock, before, clockStep{by}, weir.Decision{Ruling: weir.Proceed}, nil); err != nil {
			return err
		}
		if err := g.save(); err != nil {
			return err
		}
		if err := t.ShiftWaits(id, by); err != nil {
			return err
		}
	}
	return nil
}

// clockStep is the input of a decision of kindClock.
type clockStep struct {
	By time.Duration `json:"by"`
}
