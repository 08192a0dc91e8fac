package store

import (
	"fmt"

	"github.com/weirhq/weir"
)

// behind are changes of steps and intents that a transaction has decided and not
// sent yet. One call settles up to two hundred steps: each would be two statements
// of its own, and the org is held until the last of them. They are sent together
// before whatever else the transaction asks, so that nobody can see the
// difference, but for a guard that does not hold: that is told by a later
// statement, or by the commit.
type behind struct {
	steps  []stepWrite
	place  map[weir.StepID]int // in steps
	closed [][]any             // of intents
}

// stepWrite is a step as it will be, and the state in which it must be found.
type stepWrite struct {
	step weir.Step
	from weir.StepState
}

// write adds a change of a step; one that follows another of the same step takes
// its place.
func (b *behind) write(w stepWrite) {
	if i, ok := b.place[w.step.ID]; ok && b.steps[i].step.State == w.from && b.steps[i].step.Epoch == w.step.Epoch {
		b.steps[i].step = w.step
		return
	}
	if b.place == nil {
		b.place = map[weir.StepID]int{}
	}
	b.place[w.step.ID] = len(b.steps)
	b.steps = append(b.steps, w)
}

// send sends what is behind.
func (t *Tx) send() error {
	if len(t.behind.steps) == 0 && len(t.behind.closed) == 0 {
		return nil
	}
	b := t.behind
	t.behind = behind{} // the statements that follow come through here again
	if err := t.writeSteps(b.steps); err != nil {
		return err
	}
	return t.closeIntents(b.closed)
}

// writeSteps sends changes of steps. Those that end have a statement of their own,
// since SQLite writes an entry of an index anew whenever a column in the index's
// condition is set.
func (t *Tx) writeSteps(writes []stepWrite) error {
	var going, ending [][]any
	for _, w := range writes {
		s := w.step
		row := []any{s.Phase, s.State, s.Args, s.Attempts, s.Conflicts, s.WakeAt, s.Cause, s.Node, s.Until, s.ID, w.from, s.Epoch}
		if s.State.Ended() {
			ending = append(ending, row)
		} else {
			going = append(going, row)
		}
	}
	if err := t.updateSteps("", going); err != nil {
		return err
	}
	return t.updateSteps(", ended = 1", ending)
}

// updateSteps is the one statement that changes steps which somebody holds.
func (t *Tx) updateSteps(also string, rows [][]any) error {
	n, err := t.apply("write steps", perRow{
		act: `UPDATE step SET phase = $1, state = $2, args = $3, attempts = $4, conflicts = $5, wake_at = $6, cause = $7,
			node = $8, until = $9` + also,
		where: `WHERE id = $10 AND state = $11 AND epoch = $12`,
	}, rows)
	if err == nil && n != len(rows) {
		err = fmt.Errorf("write steps: %d of %d are as they were: %w", n, len(rows), ErrMovedElsewhere)
	}
	return err
}
