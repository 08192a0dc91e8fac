package store

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// NextReady wakes the org's steps whose time has come and returns its most
// urgent ready step; false when there is none. Requests that a person marked as
// urgent come first, those that the schedule has given up come last. Of those that
// are due at the same time one is finished before the next is begun, so that a
// shortage delays as few as possible. A woken step keeps its cause until it is
// claimed.
func (t *Tx) NextReady(org weir.OrgID) (weir.Step, bool, error) {
	if err := t.WakeSteps(org); err != nil {
		return weir.Step{}, false, err
	}
	return maybe(t, "next step of "+string(org), scanStep, `
		SELECT `+stepColumns+` FROM step WHERE org = $1 AND state = 'READY'
		ORDER BY shed, due_at, request, rank, id LIMIT 1`, org)
}

// WakeSteps makes the org's waiting steps ready whose time has come.
func (t *Tx) WakeSteps(org weir.OrgID) error {
	return t.put("wake steps of "+string(org), `
		UPDATE step SET state = 'READY', wake_at = 0
		WHERE org = $1 AND state = 'WAITING' AND wake_at <= $2`, org, t.now)
}

// Batchmates lists the ready steps that may share a call with the given one,
// which stands first: those of the same request, shape and phase, max at most.
func (t *Tx) Batchmates(s weir.Step, most int) ([]weir.Step, error) {
	mates := []weir.Step{s}
	if most <= 1 {
		return mates, nil
	}
	others, err := list(t, "find batchmates of "+string(s.ID), scanStep, `
		SELECT `+stepColumns+` FROM step
		WHERE request = $1 AND shape = $2 AND phase = $3 AND state = 'READY' AND id <> $4 AND `+unended+`
		ORDER BY rank, id LIMIT $5`, s.Request, s.Shape, s.Phase, s.ID, most-1)
	return append(mates, others...), err
}

// ReadyIn returns a ready step of the same request and shape as the given one that
// is in one of these phases.
func (t *Tx) ReadyIn(s weir.Step, phases ...weir.Phase) (weir.Step, bool, error) {
	w := where{}
	w.and("request = ?", s.Request)
	w.and("shape = ?", s.Shape)
	in(&w, "phase", phases)
	w.and("state = 'READY'")
	w.and(unended)
	return maybe(t, "find steps before "+string(s.ID), scanStep,
		`SELECT `+stepColumns+` FROM step`+w.String()+` ORDER BY rank, id LIMIT 1`, w.args...)
}

// PlannedNext lists steps of the lowest rank of a request that has planned ones, most
// at most: those that become ready when the steps before them have ended.
func (t *Tx) PlannedNext(request weir.RequestID, most int) ([]weir.Step, error) {
	return list(t, "list planned steps of "+string(request), scanStep, `
		SELECT `+stepColumns+` FROM step
		WHERE request = $1 AND state = 'PLANNED' AND `+unended+` AND rank = (
			SELECT min(rank) FROM step WHERE request = $1 AND state = 'PLANNED' AND `+unended+`)
		ORDER BY id LIMIT $2`, request, most)
}

// OthersUnderWay says whether a request has steps besides a claim's that have begun, or
// may begin, and have not ended.
func (t *Tx) OthersUnderWay(request weir.RequestID, claim string) (bool, error) {
	_, some, err := maybe(t, "look for other steps of "+string(request), scanValue[weir.StepID], `
		SELECT id FROM step WHERE request = $1 AND `+unended+` AND state <> 'PLANNED' AND claim <> $2 LIMIT 1`, request, claim)
	return some, err
}

// sharersOf is how far down the queue Sharers looks for each step that it wants:
// a queue may hold a hundred thousand steps that nobody can share a call with.
const sharersOf = 4

// Sharers lists ready steps of other requests that may share a call with the
// given one: those of the same org, kind and phase that have failed less than
// twice and belong to requests that only read. The most urgent come first, most at most.
func (t *Tx) Sharers(s weir.Step, most int) ([]weir.Step, error) {
	return list(t, "find sharers of a call of "+string(s.ID), scanStep, `
		SELECT `+stepColumns+` FROM (
			SELECT * FROM step WHERE org = $1 AND state = 'READY' ORDER BY shed, due_at, request, rank, id LIMIT $2
		) AS queue
		WHERE kind = $3 AND phase = $4 AND request <> $5 AND attempts < 2
			AND request IN (SELECT id FROM request WHERE right_name IN ($6, $7))
		ORDER BY shed, due_at, request, rank, id LIMIT $8`,
		s.Org, sharersOf*most, s.Kind, s.Phase, s.Request, weir.Access, weir.Portability, most)
}

// ClaimSteps takes the steps as one batch for a node until that time. Each one
// gets a new epoch, so that whoever held it before can no longer commit. Steps
// that moved in the meantime are left out.
func (t *Tx) ClaimSteps(steps []weir.Step, claim, node string, until time.Time) ([]weir.Step, error) {
	var rows [][]any
	for _, s := range steps {
		if to, err := s.State.Next(weir.Claim); err == nil {
			rows = append(rows, []any{s.ID, s.State, s.Epoch, to, claim, node, until})
		}
	}
	taken, err := applied(t, "claim steps of "+claim, scanValue[weir.StepID], perRow{
		act:   `UPDATE step SET state = $4, epoch = epoch + 1, cause = '', claim = $5, node = $6, until = $7`,
		where: `WHERE id = $1 AND state = $2 AND epoch = $3 RETURNING id`,
	}, rows)
	if err != nil {
		return nil, err
	}
	var claimed []weir.Step
	for _, s := range steps {
		if slices.Contains(taken, s.ID) {
			s.State, s.Epoch, s.Cause, s.Node, s.Until = weir.StepExecuting, s.Epoch+1, "", node, moment(until)
			claimed = append(claimed, s)
		}
	}
	return claimed, nil
}
