package store_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func balance(t testing.TB, tx *store.Tx) (steps, requests store.Accounting) {
	t.Helper()
	steps, requests, err := tx.Accounting()
	ok(err)
	if !steps.Balanced() || !requests.Balanced() {
		t.Errorf("unbalanced: steps %+v, requests %+v", steps, requests)
	}
	return steps, requests
}

// testAccountingCoversEveryState puts one of each into the tables.
func testAccountingCoversEveryState(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("o"))
		stages := map[weir.Stage]int{}
		for i, stage := range weir.Stages() {
			r := request(weir.RequestID(fmt.Sprintf("R-%02d", i)), "o")
			r.Stage = stage
			ok(tx.InsertRequest(r, ""))
			stages[stage] = 1
			// Each request also has an open letter and one of the step states.
			if i < len(weir.StepStates()) {
				st := step(weir.StepID(fmt.Sprintf("S-%02d", i)), r, weir.StepStates()[i])
				ok(tx.InsertSteps([]weir.Step{st}))
				need(tx.OpenLetter(letter(st.ID, r)))
			}
		}
		steps, requests := balance(t, tx)
		same(t, steps, store.Accounting{Accepted: 10, Done: 2, Waiting: 5, Dead: 2, Cancelled: 1})
		// Of ten requests with letters, Delivered and Closed are done all the same.
		same(t, requests, store.Accounting{Accepted: 13, Done: 2, Waiting: 1, Dead: 8, Cancelled: 2})
		same(t, need(tx.StageCounts()), stages)
		same(t, len(need(tx.StepCounts("o"))), 10)
		same(t, need(tx.StepCounts("p")), map[weir.StepState]int{})
	})
}

// testAccountingSeesALoss deletes and smuggles behind the store's back.
func testAccountingSeesALoss(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		ok(tx.InsertSteps([]weir.Step{step("S-1", r, weir.StepReady), step("S-2", r, weir.StepReady)}))
		balance(t, tx)
		for _, harm := range []string{
			`DELETE FROM step WHERE id = 'S-1'`,
			`UPDATE step SET state = 'LOST' WHERE id = 'S-2'`,
		} {
			if _, err := tx.SQL().ExecContext(t.Context(), harm); err != nil {
				t.Fatal(err)
			}
			steps, _, err := tx.Accounting()
			ok(err)
			if steps.Balanced() {
				t.Errorf("%s went unnoticed", harm)
			}
		}
	})
}

// testStepsFollowTheTable drives random steps with random verdicts, claims,
// releases, wakes and cancellations, next to a model of the table: the rows
// agree with the model and the accounting balances after every move.
func testStepsFollowTheTable(t *testing.T, s *store.Store) {
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		update(t, s, noon.Add(time.Duration(runs)*time.Hour), func(tx *store.Tx) { drive(t, rt, tx, runs) })
	})
}

func drive(t *testing.T, rt *rapid.T, tx *store.Tx, run int) {
	t.Helper()
	org := weir.OrgID(fmt.Sprintf("o%d", run))
	r := seed(tx, weir.RequestID(fmt.Sprintf("R-%d", run)), org)
	model := map[weir.StepID]weir.Step{}
	var ids []weir.StepID
	for i := range rapid.IntRange(1, 3).Draw(rt, "steps") {
		st := step(weir.StepID(fmt.Sprintf("S-%d-%d", run, i)), r, weir.StepPlanned)
		st.Rank = i
		ok(tx.InsertSteps([]weir.Step{st}))
		model[st.ID], ids = st, append(ids, st.ID)
	}
	for range rapid.IntRange(0, 8).Draw(rt, "moves") {
		st := model[rapid.SampledFrom(ids).Draw(rt, "step")]
		verdict := rapid.SampledFrom(weir.Verdicts()).Draw(rt, "verdict")
		if verdict == weir.Claim {
			for _, claimed := range need(tx.ClaimSteps([]weir.Step{st}, "c", "n", tx.Now())) {
				st = claimed
			}
		} else {
			_, refused := st.State.Next(verdict)
			err := tx.AdvanceStep(&st, verdict, func(s *weir.Step) { s.WakeAt = tx.Now().Add(time.Minute) })
			if (err == nil) != (refused == nil) {
				rt.Fatalf("%s of a step in %s: %v, the table says %v", verdict, st.State, err, refused)
			}
		}
		model[st.ID] = st
		unended := 0
		for id, want := range model {
			same(t, need(tx.Step(id)), want)
			if !want.State.Ended() {
				unended++
			}
		}
		same(t, need(tx.OpenSteps(r.ID)), unended)
		balance(t, tx)
	}
}
