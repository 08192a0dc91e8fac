package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/store"
)

// Control is one round of everything that no call drives. Simulations call it by
// hand; a runner calls its two halves apart, because the second may take long.
func (e *Engine) Control(ctx context.Context) error {
	if err := e.Tend(ctx); err != nil {
		return err
	}
	return e.Finish(ctx)
}

// Tend is a round of what must not wait: the clock, heartbeat, journal replay,
// release of dead letters, the schedule, what a closed gate makes late, rewrapping
// of keys, numbering of the ledger. A runner calls it every tick on every node.
func (e *Engine) Tend(ctx context.Context) error {
	if err := e.replaySpill(ctx); err != nil {
		return err
	}
	if err := e.followClock(ctx); err != nil {
		return err
	}
	if err := e.Beat(ctx); err != nil {
		return err
	}
	return errors.Join(
		e.releaseLetters(ctx),
		e.arrange(ctx),
		e.doomHeld(ctx),
		e.rewrapSome(ctx),
		e.endAdmissions(ctx),
		e.sequence(ctx),
	)
}

// Finish is a round of the local work of requests and of what it leaves. It
// takes as long as the largest package of a subject: it ends when it is done, or
// with the context.
func (e *Engine) Finish(ctx context.Context) error {
	return errors.Join(
		e.finishRequests(ctx),
		e.scrubStore(ctx),
		e.sweep(ctx),
	)
}

// adoptJournals replays the outcomes that a dead node could not commit, before
// its claims are taken over: they say what became of them.
func (e *Engine) adoptJournals(ctx context.Context) error {
	if e.store.Dialect() == store.SQLite {
		return nil // nobody else writes into this vault
	}
	if err := e.spill.Adopt(); err != nil {
		return fmt.Errorf("journals of dead nodes: %w", err)
	}
	return e.replaySpill(ctx)
}

// adopt takes over the claims of dead nodes, those that have run out, and those of
// this node that it does not know of. On an embedded store, which only one process
// can hold, every other node is dead.
func (e *Engine) adopt(ctx context.Context) error {
	if err := e.endUnknown(ctx); err != nil {
		return err
	}
	gone := map[string]bool{}
	_, _, dead, err := e.Nodes(ctx)
	if err != nil {
		return err
	}
	for _, n := range dead {
		gone[n] = true
	}
	holders, err := e.holders(ctx)
	if err != nil {
		return err
	}
	for _, h := range holders {
		foreign := h.Node != e.node && e.store.Dialect() == store.SQLite
		ended := e.now() // claims that have run out
		if gone[h.Node] || foreign {
			ended = h.Until.AddDate(1000, 0, 0) // all of them
		}
		if !h.Until.Before(ended) {
			continue
		}
		if err := e.adoptFrom(ctx, h, ended); err != nil {
			return fmt.Errorf("adopt orphans of %s: %w", h.Node, err)
		}
	}
	return nil
}

func (e *Engine) holders(ctx context.Context) (all []store.Holder, err error) {
	err = e.view(ctx, func(tx *store.Tx) error {
		all, err = tx.Holders()
		return err
	})
	return all, err
}

// Due lists the orgs that have work now.
func (e *Engine) Due(ctx context.Context) ([]weir.OrgID, error) {
	var due []weir.OrgID
	err := e.view(ctx, func(tx *store.Tx) error {
		all, err := tx.DueOrgs()
		for _, id := range all {
			if _, ok := e.orgs[id]; ok {
				due = append(due, id)
			}
		}
		return err
	})
	return due, err
}

// Width is how many calls of the org may be open at once, on all nodes.
func (e *Engine) Width(ctx context.Context, org weir.OrgID) (int, error) {
	l, err := e.lane(org)
	if err != nil {
		return 0, err
	}
	var width int
	err = e.view(ctx, func(tx *store.Tx) error {
		o, err := tx.Org(org)
		if err != nil {
			return err
		}
		s, err := decodeState(o.Governor)
		width = governor.Width(l.Governor, s)
		return err
	})
	return width, err
}

// Pause is how long the org's gate or pace still holds its work back; 0 when
// nothing does, or when there is no work that waits for it.
func (e *Engine) Pause(ctx context.Context, org weir.OrgID) (time.Duration, error) {
	var d time.Duration
	err := e.view(ctx, func(tx *store.Tx) error {
		o, err := tx.Org(org)
		if err != nil || !o.WakeAt.After(tx.Now()) {
			return err
		}
		d = o.WakeAt.Sub(tx.Now())
		return nil
	})
	return d, err
}

// NextWake is the earliest time at which a waiting step of any org, or a gate,
// comes due; simulations jump there.
func (e *Engine) NextWake(ctx context.Context) (time.Time, bool, error) {
	var next time.Time
	err := e.view(ctx, func(tx *store.Tx) error {
		for id := range e.orgs {
			at, ok, err := tx.NextWake(id)
			if err != nil {
				return err
			}
			if ok && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		return nil
	})
	return next, !next.IsZero(), err
}
