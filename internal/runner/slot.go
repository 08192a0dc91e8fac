package runner

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/weirhq/weir"
)

// slotTurns is how long a slot takes turns before it makes room for another org.
// It is well below JobTimeout, so that River's rescue by age never meets a live
// slot (engine reference, section 2).
const slotTurns = 20 * time.Second

// roomAfter is how long a slot stays on a node that has more of the org's than its
// part. River gives whoever asks first all that there are, so that one of four
// nodes once made 77 of 991 calls; a slot beyond the part makes room until somebody
// else has asked first.
const roomAfter = time.Second

// slotArgs name one slot of one org.
type slotArgs struct {
	Org  string `json:"org"  river:"unique"`
	Slot int    `json:"slot" river:"unique"`
}

// Kind implements river.JobArgs.
func (slotArgs) Kind() string { return "slot" }

// InsertOpts makes a slot unique while it is anything but finished.
func (slotArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		Queue:       queueSlots,
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

	nodes atomic.Int64 // that run, as the last heartbeat saw it

	mu     sync.Mutex
	open   map[weir.OrgID][]int // slots of this node that take turns, the oldest first
	paused map[weir.OrgID]int   // how many of them wait in place
}

func newSlotWorker(e Engine, stopping <-chan struct{}) *slotWorker {
	w := &slotWorker{engine: e, stopping: stopping, open: map[weir.OrgID][]int{}, paused: map[weir.OrgID]int{}}
	w.nodes.Store(1)
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
	w.enter(org, job.Args.Slot)
	defer w.leave(org, job.Args.Slot)
	began := time.Now()
	for took := time.Duration(0); took < slotTurns && ctx.Err() == nil && !w.stops(); took = time.Since(began) {
		if took >= roomAfter && w.above(org, job.Args.Slot, width) {
			return nil
		}
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

func (w *slotWorker) enter(org weir.OrgID, slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[org] = append(w.open[org], slot)
}

func (w *slotWorker) leave(org weir.OrgID, slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[org] = slices.DeleteFunc(w.open[org], func(s int) bool { return s == slot })
}

// above says whether a slot is more than this node's part of the org's width.
func (w *slotWorker) above(org weir.OrgID, slot, width int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	nodes := int(max(w.nodes.Load(), 1))
	return slices.Index(w.open[org], slot) >= (width+nodes-1)/nodes
}

// NextRetry is short and constant: the control loop would insert the slot anew
// anyway, and the waiting itself is decided by the governor.
func (w *slotWorker) NextRetry(*river.Job[slotArgs]) time.Time { return time.Now().Add(time.Second) }
