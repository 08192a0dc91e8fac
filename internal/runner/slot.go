package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/weirhq/weir"
)

// slotTurns is how long a slot takes turns before it makes room, well below
// JobTimeout so that River's rescue by age never meets a live slot
// (engine reference, section 2).
const slotTurns = 20 * time.Second

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

// slotWorker takes turns for one slot.
type slotWorker struct {
	river.WorkerDefaults[slotArgs]
	engine   Engine
	stopping <-chan struct{}
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
	end := time.Now().Add(slotTurns)
	for time.Now().Before(end) && ctx.Err() == nil && !w.stops() {
		worked, err := w.engine.Turn(ctx, org)
		if err != nil {
			return fmt.Errorf("turn for %s: %w", org, err)
		}
		if !worked {
			return nil
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

// NextRetry is short and constant: the control loop would insert the slot anew
// anyway, and the waiting itself is decided by the governor.
func (w *slotWorker) NextRetry(*river.Job[slotArgs]) time.Time { return time.Now().Add(time.Second) }
