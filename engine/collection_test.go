package engine_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/store"
)

// A trigger throws over one case, and with it over all that are deleted in the same
// collection. They are deleted one by one; the one is for a person.
func TestAPoisonRecordIsIsolated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{org: emulator.Options{Seed: 11, RecycleLag: -1, Profile: emulator.Calm()}})
		p := &w.subjects[0]
		w.giveCases(0, 60)
		poison := p.Records["Case"][30]
		w.org.Touch("Case", poison, map[string]any{"Approval_Status__c": "Disputed"})
		r := w.approved(0)
		for end := time.Now().Add(24 * time.Hour); len(w.letters()) == 0 && time.Now().Before(end); w.settle() {
			w.pass()
		}
		letters := w.letters()
		if len(letters) != 1 || letters[0].Record != poison || letters[0].Code != "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" {
			t.Fatalf("letters: %+v\n%s", letters, w.story(r.ID))
		}
		if n := w.acts("step.apart"); n < len(p.Records["Case"]) {
			t.Errorf("%d records went again by themselves, of %d", n, len(p.Records["Case"]))
		}
		for _, id := range p.Records["Case"] {
			if rec, _ := w.org.Record("Case", id); (rec["IsDeleted"] == true) != (id != poison) {
				t.Errorf("case %s: deleted %v", id, rec["IsDeleted"])
			}
		}
		writing := 0
		for _, c := range w.org.Log() {
			if c.Writes > 0 {
				writing++
			}
		}
		if writing > 12 {
			t.Errorf("%d calls that write, for %d cases", writing, len(p.Records["Case"]))
		}
		w.org.Touch("Case", poison, map[string]any{"Approval_Status__c": nil})
		if err := w.engine.RetryLetter(t.Context(), letters[0].ID, false, "kim"); err != nil {
			t.Fatal(err)
		}
		w.until(r.ID, 96*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
	})
}

// What an acknowledged write changed is read back in the same call, and no call asks
// for it again.
func TestWritesAreReadBackInTheirCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{org: emulator.Options{Seed: 11, RecycleLag: -1, Profile: emulator.Calm()}})
		r := w.approved(0)
		w.until(r.ID, 96*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
		var intents []weir.Intent
		var steps []weir.Step
		err := w.engine.Store().View(t.Context(), time.Now(), func(tx *store.Tx) (err error) {
			if steps, err = tx.StepsOf(r.ID); err == nil {
				intents, err = tx.Intents(r.ID)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		written := 0
		for _, s := range steps {
			if s.Kind == weir.StepErase {
				written++
				if s.Phase != weir.PhaseWrite || s.State != weir.StepDone {
					t.Errorf("step %s of %s ended in phase %s, %s", s.ID, s.Object, s.Phase, s.State)
				}
			}
		}
		if written == 0 || len(intents) != written || slices.ContainsFunc(intents, func(i weir.Intent) bool { return i.State != weir.IntentApplied }) {
			t.Errorf("%d steps, intents: %+v", written, intents)
		}
	})
}
