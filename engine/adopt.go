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
// back to the queue. Where a write may be under way, the step waits for the settle time and then
// reads back; an org that is no longer configured keeps those until it is.
func (e *Engine) adoptFrom(ctx context.Context, h store.Holder, ended time.Time) error {
	for {
		n := 0
		err := e.update(ctx, crash.Adopt, func(tx *txn) error {
			n = 0
			if err := tx.WakeOrg(h.Org, tx.Now()); err != nil {
				return err
			}
			yielded, err := tx.YieldOrphans(h, ended, adoptAtOnce)
			if err != nil {
				return err
			}
			deferred, err := tx.deferOrphans(h, ended)
			if err != nil {
				return err
			}
			n = max(len(yielded), len(deferred))
			return tx.noteAdopted(h, append(yielded, deferred...))
		})
		if err != nil || n < adoptAtOnce {
			return err
		}
	}
}

// deferOrphans says of each step that it was writing: the row no longer does.
func (t *txn) deferOrphans(h store.Holder, ended time.Time) ([]weir.Step, error) {
	l, err := t.e.lane(h.Org)
	if err != nil {
		return nil, nil //nolint:nilerr // an org that is no longer configured
	}
	deferred, err := t.DeferOrphans(h, ended, adoptAtOnce, t.Now().Add(l.Governor.Settle))
	for i := range deferred {
		deferred[i].Phase = weir.PhaseWrite
	}
	return deferred, err
}

// noteAdopted writes an entry for each step, with the node and the phase that it
// was taken from.
func (t *txn) noteAdopted(h store.Holder, steps []weir.Step) error {
	entries := make([]weir.Entry, len(steps))
	for i := range steps {
		entries[i] = t.entryOf(&steps[i], "step.adopted", map[string]string{"from": h.Node})
	}
	return t.note(entries...)
}
