package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/internal/store"
)

// Status is one request with its progress.
type Status struct {
	Request  weir.Request
	Steps    map[weir.StepState]int
	Letters  []weir.Letter
	NextWake time.Time // of its waiting steps; zero when none waits
	Cause    weir.Category
	Finish   time.Time     // the middle forecast; zero when no end is in sight
	Slack    time.Duration // due date less the finish in 95 of 100 cases
	Short    int64         // calls that are lacking at the due date: it cannot be in time
	Drift    []plan.Difference
	Urgency  weir.Urgency // zero when nobody marked it as urgent
}

// Status reads a request's progress.
func (e *Engine) Status(ctx context.Context, id weir.RequestID) (Status, error) {
	var s Status
	err := e.view(ctx, func(tx *store.Tx) error {
		r, err := tx.Request(id)
		if err != nil {
			return err
		}
		s, err = e.status(tx, r, sights{})
		return err
	})
	return s, err
}

// Statuses reads the progress of many requests.
func (e *Engine) Statuses(ctx context.Context, f store.RequestFilter) ([]Status, error) {
	var out []Status
	err := e.view(ctx, func(tx *store.Tx) error {
		all, err := tx.Requests(f)
		if err != nil {
			return err
		}
		seen := sights{}
		for _, r := range all {
			s, err := e.status(tx, r, seen)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

func (e *Engine) status(tx *store.Tx, r weir.Request, seen sights) (Status, error) {
	s := Status{Request: r}
	var err error
	if s.Steps, err = tx.CountSteps(r.ID); err != nil {
		return s, err
	}
	next, waits, err := tx.FirstToWake(r.ID)
	if err != nil {
		return s, err
	}
	if waits {
		s.NextWake, s.Cause = next.WakeAt, next.Cause
	}
	if s.Letters, err = tx.Letters(store.LetterFilter{Request: r.ID, State: weir.LetterOpen}); err != nil {
		return s, err
	}
	if s.Urgency, _, err = tx.Urgency(r.ID); err != nil {
		return s, err
	}
	if r.Reason == reasonStale {
		doc, err := setting(tx, driftKey(r.ID))
		if err == nil && doc != "" {
			err = json.Unmarshal([]byte(doc), &s.Drift)
		}
		if err != nil {
			return s, fmt.Errorf("differences of %s: %w", r.ID, err)
		}
	}
	f, err := e.sight(tx, r, seen)
	s.Finish, s.Slack, s.Short = f.Finish, f.Slack(), f.Short
	return s, err
}

// sights are the forecasts of the orgs that one list of requests has met.
type sights map[weir.OrgID]map[weir.RequestID]Foresight

// sight is what is foreseen for one request. What needs no calls any more is
// finished now; of an org that is no longer configured nothing is foreseen.
func (e *Engine) sight(tx *store.Tx, r weir.Request, seen sights) (Foresight, error) {
	if r.Stage.Ended() {
		return Foresight{Due: r.DueAt, Finish: r.ClosedAt, P95: r.ClosedAt}, nil
	}
	if seen[r.Org] == nil {
		seen[r.Org] = map[weir.RequestID]Foresight{}
		l, err := e.lane(r.Org)
		if err != nil {
			return Foresight{Due: r.DueAt}, nil //nolint:nilerr // see above
		}
		all, err := e.foresee(tx, l)
		if err != nil {
			return Foresight{}, err
		}
		for _, f := range all {
			seen[r.Org][f.Request] = f
		}
	}
	if f, ok := seen[r.Org][r.ID]; ok {
		return f, nil
	}
	now := tx.Now().Truncate(time.Second)
	return Foresight{Due: r.DueAt, Finish: now, P95: now}, nil
}

// PlanOf reads a request's current plan with its forecast.
func (e *Engine) PlanOf(ctx context.Context, id weir.RequestID) (weir.Request, weir.Plan, error) {
	var r weir.Request
	var p weir.Plan
	err := e.view(ctx, func(tx *store.Tx) error {
		var err error
		if r, err = tx.Request(id); err != nil || r.PlanHash == "" {
			return err
		}
		if p, err = tx.Plan(id, r.PlanHash); err != nil {
			return err
		}
		f, err := e.sight(tx, r, sights{})
		p.Finish = f.Finish
		return err
	})
	return r, p, err
}

// Requests lists requests.
func (e *Engine) Requests(ctx context.Context, f store.RequestFilter) ([]weir.Request, error) {
	var out []weir.Request
	err := e.view(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.Requests(f)
		return err
	})
	return out, err
}

// History lists the ledger entries about a request.
func (e *Engine) History(ctx context.Context, id weir.RequestID) ([]weir.Entry, error) {
	var out []weir.Entry
	err := e.view(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.EntriesOf(id)
		return err
	})
	return out, err
}

// Since lists entries that were written after a row, for people who watch.
func (e *Engine) Since(ctx context.Context, row int64, limit int) ([]store.Row, error) {
	var out []store.Row
	err := e.view(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.EntriesSince(row, limit)
		return err
	})
	return out, err
}

// setting reads an optional fact: empty when it was never set.
func setting(tx *store.Tx, key string) (string, error) {
	v, err := tx.Setting(key)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return v, err
}
