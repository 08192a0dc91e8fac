package engine

import (
	"context"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// adoptAtOnce bounds the transaction of an adoption, and what it holds in
// memory: a node may have died with a hundred thousand steps.
const adoptAtOnce = 4000

// adoptFrom gives what a holder executes under claims that end before a time
// back to the queue. Where a write may be under way, the step waits for the
// settle time and then reads back; an org that is no longer configured keeps
// those until it is.
func (e *Engine) adoptFrom(ctx context.Context, h store.Holder, ended time.Time) error {
	for {
		n := 0
		err := e.update(ctx, crash.Adopt, func(tx *txn) error {
			if err := tx.WakeOrg(h.Org, tx.Now()); err != nil {
				return err
			}
			steps, err := tx.AdoptOrphans(h, ended, adoptAtOnce, e.settled(h.Org, tx.Now()))
			if err != nil {
				return err
			}
			n = len(steps)
			return tx.noteAll(steps, "step.adopted", map[string]string{"from": h.Node}, nil)
		})
		if err != nil || n < adoptAtOnce {
			return err
		}
	}
}

// settled is when a write that was under way at a time has come to rest; never,
// which is zero, in an org that is no longer configured.
func (e *Engine) settled(org weir.OrgID, at time.Time) time.Time {
	l, err := e.lane(org)
	if err != nil {
		return time.Time{}
	}
	return at.Add(l.Governor.Settle)
}
