package proof

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/weirhq/weir/emulator"
)

// hunter chooses the moments at which a client dies. A third of them are blind:
// so long after its start. The others are aimed: while the org holds a write, before
// or after it was applied, so that the client dies between intent and outcome.
type hunter struct {
	org  *org
	dice *rand.Rand
	seen int // calls of the org's log that were looked at
}

func newHunter(o *org, seed uint64) *hunter {
	return &hunter{org: o, dice: rand.New(rand.NewPCG(seed, 7))}
}

const (
	blindWithin = 3 * time.Second  // of a start
	aimFor      = 30 * time.Second // requests take so long until they write, when an org throttles
	aimEvery    = 4 * time.Millisecond
)

// moment waits for the next moment to kill. It returns early when ctx ends.
func (h *hunter) moment(ctx context.Context) error {
	if h.dice.IntN(3) == 0 {
		return pause(ctx, time.Duration(h.dice.Int64N(int64(blindWithin))))
	}
	return h.aim(ctx)
}

// aim waits until a write has just reached the org, and then for any share of
// the time that the org usually takes for it.
func (h *hunter) aim(ctx context.Context) error {
	writing, err := h.write(ctx)
	if err != nil || !writing {
		return err // nothing is written just now: any moment is as good
	}
	return pause(ctx, time.Duration(h.dice.Int64N(int64(latency))))
}

// write waits until a write has just reached the org. It is false when none
// comes.
func (h *hunter) write(ctx context.Context) (writing bool, err error) {
	end := time.Now().Add(aimFor)
	if err := h.skip(ctx); err != nil {
		return false, err
	}
	for time.Now().Before(end) {
		if writing, err = h.look(ctx); err != nil || writing {
			return writing, err
		}
		if err := pause(ctx, aimEvery); err != nil {
			return false, err
		}
	}
	return false, nil
}

// skip looks away from what has happened so far.
func (h *hunter) skip(ctx context.Context) error {
	_, err := h.look(ctx)
	return err
}

// look says whether a write has arrived since the last look.
func (h *hunter) look(ctx context.Context) (writing bool, err error) {
	var calls []emulator.Call
	if _, err := h.org.try(ctx, "/log?after="+strconv.Itoa(h.seen), &calls); err != nil {
		return false, err
	}
	for _, c := range calls {
		h.seen = c.Seq
		writing = writing || c.Writes > 0
	}
	return writing, nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
