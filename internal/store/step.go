package store

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

const stepColumns = `id, request, org, kind, phase, state, epoch, shape, object, record, rank, args,
	attempts, conflicts, due_at, wake_at, cause, node, until`

func scanStep(r row) (s weir.Step, err error) {
	err = r.Scan(&s.ID, &s.Request, &s.Org, &s.Kind, &s.Phase, &s.State, &s.Epoch, &s.Shape, &s.Object, &s.Record,
		&s.Rank, &s.Args, &s.Attempts, &s.Conflicts, instant{&s.DueAt}, instant{&s.WakeAt}, &s.Cause, &s.Node,
		instant{&s.Until})
	return s, err
}

// InsertSteps accepts steps and counts them.
func (t *Tx) InsertSteps(steps []weir.Step) error {
	all := rows{into: `INSERT INTO step (` + stepColumns + `, claim, ended)`, width: 21}
	for _, s := range steps {
		all.add(
			s.ID, s.Request, s.Org, s.Kind, s.Phase, s.State, s.Epoch, s.Shape, s.Object, s.Record,
			s.Rank, s.Args, s.Attempts, s.Conflicts, s.DueAt, s.WakeAt, s.Cause, s.Node, s.Until, "", s.State.Ended(),
		)
	}
	if err := t.insert("insert steps", all); err != nil {
		return err
	}
	for request := range requestsOf(steps) { // what a request does later has its marks too
		if err := t.queueUp(request); err != nil {
			return err
		}
	}
	return t.count("accepted_steps", len(steps))
}

func requestsOf(steps []weir.Step) map[weir.RequestID]bool {
	all := map[weir.RequestID]bool{}
	for _, s := range steps {
		all[s.Request] = true
	}
	return all
}

// Step reads one step.
func (t *Tx) Step(id weir.StepID) (weir.Step, error) {
	return one(t, "read step "+string(id), scanStep, `SELECT `+stepColumns+` FROM step WHERE id = $1`, id)
}

// StepsByID reads several steps.
func (t *Tx) StepsByID(ids []weir.StepID) (map[weir.StepID]weir.Step, error) {
	steps, err := list(t, "read steps", scanStep,
		`SELECT `+stepColumns+` FROM step WHERE `+t.among("id", "$1"), listed(t, ids))
	found := make(map[weir.StepID]weir.Step, len(steps))
	for _, s := range steps {
		found[s.ID] = s
	}
	return found, err
}

// StepsOf lists the steps of a request in the order of their ranks.
func (t *Tx) StepsOf(request weir.RequestID) ([]weir.Step, error) {
	return list(t, "list steps of "+string(request), scanStep,
		`SELECT `+stepColumns+` FROM step WHERE request = $1 ORDER BY rank, id`, request)
}

// CountSteps counts the steps of a request in each state that has any.
func (t *Tx) CountSteps(request weir.RequestID) (map[weir.StepState]int, error) {
	return counts[weir.StepState](t, "count steps of "+string(request),
		`SELECT state, count(*) FROM step WHERE request = $1 GROUP BY state`, request)
}

// FirstIn is the first of a request's steps in one of the states that have not
// ended, in the order of their ranks; false when there is none.
func (t *Tx) FirstIn(request weir.RequestID, state weir.StepState) (weir.Step, bool, error) {
	return maybe(t, "first step of "+string(request), scanStep, `
		SELECT `+stepColumns+` FROM step WHERE request = $1 AND state = $2 AND `+unended+`
		ORDER BY rank, id LIMIT 1`, request, state)
}

// FirstToWake is the waiting step of a request that wakes first; false when
// none waits.
func (t *Tx) FirstToWake(request weir.RequestID) (weir.Step, bool, error) {
	return maybe(t, "first step of "+string(request)+" to wake", scanStep, `
		SELECT `+stepColumns+` FROM step WHERE request = $1 AND state = 'WAITING' AND `+unended+`
		ORDER BY wake_at, rank, id LIMIT 1`, request)
}

// FindShapes lists the shapes of a request's find steps behind its last
// describe.
func (t *Tx) FindShapes(request weir.RequestID) ([]string, error) {
	return list(t, "list find steps of "+string(request), scanValue[string], `
		SELECT DISTINCT shape FROM step WHERE request = $1 AND kind = 'find' AND rank > (
			SELECT coalesce(max(rank), -1) FROM step WHERE request = $1 AND kind = 'describe')
		ORDER BY shape`, request)
}

