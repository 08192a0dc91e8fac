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

// A node beats every beatEvery and is taken for dead after deadAfter (design
// section 5: adoption within 15 s).
const (
	beatEvery = 2 * time.Second
	deadAfter = 10 * time.Second
)

// Control is one round of everything that no call drives: heartbeat, adoption
// of orphans, journal replay, local work of requests, release of dead letters,
// numbering of the ledger. A runner calls it every tick on every node;
// simulations call it by hand.
func (e *Engine) Control(ctx context.Context) error {
	if err := e.replaySpill(ctx); err != nil {
		return err
	}
	if err := e.beat(ctx); err != nil {
		return err
	}
	return errors.Join(
		e.finishRequests(ctx),
		e.releaseLetters(ctx),
		e.sequence(ctx),
		e.scrubStore(ctx),
		e.sweep(ctx),
	)
}

// beat writes the heartbeat and adopts what dead nodes left. The machine's own
// clock paces it, not the scaled one of a demo: the beat is about processes.
func (e *Engine) beat(ctx context.Context) error {
	now := time.Now()
	if now.Sub(e.beatAt) < beatEvery {
		return nil
	}
	e.beatAt = now
	if err := e.update(ctx, func(tx *txn) error { return tx.Beat(e.node, e.startAt) }); err != nil {
		return fmt.Errorf("heartbeat: %w", err)
	}
	return e.adopt(ctx)
}

// adopt takes over the claims of dead nodes and those that have run out. On an
// embedded store, which only one process can hold, every other node is dead.
func (e *Engine) adopt(ctx context.Context) error {
	gone := map[string]bool{}
	dead, err := e.Dead(ctx)
	if err != nil {
		return err
	}
	for _, n := range dead {
		gone[n] = true
	}
	err = e.update(ctx, func(tx *txn) error {
		others, err := tx.OrphansOf("")
		if err != nil {
			return err
		}
		for i, st := range others {
			foreign := st.Node != e.node && e.store.Dialect() == store.SQLite
			if !gone[st.Node] && !foreign && !tx.Now().After(st.Until) {
				continue
			}
			if err := tx.adoptStep(&others[i]); err != nil && !errors.Is(err, store.ErrMovedElsewhere) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("adopt orphans: %w", err)
	}
	return nil
}

// adoptStep gives an orphan back to the queue. Where a write may be under way,
// the step waits for the settle time and then reads back.
func (t *txn) adoptStep(st *weir.Step) error {
	was := map[string]string{"from": st.Node, "phase": string(st.Phase)} // the advance clears and changes them
	verdict, set := weir.Yield, func(*weir.Step) {}
	if st.Kind == weir.StepErase && st.Phase == weir.PhaseWrite {
		l, err := t.e.lane(st.Org)
		if err != nil {
			return nil //nolint:nilerr // an org that is no longer configured keeps its orphans until it is
		}
		verdict = weir.Defer
		set = func(s *weir.Step) {
			s.Phase, s.Cause, s.WakeAt = weir.PhaseConfirm, weir.UnknownOutcome, t.Now().Add(l.Governor.Settle)
		}
	}
	if err := t.WakeOrg(st.Org, t.Now()); err != nil {
		return err
	}
	if err := t.AdvanceStep(st, verdict, set); err != nil {
		return err
	}
	return t.noteStep(st, "step.adopted", was)
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
			o, err := tx.Org(id)
			if err != nil {
				return err
			}
			at, ok, err := tx.NextWake(id)
			if err != nil {
				return err
			}
			if o.WakeAt.After(tx.Now()) && (!ok || at.Before(o.WakeAt)) {
				at, ok = o.WakeAt, true
			}
			if ok && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		return nil
	})
	return next, !next.IsZero(), err
}
