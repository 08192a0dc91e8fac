package store

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

// EarliestDue is when the first of the org's steps is due that is ready, or
// would be if somebody looked: of the urgent ones, or of all others; false when
// none of them has a due date. The index of what is ready begins with shed: each
// part of it is asked for its first.
func (t *Tx) EarliestDue(org weir.OrgID, urgent bool) (time.Time, bool, error) {
	earliest := func(which string) string {
		return `SELECT min(due_at) AS due_at FROM step WHERE org = $1 AND due_at > 0 AND ` + which
	}
	ready := earliest(`state = 'READY' AND shed = 0`) + ` UNION ALL ` + earliest(`state = 'READY' AND shed = 1`)
	woken := earliest(`state = 'WAITING' AND wake_at <= $2 AND shed >= 0`)
	if urgent {
		ready = earliest(`state = 'READY' AND shed = -1`)
		woken = earliest(`state = 'WAITING' AND wake_at <= $2 AND shed = -1`)
	}
	return maybe(t, "earliest due date of "+string(org), scanTime, `
		SELECT due_at FROM (`+ready+` UNION ALL `+woken+`) AS open
		WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1`, org, t.now)
}

// ReadyBefore lists the org's ready steps that are due before a time, in the
// order of NextReady and with or without the urgent ones, and holds them until the
// end; steps without a due date are never late. It reads what a person is told
// about them, and no arguments: there may be thousands.
func (t *Tx) ReadyBefore(org weir.OrgID, due time.Time, urgent bool, most int) ([]weir.Step, error) {
	first := 0
	if urgent {
		first = -1
	}
	return list(t, "list ready steps of "+string(org), func(r row) (weir.Step, error) {
		s := weir.Step{Org: org, State: weir.StepReady}
		err := r.Scan(&s.ID, &s.Request, &s.Kind, &s.Phase, &s.Object, &s.Record, instant{&s.DueAt})
		return s, err
	}, `
		SELECT id, request, kind, phase, object, record, due_at FROM step
		WHERE org = $1 AND state = 'READY' AND due_at > 0 AND due_at < $2 AND shed >= $3
		ORDER BY shed, due_at, request, rank, id LIMIT $4`+t.held(), org, due, first, most)
}

// BuryReady moves ready steps to their deaths, for one cause and without a call
// for them: a write that was about to be sent begins again with its check. The
// caller holds the steps.
func (t *Tx) BuryReady(steps []weir.StepID, cause weir.Category) error {
	to, err := weir.StepReady.Next(weir.Bury)
	if err != nil {
		return fmt.Errorf("bury steps: %w", err)
	}
	n, err := t.exec("bury steps", `
		UPDATE step SET state = $1, cause = $2, wake_at = 0, node = '', until = 0,
			phase = CASE WHEN phase = $3 THEN $4 ELSE phase END
		WHERE state = 'READY' AND `+t.among("id", "$5"),
		to, cause, weir.PhaseWrite, weir.PhaseCheck, listed(t, steps))
	if err == nil && n != len(steps) {
		err = fmt.Errorf("bury steps: %d of %d are ready: %w", n, len(steps), ErrMovedElsewhere)
	}
	return err
}

// OpenLetters opens the letters of steps that died of one cause at once, in
// their order; a step that died before keeps its letter and number. It returns
// the letter of each step.
func (t *Tx) OpenLetters(steps []weir.StepID, cause weir.Category, code string, release weir.ReleaseKind) ([]weir.LetterID, error) {
	const what = "open letters"
	opened := make(map[weir.StepID]weir.LetterID, len(steps))
	_, err := list(t, what, func(r row) (none struct{}, err error) {
		var step weir.StepID
		var id weir.LetterID
		err = r.Scan(&step, &id)
		opened[step] = id
		return none, err
	}, `
		UPDATE letter SET state = 'OPEN', times = times + 1, opened_at = $1, last_at = $1, cause = $2, code = $3,
			release_by = $4, sealed_name = '', sealed_size = 0, sealed_sha256 = '',
			attempts = (SELECT attempts + conflicts FROM step WHERE step.id = letter.step),
			due_at = (SELECT due_at FROM step WHERE step.id = letter.step),
			risk = (SELECT risk FROM request WHERE request.id = letter.request)
		WHERE `+t.among("step", "$5")+` RETURNING step, id`, t.now, cause, code, release, listed(t, steps))
	if err != nil {
		return nil, err
	}
	fresh := make([]weir.StepID, 0, len(steps)-len(opened))
	for _, id := range steps {
		if opened[id] == "" {
			fresh = append(fresh, id)
		}
	}
	// Numbers have no gaps, and no two transactions give out the same.
	last, err := one(t, what, scanValue[int64],
		`UPDATE tally SET total = total + $1 WHERE name = 'letters' RETURNING total`, len(fresh))
	if err != nil {
		return nil, err
	}
	before := last - int64(len(fresh))
	n, err := t.exec(what, `
		INSERT INTO letter (`+letterColumns+`, number, opened_at)
		SELECT 'DL-' || CAST($1 + died.place AS TEXT), step.id, step.request, step.org, 'OPEN', $2, $3, step.object, step.record,
			step.kind, step.attempts + step.conflicts, $4, $5, step.due_at, request.right_name, request.risk, $6, '', 0, '', 1,
			$7 + died.place, $8
		FROM `+t.unfolded("$9", "died")+` JOIN step ON step.id = died.value JOIN request ON request.id = step.request`,
		before, cause, code, t.now, t.now, release, before, t.now, listed(t, fresh))
	if err == nil && n != len(fresh) {
		err = fmt.Errorf("%s: %d of %d steps: %w", what, n, len(fresh), ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	letters := make([]weir.LetterID, len(steps))
	for i, id := range steps {
		if letters[i] = opened[id]; letters[i] == "" {
			before++
			letters[i] = weir.LetterID(fmt.Sprintf("DL-%d", before))
		}
	}
	return letters, nil
}

// AddLetterEvents adds one line to the history of each of the letters.
func (t *Tx) AddLetterEvents(ids []weir.LetterID, e weir.LetterEvent) error {
	return t.put("add events to letters", `
		INSERT INTO letter_event (at, actor, act, note, letter) SELECT $1, $2, $3, $4, value FROM `+t.unfolded("$5", "list"),
		t.or(e.At), e.By, e.Act, e.Note, listed(t, ids))
}
