package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/salesforce"
)

// A node beats every beatEvery and is taken for dead after deadAfter (design
// section 5: adoption within 15 s). One that could not beat for trustedFor
// sends nothing more under its claims: the rest is room for clocks that differ.
const (
	beatEvery  = 2 * time.Second
	deadAfter  = 10 * time.Second
	trustedFor = deadAfter - 2*time.Second
)

// pulse is what a node knows about its own heartbeat. A process may be stopped
// for any time at any instruction (SIGSTOP, a suspended machine, a store that
// does not answer), and the others may have taken its claims meanwhile.
type pulse struct {
	mu    sync.Mutex
	at    time.Time // when the last beat that was committed began
	since time.Time // when this node began to beat without a gap
	gaps  int       // silences so far
}

// beat notes a heartbeat that began at one time and was committed at another.
func (p *pulse) beat(began, committed time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at.IsZero() || elapsed(p.at, committed) >= trustedFor {
		p.gaps++
		p.since = committed
	}
	p.at = began
}

// due says whether it is time for the next beat.
func (p *pulse) due(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at.IsZero() || elapsed(p.at, now) >= beatEvery
}

// mark is what holds is asked with later.
func (p *pulse) mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gaps
}

// holds says whether nobody can have taken this node for dead since the mark.
func (p *pulse) holds(mark int, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gaps == mark && elapsed(p.at, now) < trustedFor
}

// hears says whether this node has listened for so long that another's silence
// means something. After its start or a silence of its own it must not judge:
// when the store was away, everybody was silent and nobody has died.
func (p *pulse) hears(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return elapsed(p.at, now) < trustedFor && elapsed(p.since, now) > deadAfter
}

// elapsed is the time between two readings of the clock. The monotonic one
// rests while a machine is suspended, and the wall's can be set back: the longer
// of the two counts.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

// Beat writes the heartbeat when it is due, and adopts what dead nodes left. A
// runner calls it apart from the control round, which may take half a minute. The
// machine's own clock paces it, not the scaled one of a demo: the beat is about
// processes.
func (e *Engine) Beat(ctx context.Context) error {
	if !e.beating.TryLock() {
		return nil // another goroutine is at it
	}
	defer e.beating.Unlock()
	began := time.Now()
	if !e.pulse.due(began) {
		return nil
	}
	if err := e.update(ctx, crash.Beat, func(tx *txn) error { return tx.Beat(e.node, e.startAt) }); err != nil {
		return fmt.Errorf("heartbeat: %w", err)
	}
	e.pulse.beat(began, time.Now())
	return errors.Join(e.adoptJournals(ctx), e.adopt(ctx))
}

// whileHeld lets the calls of a job be sent only while its claim is surely
// ours: this node has not been silent since, and the claim has not run out. A
// write's claim must outlive the HTTP timeout as well, so that whoever takes it
// over does not meet a call that is still under way (design section 6).
func (e *Engine) whileHeld(ctx context.Context, j *job) context.Context {
	lives := j.lane.Claim
	if j.mutates() {
		lives -= j.lane.Timeout
	}
	return salesforce.SendWhile(ctx, func() bool {
		now := time.Now()
		return elapsed(j.began, now) <= lives && e.pulse.holds(j.mark, now)
	})
}