// NextRank is the first rank behind every step of the request.
func (t *Tx) NextRank(request weir.RequestID) (int, error) {
	return one(t, "read last rank of "+string(request), scanValue[int],
		`SELECT coalesce(max(rank) + 1, 0) FROM step WHERE request = $1`, request)
}

// OpenSteps counts the steps of the request that have not ended.
func (t *Tx) OpenSteps(request weir.RequestID) (int, error) {
	return one(t, "count open steps of "+string(request), scanValue[int],
		`SELECT count(*) FROM step WHERE request = $1 AND `+unended, request)
}

// unended is the condition of the index step_open, word for word, without which
// the index is not used. The column says what the state says already, so that
// the index has nothing to do when a step moves without ending: SQLite writes
// an entry anew whenever a column in the index's condition is set.
const unended = `ended = 0`

// AdvanceStep moves the step along the verdict's edge, lets set (which may be
// nil) change the other fields, and writes it if state and epoch are still the
// held ones: if they are not, a later statement of the transaction tells so, or its
// commit, and nothing is changed. On success s is the new row. A wake-up time lasts
// only as long as the wait, node and claim only as long as the execution. Claiming
// has a method of its own, ClaimSteps.
func (t *Tx) AdvanceStep(s *weir.Step, v weir.Verdict, set func(*weir.Step)) error {
	to, err := s.State.Next(v)
	if err != nil {
		return fmt.Errorf("advance step %s: %w", s.ID, err)
	}
	if v == weir.Claim {
		return fmt.Errorf("advance step %s: a claim needs an owner: %w", s.ID, weir.ErrNoSuchTransition)
	}
	next := *s
	if set != nil {
		set(&next)
	}
	next.State = to
	return t.writeStep(s, next)
}

// EditStep changes fields without a change of state, under the same guard.
func (t *Tx) EditStep(s *weir.Step, set func(*weir.Step)) error {
	next := *s
	set(&next)
	next.State = s.State
	return t.writeStep(s, next)
}

// writeStep is the one way to change a step which somebody holds. What a step is
// about never changes, and so its place in the indexes by rank does not.
func (t *Tx) writeStep(s *weir.Step, next weir.Step) error {
	next.ID, next.Request, next.Org, next.Kind = s.ID, s.Request, s.Org, s.Kind
	next.Shape, next.Object, next.Record, next.Rank, next.DueAt = s.Shape, s.Object, s.Record, s.Rank, s.DueAt
	next.Epoch = s.Epoch
	if next.State != weir.StepExecuting {
		next.Node, next.Until = "", time.Time{}
	}
	if next.State != weir.StepWaiting {
		next.WakeAt = time.Time{}
	} else if next.WakeAt.IsZero() {
		return fmt.Errorf("write step %s: it would wait until never", s.ID)
	}
	t.behind.write(stepWrite{step: next, from: s.State})
	*s = next
	return nil
}

// ReleaseNextRank makes ready what was planned of the lowest rank that has
// steps which have not ended; a dead or escalated step holds the later ranks
// back. It returns how many it released and whether the request has any step
// that has not ended at all.
func (t *Tx) ReleaseNextRank(request weir.RequestID) (released int, open bool, err error) {
	what := "release next rank of " + string(request)
	rank, open, err := maybe(t, what, scanValue[int], `
		SELECT rank FROM step WHERE request = $1 AND `+unended+` ORDER BY rank LIMIT 1`, request)
	if err != nil || !open {
		return 0, false, err
	}
	released, err = t.exec(what, `
		UPDATE step SET state = 'READY'
		WHERE request = $1 AND rank = $2 AND state = 'PLANNED' AND `+unended, request, rank)
	return released, true, err
}

// CancelSteps cancels every step of the request that the table lets be
// cancelled. Those that are executing end first; it says how many they are.
func (t *Tx) CancelSteps(request weir.RequestID) (n, executing int, err error) {
	what := "cancel steps of " + string(request)
	w := where{args: []any{request}}
	w.and("request = $1")
	var from []weir.StepState
	for _, state := range weir.StepStates() {
		if _, err := state.Next(weir.Cancel); err == nil {
			from = append(from, state)
		}
	}
	in(&w, "state", from)
	n, err = t.exec(what, `UPDATE step SET state = 'CANCELLED', ended = 1, wake_at = 0`+w.String(), w.args...)
	if err != nil {
		return 0, 0, err
	}
	executing, err = one(t, what, scanValue[int],
		`SELECT count(*) FROM step WHERE request = $1 AND state = 'EXECUTING'`, request)
	return n, executing, err
}
