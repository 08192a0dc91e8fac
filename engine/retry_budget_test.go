package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/store"
)

// For ten minutes the org fails two calls of three. It is not down, so that work
// goes on; what fails waits for minutes once the budget of repeats is spent, and
// nobody has to decide about steps that met six failures in a minute.
func TestABrownoutMakesFewLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{people: 30})
		var script emulator.FaultScript
		for n := 1; n < 6000; n++ {
			if n%3 != 0 {
				script = append(script, emulator.ScriptedFault{Kind: emulator.FaultPlatform, At: n})
			}
		}
		w.org.SetFaults(script)
		var all []weir.Request
		for i := range w.subjects {
			all = append(all, w.submit(weir.Erasure, i))
		}
		w.workFor(10 * time.Minute)
		if n := len(w.letters()); n > 0 {
			t.Errorf("%d letters after %d calls", n, len(w.org.Log()))
		}
		w.org.SetFaults(nil)
		for _, r := range all {
			w.until(r.ID, 6*time.Hour, weir.AwaitingApproval)
		}
	})
}

// A request that has taken far more calls than its plan says waits with its
// repeats, and the decision says so.
func TestARequestThatTakesTooManyCallsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{people: 1})
		r := w.submit(weir.Erasure, 0)
		err := w.engine.Store().Update(t.Context(), time.Now(), func(tx *store.Tx) error {
			if err := tx.ExpectCalls(r.ID, 10); err != nil {
				return err
			}
			return tx.AddCalls(r.ID, 41)
		})
		if err != nil {
			t.Fatal(err)
		}
		w.org.InjectNext(emulator.FaultPlatform, 1)
		w.settle()
		why, err := w.engine.Why(t.Context(), string(r.ID))
		if err != nil || !strings.Contains(why.Sentence, "calls-of-request 4") {
			t.Errorf("why: %s %v", why.Sentence, err)
		}
		w.until(r.ID, time.Hour, weir.AwaitingApproval)
	})
}
