package store

import (
	"time"

	"github.com/weirhq/weir"
)

// NextReady wakes the org's steps whose time has come and returns its most
// urgent ready step; false when there is none. Requests that a person marked as
// urgent come first, those that the schedule has given up come last. Of those that are due at the same time one is finished
// before the next is begun, so that a shortage delays as few as possible. A
// woken step keeps its cause until it is claimed.
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

// ClaimSteps takes the steps as one batch for a node until that time. Each one
// gets a new epoch, so that whoever held it before can no longer commit. Steps
// that moved in the meantime are left out.
func (t *Tx) ClaimSteps(steps []weir.Step, claim, node string, until time.Time) ([]weir.Step, error) {
	var claimed []weir.Step
	for _, s := range steps {
		to, err := s.State.Next(weir.Claim)
		if err != nil {
			continue
		}
		n, err := t.exec("claim step "+string(s.ID), `
			UPDATE step SET state = $4, epoch = epoch + 1, cause = '', claim = $5, node = $6, until = $7
			WHERE id = $1 AND state = $2 AND epoch = $3`,
			s.ID, s.State, s.Epoch, to, claim, node, until)
		if err != nil {
			return nil, err
		}
		if n == 1 {
			s.State, s.Epoch, s.Cause, s.Node, s.Until = to, s.Epoch+1, "", node, moment(until)
			claimed = append(claimed, s)
		}
	}
	return claimed, nil
}
