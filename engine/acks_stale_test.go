package engine_test

import (
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
