package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
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
	Slack    time.Duration // due date minus forecast finish
	Finish   time.Time     // forecast
	Drift    []plan.Difference
}

// Status reads a request's progress.
func (e *Engine) Status(ctx context.Context, id weir.RequestID) (Status, error) {
	s := Status{Steps: map[weir.StepState]int{}}
	err := e.view(ctx, func(tx *store.Tx) error {
		var err error
		if s.Request, err = tx.Request(id); err != nil {
			return err
		}
		steps, err := tx.StepsOf(id)
		if err != nil {
			return err
		}
		open := 0
		for _, st := range steps {
			s.Steps[st.State]++
			if !st.State.Ended() {
				open++
			}
			if st.State == weir.StepWaiting && (s.NextWake.IsZero() || st.WakeAt.Before(s.NextWake)) {
				s.NextWake, s.Cause = st.WakeAt, st.Cause
			}
		}
		if s.Letters, err = tx.Letters(store.LetterFilter{Request: id, State: weir.LetterOpen}); err != nil {
			return err
		}
		if s.Request.Reason == reasonStale {
			doc, err := setting(tx, driftKey(id))
			if err == nil && doc != "" {
				err = json.Unmarshal([]byte(doc), &s.Drift)
			}
			if err != nil {
				return fmt.Errorf("differences of %s: %w", id, err)
			}
		}
		s.Finish, err = e.forecast(tx, s.Request, open, s.NextWake)
		s.Slack = s.Request.DueAt.Sub(s.Finish)
		return err
	})
	return s, err
}

// forecast estimates when a request's remaining calls will have been made: it
// starts when the org's gate opens and its waiting steps wake, and goes at the
// pace at which the org's headroom lasts.
func (e *Engine) forecast(tx *store.Tx, r weir.Request, open int, wake time.Time) (time.Time, error) {
	now := tx.Now()
	if r.Stage.Ended() {
		return r.ClosedAt, nil
	}
	if r.Stage == weir.Delivered {
		return now, nil
	}
	l, err := e.lane(r.Org)
	if err != nil {
		return now, nil //nolint:nilerr // an org that is no longer configured has no forecast
	}
	org, err := tx.Org(r.Org)
	if err != nil {
		return now, err
	}
	state, err := decodeState(org.Governor)
	if err != nil {
		return now, err
	}
	start := now
	for _, at := range []time.Time{org.WakeAt, wake} {
		if at.After(start) {
			start = at
		}
	}
	view := governor.Look(l.Governor, state, now)
	calls := int64(open)
	if p, err := tx.Plan(r.ID, r.PlanHash); err == nil {
		calls = max(calls, int64(p.Calls))
	} else if !errors.Is(err, store.ErrNotFound) {
		return now, err
	}
	finish := start.Add(time.Duration(calls) * callPace)
	if view.Headroom > 0 && calls > view.Headroom && !view.CapacityAt.IsZero() && view.CapacityAt.After(start) {
		finish = view.CapacityAt.Add(time.Duration(calls-view.Headroom) * callPace)
	}
	return finish.Truncate(time.Second), nil
}

// callPace is what one call takes end to end, commits included, when nothing
// limits it; it only scales a forecast that learns in a later version.
const callPace = 2 * time.Second

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
		p.Finish, err = e.forecast(tx, r, 0, time.Time{})
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
