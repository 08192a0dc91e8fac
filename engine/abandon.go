package engine

import (
	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// abandon cancels what a request still had to do, and closes what hung on it:
// a dead letter has nothing to decide any more once its step is cancelled, and
// an intent that nobody will read back must not keep others from the record
// for ever. Steps that are executing end first; it says how many they are.
func (t *txn) abandon(id weir.RequestID, by string) (executing int, err error) {
	if _, executing, err = t.CancelSteps(id); err != nil {
		return executing, err
	}
	letters, err := t.Letters(store.LetterFilter{Request: id, State: weir.LetterOpen})
	if err != nil {
		return executing, err
	}
	for _, d := range letters {
		if err := t.MoveLetter(d.ID, weir.LetterOpen, weir.LetterResolved); err != nil {
			return executing, err
		}
		if err := t.AddLetterEvent(weir.LetterEvent{Letter: d.ID, At: t.Now(), By: by, Act: "cancelled", Note: "its step was cancelled"}); err != nil {
			return executing, err
		}
		err := t.note(weir.Entry{
			By: by, Act: "letter.cancelled", Org: d.Org, Request: d.Request, Step: d.Step,
			Detail: map[string]string{KeyLetter: string(d.ID), KeyDLQDecision: "cancelled"},
		})
		if err != nil {
			return executing, err
		}
	}
	return executing, t.dropIntents(id)
}

// dropIntents closes the open intents of cancelled steps: what became of these
// writes is not known and will not be asked.
func (t *txn) dropIntents(id weir.RequestID) error {
	intents, err := t.Intents(id)
	if err != nil {
		return err
	}
	for _, in := range intents {
		if in.State != weir.IntentOpen {
			continue
		}
		st, err := t.Step(in.Step)
		if err != nil {
			return err
		}
		if st.State != weir.StepCancelled {
			continue
		}
		if err := t.CloseIntent(in.Step, in.Epoch, weir.IntentConflict); err != nil {
			return err
		}
	}
	return nil
}
