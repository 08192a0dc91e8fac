package engine_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// A deletion takes no condition at Salesforce: only the check right before it
// guards somebody's edit. When a wait, or a night in which weir was down, comes
// between the two, the record is read again.
func TestStaleCheckIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		time.Sleep(time.Minute)
		r := w.approved(0)
		steps := w.turnsUntilWrite(r.ID)
		for _, s := range steps {
			if !w.org.Touch(s.Object, s.Record, nil) {
				t.Fatalf("%s %s cannot be touched", s.Object, s.Record)
			}
		}
		time.Sleep(time.Hour)
		w.until(r.ID, 120*time.Hour, weir.Closed)
		for _, m := range w.org.Truth().Overwritten() {
			t.Errorf("%s of %s %s went over an edit that nobody had read", m.Method, m.Object, m.ID)
		}
		w.erased(0)
		w.clean()
	})
}

// A record that changed between its check and its write is erased while it is still
// reached through a record of the subject; one that changed hands is left alone and told.
func TestARecordThatChangesHands(t *testing.T) {
	for name, c := range map[string]struct {
		owner  int // whose contact the task refers to
		erased bool
	}{"to another contact of the subject": {0, true}, "to a stranger": {1, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{})
				time.Sleep(time.Minute)
				r := w.approved(0)
				steps := w.turnsUntilWrite(r.ID)
				i := slices.IndexFunc(steps, func(s weir.Step) bool { return s.Object == "Task" })
				if i < 0 {
					t.Fatal("no task is about to be deleted")
				}
				task, contacts := steps[i].Record, w.subjects[c.owner].Records["Contact"]
				if !w.org.Touch("Task", task, map[string]any{"WhoId": contacts[len(contacts)-1]}) {
					t.Fatal("the task cannot be touched")
				}
				time.Sleep(time.Hour)
				if c.erased {
					w.until(r.ID, 120*time.Hour, weir.Closed)
					w.erased(0)
					w.clean()
					return
				}
				w.settle()
				letters, err := w.engine.Letters(t.Context(), store.LetterFilter{Request: r.ID, State: weir.LetterOpen})
				if err != nil || len(letters) != 1 || letters[0].Code != "WEIR_SUBJECT_CHANGED" || letters[0].Record != task {
					t.Errorf("letters %+v: %v; want one, of the task", letters, err)
				}
				if rec, ok := w.org.Record("Task", task); !ok || rec["IsDeleted"] == true {
					t.Error("a task of somebody else was deleted")
				}
			})
		})
	}
}

// turnsUntilWrite works until deletions have been checked and none was sent.
func (w *world) turnsUntilWrite(id weir.RequestID) []weir.Step {
	w.t.Helper()
	for range 100 {
		var ready []weir.Step
		err := w.engine.Store().View(w.t.Context(), time.Now(), func(tx *store.Tx) error {
			all, err := tx.StepsOf(id)
			for _, s := range all {
				if s.Kind == weir.StepErase && s.Phase == weir.PhaseWrite && s.State == weir.StepReady && s.Object != "Contact" {
					ready = append(ready, s)
				}
			}
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(ready) > 0 {
			return ready
		}
		if _, err := w.engine.Turn(w.t.Context(), acme); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Fatal("nothing came to its write")
	return nil
}
