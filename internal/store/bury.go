package store

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

// ReadyBefore lists the org's ready steps that are due before a time, the most
// urgent first; steps without a due date are never late.
func (t *Tx) ReadyBefore(org weir.OrgID, due time.Time, most int) ([]weir.Step, error) {
	return list(t, "list ready steps of "+string(org), scanDoomed, `
		SELECT `+doomedColumns+` FROM step
		WHERE org = $1 AND state = 'READY' AND due_at > 0 AND due_at < $2
		ORDER BY due_at, rank, id LIMIT $3`, org, due, most)
}

// What a person is told about a step, and no arguments: there may be thousands.
const doomedColumns = `id, request, org, kind, phase, state, epoch, object, record, due_at`

func scanDoomed(r row) (s weir.Step, err error) {
	err = r.Scan(&s.ID, &s.Request, &s.Org, &s.Kind, &s.Phase, &s.State, &s.Epoch, &s.Object, &s.Record, instant{&s.DueAt})
	return s, err
}

// BuryReady moves ready steps to their deaths, for one cause and without a call
// for them: a write that was about to be sent begins again with its check. It
// returns the ids of those that were still ready.
func (t *Tx) BuryReady(steps []weir.StepID, cause weir.Category) ([]weir.StepID, error) {
	to, err := weir.StepReady.Next(weir.Bury)
	if err != nil {
		return nil, fmt.Errorf("bury steps: %w", err)
	}
	var buried []weir.StepID
	err = inChunks(steps, 5, func(marks string, ids []any) error {
		moved, err := list(t, "bury steps", scanValue[weir.StepID], `
			UPDATE step SET state = $1, cause = $2, wake_at = 0, node = '', until = 0,
				phase = CASE WHEN phase = $3 THEN $4 ELSE phase END
			WHERE state = 'READY' AND id IN (`+marks+`) RETURNING id`,
			append([]any{to, cause, weir.PhaseWrite, weir.PhaseCheck}, ids...)...)
		buried = append(buried, moved...)
		return err
	})
	return buried, err
}

// OpenLetters opens the letters of steps that died of one cause at once, in the
// order of their urgency; a step that died before keeps its letter and number.
// It returns which letter each step has.
func (t *Tx) OpenLetters(steps []weir.StepID, cause weir.Category, code string, release weir.ReleaseKind) (map[weir.StepID]weir.LetterID, error) {
	opened := make(map[weir.StepID]weir.LetterID, len(steps))
	note := func(r row) (none struct{}, err error) {
		var step weir.StepID
		var id weir.LetterID
		err = r.Scan(&step, &id)
		opened[step] = id
		return none, err
	}
	const what = "open letters"
	err := inChunks(steps, 5, func(marks string, ids []any) error {
		_, err := list(t, what, note, `
			UPDATE letter SET state = 'OPEN', times = times + 1, opened_at = $1, last_at = $1, cause = $2, code = $3,
				release_by = $4, sealed_name = '', sealed_size = 0, sealed_sha256 = '',
				attempts = (SELECT attempts + conflicts FROM step WHERE step.id = letter.step),
				due_at = (SELECT due_at FROM step WHERE step.id = letter.step),
				risk = (SELECT risk FROM request WHERE request.id = letter.request)
			WHERE step IN (`+marks+`) RETURNING step, id`, append([]any{t.now, cause, code, release}, ids...)...)
		return err
	})
	if err != nil {
		return nil, err
	}
	fresh := make([]weir.StepID, 0, len(steps))
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
	base := last - int64(len(fresh))
	err = inChunks(fresh, 6, func(marks string, ids []any) error {
		before := len(opened)
		_, err := list(t, what, note, `
			INSERT INTO letter (`+letterColumns+`, number, opened_at)
			SELECT 'DL-' || n, step, request, org, 'OPEN', $1, $2, object, record, kind, attempts, $3, $3,
				due_at, right_name, risk, $4, '', 0, '', 1, n, $3
			FROM (
				SELECT CAST($5 AS BIGINT) + row_number() OVER (ORDER BY step.due_at, step.rank, step.id) AS n,
					step.id AS step, step.request, step.org, step.object, step.record, step.kind,
					step.attempts + step.conflicts AS attempts, step.due_at, request.right_name, request.risk
				FROM step JOIN request ON request.id = step.request WHERE step.id IN (`+marks+`)
			) AS died
			RETURNING step, id`, append([]any{cause, code, t.now, release, base}, ids...)...)
		base += int64(len(opened) - before)
		return err
	})
	return opened, err
}

// AddLetterEvents adds one line to the history of each of the letters.
func (t *Tx) AddLetterEvents(ids []weir.LetterID, e weir.LetterEvent) error {
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = []any{id, t.or(e.At), e.By, e.Act, e.Note}
	}
	return t.insertMany("add events to letters", `INSERT INTO letter_event (letter, at, actor, act, note)`, "", rows)
}
