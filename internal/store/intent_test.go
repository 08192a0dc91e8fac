package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func intent(of weir.Step) weir.Intent {
	return weir.Intent{
		Step: of.ID, Request: of.Request, Org: of.Org, Object: of.Object, Record: of.Record, Action: weir.ActAnonymise,
		Epoch: of.Epoch, Rung: weir.RungIfMatch, Precondition: `"etag"`, BeforeDigest: "b", AfterDigest: "a",
		State: weir.IntentOpen, OpenedAt: noon,
	}
}

func testOneOpenIntentPerRecord(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		a, b := step("S-a", seed(tx, "R-1", "o"), weir.StepReady), step("S-b", seed(tx, "R-2", "o"), weir.StepReady)
		elsewhere := step("S-c", seed(tx, "R-3", "p"), weir.StepReady) // the same record id in another org
		ok(tx.InsertSteps([]weir.Step{a, b, elsewhere}))
		tx.CloseOpenIntent("S-a", weir.IntentApplied) // there is none
		same(t, need(tx.OpenIntents([]weir.Intent{intent(a), intent(elsewhere)})), []weir.StepID{"S-a", "S-c"})
		same(t, need(tx.OpenIntents([]weir.Intent{intent(b)})), []weir.StepID(nil))
		same(t, need(tx.Intents("R-1")), []weir.Intent{intent(a)}) // and the transaction goes on
		same(t, len(need(tx.Intents("R-2"))), 0)
		if err := tx.CloseIntent("S-a", a.Epoch, weir.IntentOpen); err == nil {
			t.Error("closing left it open")
		}
		refuse(t, tx.CloseIntent("S-a", a.Epoch+1, weir.IntentApplied), store.ErrMovedElsewhere)
	})
	update(t, s, noon.Add(time.Minute), func(tx *store.Tx) {
		ok(tx.CloseIntent("S-a", 3, weir.IntentNotApplied))
		refuse(t, tx.CloseIntent("S-a", 3, weir.IntentApplied), store.ErrMovedElsewhere)
		again := intent(need(tx.Step("S-a")))
		again.Epoch, again.OpenedAt = 4, noon.Add(time.Minute)
		twice := again
		twice.Step, twice.Epoch = "S-b", 1
		same(t, need(tx.OpenIntents([]weir.Intent{again, twice})), []weir.StepID{"S-a"}) // of two about one record the first
		closed := intent(need(tx.Step("S-a")))
		closed.State, closed.ClosedAt = weir.IntentNotApplied, noon.Add(time.Minute)
		same(t, need(tx.Intents("R-1")), []weir.Intent{closed, again})
		tx.CloseOpenIntent("S-a", weir.IntentConflict)
		again.State, again.ClosedAt = weir.IntentConflict, noon.Add(time.Minute)
		same(t, need(tx.Intents("R-1")), []weir.Intent{closed, again})
		same(t, need(tx.StepsByID([]weir.StepID{"S-a", "S-none"})), map[weir.StepID]weir.Step{"S-a": need(tx.Step("S-a"))})
		same(t, need(tx.Intents("R-2")), []weir.Intent(nil))
	})
	err := s.Update(t.Context(), noon, func(tx *store.Tx) error {
		other := intent(need(tx.Step("S-b")))
		other.Step, other.Record = "S-a", "003000000000002AAA"
		_, err := tx.OpenIntents([]weir.Intent{other}) // the step's epoch has an intent already
		return err
	})
	if err == nil {
		t.Error("an intent was recorded twice")
	}
}

// testIntentsRace opens an intent for one record in two transactions at once.
func testIntentsRace(t *testing.T, s *store.Store) {
	steps := make([]weir.Step, 2)
	update(t, s, noon, func(tx *store.Tx) {
		steps[0] = step("S-a", seed(tx, "R-1", "o"), weir.StepReady)
		steps[1] = step("S-b", seed(tx, "R-2", "o"), weir.StepReady)
		ok(tx.InsertSteps(steps))
	})
	errs, opened := make(chan error), make(chan int, 2)
	for _, st := range steps {
		go func() {
			errs <- s.Update(t.Context(), noon, func(tx *store.Tx) error {
				some, err := tx.OpenIntents([]weir.Intent{intent(st)})
				opened <- len(some)
				return err
			})
		}()
	}
	ok(<-errs)
	ok(<-errs)
	same(t, <-opened+<-opened, 1)
}
