package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// commitOrSpill commits an outcome. When the store cannot be reached, the
// outcome goes to the sealed, fsynced journal: it is never lost.
func (e *Engine) commitOrSpill(ctx context.Context, s *settlement) error {
	// The call has happened: its outcome is recorded even while weir is stopping.
	err := e.commit(context.WithoutCancel(ctx), s)
	if errors.Is(err, store.ErrUnavailable) {
		spillErr := e.keep(s)
		if spillErr == nil {
			e.log.Warn("store unreachable: outcome kept in the journal", KeyOrg, string(s.Org), KeyRequest, string(s.Request))
			return err
		}
		err = errors.Join(err, spillErr)
	}
	e.claims.end(s.Claim)
	return err
}

func (e *Engine) keep(s *settlement) error {
	rec, err := s.encode()
	if err != nil {
		return err
	}
	if err := e.spill.Append(rec); err != nil {
		return fmt.Errorf("spill outcome to the journal: %w", err)
	}
	return nil
}

// replaySpill commits what the journal holds, in order. It is a no-op while
// the journal is empty.
func (e *Engine) replaySpill(ctx context.Context) error {
	if e.spill.Len() == 0 {
		return nil
	}
	e.spillMu.Lock()
	defer e.spillMu.Unlock()
	err := e.spill.Replay(func(rec []byte) error {
		var s settlement
		if err := json.Unmarshal(rec, &s); err != nil {
			return fmt.Errorf("decode journal record: %w", err)
		}
		if err := e.commit(ctx, &s); err != nil {
			return err
		}
		e.claims.end(s.Claim)
		return nil
	})
	if err != nil {
		return fmt.Errorf("replay the journal: %w", err)
	}
	return nil
}

// commit records an outcome, the decision it caused and every step's verdict
// in one transaction, and moves each request on whose work has ended.
func (e *Engine) commit(ctx context.Context, s *settlement) error {
	l, err := e.lane(s.Org)
	if err != nil {
		return err
	}
	err = e.update(ctx, crash.Outcome, func(tx *txn) error {
		s.renew, s.stale = false, false
		g, err := tx.lockGovernor(l)
		if err != nil {
			return err
		}
		if err := tx.settleAll(g, s); err != nil {
			return err
		}
		if s.Request != "" && s.Calls > 0 {
			if err := tx.AddCalls(s.Request, s.Calls); err != nil {
				return err
			}
		}
		maps.Copy(g.rungs, s.Rungs)
		if len(s.Schemas) > 0 {
			if err := tx.SaveSchemas(s.Org, s.Schemas); err != nil {
				return err
			}
		}
		if err := g.save(); err != nil {
			return err
		}
		for _, id := range s.requests() {
			if err := tx.advance(id); err != nil {
				return err
			}
		}
		return tx.settleRiders(g, s)
	})
	if err != nil {
		return fmt.Errorf("commit outcome of claim %s: %w", s.Claim, err)
	}
	return nil
}
