package runner

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/weirhq/weir"
)

// slotArgs name one slot of one org.
type slotArgs struct {
	Org  string `json:"org"  river:"unique"`
	Slot int    `json:"slot" river:"unique"`
}

// Kind implements river.JobArgs.
func (slotArgs) Kind() string { return "slot" }

// InsertOpts makes a slot unique while it is anything but finished, whatever its queue.
func (slotArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		MaxAttempts: 25,
		UniqueOpts: river.UniqueOpts{
			ByArgs: true,
			ByState: []rivertype.JobState{
				rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
				rivertype.JobStateRetryable, rivertype.JobStateScheduled,
			},
		},
	}
}

// A pace asks for many waits that are shorter than a round of the control loop.
// A slot holds nothing personal between two turns, so that it may wait them out
// in place; a few slots per org are enough to keep the pace.
const (
	pauseMost    = 750 * time.Millisecond
	pausedPerOrg = 4
)

// slotWorker takes turns for one slot.
type slotWorker struct {
	river.WorkerDefaults[slotArgs]
	engine   Engine
	stopping <-chan struct{}

	circle atomic.Pointer[circle]

	mu     sync.Mutex
	paused map[weir.OrgID]int // how many slots wait in place
}

// newSlotWorker knows of no other node yet.
func newSlotWorker(e Engine, stopping <-chan struct{}) *slotWorker {
	w := &slotWorker{engine: e, stopping: stopping, paused: map[weir.OrgID]int{}}
	w.circle.Store(newCircle([]string{""}))
	return w
}

// Work implements river.Worker. A failed turn ends the slot: its steps are
// found by their claim, and the control loop inserts the slot again.
func (w *slotWorker) Work(ctx context.Context, job *river.Job[slotArgs]) error {
	org := weir.OrgID(job.Args.Org)
	width, err := w.engine.Width(ctx, org)
	if err != nil {
		return fmt.Errorf("width of %s: %w", org, err)
	}
	if job.Args.Slot >= width {
		return nil // the org allows fewer slots now
	}
	_, left := w.circle.Load().turn(org, job.Args.Slot, width, time.Now())
	for began := time.Now(); time.Since(began) < left && ctx.Err() == nil && !w.stops(); {
		worked, err := w.engine.Turn(ctx, org)
		if err != nil {
			return fmt.Errorf("turn for %s: %w", org, err)
		}
		if worked {
			continue
		}
		if again, err := w.pause(ctx, org); err != nil || !again {
			return err
		}
	}
	return nil
}

// stops says whether weir is being stopped: a slot that finds work would go on
// for as long as there is any, and its calls would have to be cut off.
func (w *slotWorker) stops() bool {
	select {
	case <-w.stopping:
		return true
	default:
		return false
	}
}

// pause waits out a short wait of the org and says whether it did.
func (w *slotWorker) pause(ctx context.Context, org weir.OrgID) (bool, error) {
	d, err := w.engine.Pause(ctx, org)
	if err != nil {
		return false, fmt.Errorf("pause of %s: %w", org, err)
	}
	if d <= 0 || d > pauseMost || !w.park(org) {
		return false, nil
	}
	defer w.unpark(org)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false, nil
	case <-w.stopping:
		return false, nil
	case <-t.C:
		return true, nil
	}
}

func (w *slotWorker) park(org weir.OrgID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.paused[org] >= pausedPerOrg {
		return false
	}
	w.paused[org]++
	return true
}

func (w *slotWorker) unpark(org weir.OrgID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused[org]--
}

// NextRetry is short and constant: the control loop would insert the slot anew
// anyway, and the waiting itself is decided by the governor.
func (w *slotWorker) NextRetry(*river.Job[slotArgs]) time.Time { return time.Now().Add(time.Second) }
