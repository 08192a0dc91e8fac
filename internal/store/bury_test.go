package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// testManyDieAtOnce: what is ready and due in time dies, each with a letter and
// a number; one that died before keeps both; one that moved is not buried.
func testManyDieAtOnce(t *testing.T, s *store.Store) {
	const many = 1200
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		again, late, never := step("S-again", r, weir.StepReady), step("S-late", r, weir.StepReady), step("S-never", r, weir.StepReady)
		again.DueAt, late.DueAt, never.DueAt = noon.Add(-time.Hour), noon.Add(time.Hour), time.Time{}
		again.Attempts, again.Phase = 3, weir.PhaseWrite
		all := []weir.Step{again, late, never}
		for i := range many {
			st := step(weir.StepID(fmt.Sprintf("S-%04d", i)), r, weir.StepReady)
			st.DueAt = noon.Add(time.Duration(i-many) * time.Second)
			all = append(all, st)
		}
		ok(tx.InsertSteps(all))
		first := need(tx.OpenLetter(letter("S-again", r)))
		ok(tx.MoveLetter(first.ID, weir.LetterOpen, weir.LetterReleased))

		same(t, found(tx.EarliestDue("o", false)), noon.Add(-time.Hour))
		doomed := need(tx.ReadyBefore("o", noon, false, 10_000))
		same(t, len(doomed), many+1)
		same(t, doomed[0], weir.Step{
			ID: "S-again", Request: r.ID, Org: "o", Kind: again.Kind, Phase: again.Phase, State: weir.StepReady,
			Object: again.Object, Record: again.Record, DueAt: again.DueAt,
		})
		same(t, len(need(tx.ReadyBefore("o", noon, true, 7))), 7)
		moved := need(tx.Step("S-0007"))
		need(tx.ClaimSteps([]weir.Step{moved}, "c", "n", noon.Add(time.Hour)))
		refuse(t, tx.BuryReady([]weir.StepID{moved.ID}, weir.DeadlineRisk), store.ErrMovedElsewhere)
		var ids []weir.StepID
		for _, st := range doomed {
			if st.ID != moved.ID {
				ids = append(ids, st.ID)
			}
		}
		ok(tx.BuryReady(ids, weir.DeadlineRisk))
		letters := map[weir.StepID]weir.LetterID{}
		for i, id := range need(tx.OpenLetters(ids, weir.DeadlineRisk, "CODE", weir.ReleaseByPerson)) {
			letters[ids[i]] = id
		}
		same(t, len(letters), many)
		same(t, letters["S-again"], first.ID)
		same(t, letters["S-0000"], weir.LetterID("DL-2")) // the most urgent of those that never died

		l := need(tx.Letter(first.ID))
		same(t, []any{l.State, l.Times, l.Attempts, l.Cause}, []any{weir.LetterOpen, 2, 3, weir.DeadlineRisk})
		same(t, need(tx.Step("S-again")).Phase, weir.PhaseCheck)
		fresh := need(tx.Letter(letters["S-0003"]))
		same(t, fresh.ID, weir.LetterID("DL-5"))
		want := weir.Letter{
			ID: fresh.ID, Step: "S-0003", Request: r.ID, Org: "o", State: weir.LetterOpen, Cause: weir.DeadlineRisk, Code: "CODE",
			Object: need(tx.Step("S-0003")).Object, Record: need(tx.Step("S-0003")).Record, Kind: need(tx.Step("S-0003")).Kind,
			FirstAt: noon, LastAt: noon, DueAt: need(tx.Step("S-0003")).DueAt, Right: r.Right, Risk: r.Risk,
			Release: weir.ReleaseByPerson, Times: 1,
		}
		same(t, fresh, want)
		numbers := map[weir.LetterID]bool{}
		for _, id := range letters {
			numbers[id] = true
		}
		same(t, len(numbers), many)
		same(t, numbers[weir.LetterID(fmt.Sprintf("DL-%d", many))], true) // no gap
		same(t, need(tx.LettersByRelease("o")), map[weir.ReleaseKind]int{weir.ReleaseByPerson: many})
		ok(tx.AddLetterEvents([]weir.LetterID{first.ID, fresh.ID}, weir.LetterEvent{By: "weir", Act: "opened", Note: "n"}))
		same(t, need(tx.LetterEvents(fresh.ID)), []weir.LetterEvent{{Letter: fresh.ID, At: noon, By: "weir", Act: "opened", Note: "n"}})
	})
}

// testEarliestDue: what waits counts once its time has come, and what has no due
// date never does.
func testEarliestDue(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		never, woken, asleep := step("S-1", r, weir.StepReady), step("S-2", r, weir.StepWaiting), step("S-3", r, weir.StepWaiting)
		never.DueAt, woken.DueAt, asleep.DueAt = time.Time{}, noon.Add(2*time.Hour), noon.Add(time.Hour)
		woken.WakeAt, asleep.WakeAt = noon, noon.Add(time.Minute)
		ok(tx.InsertSteps([]weir.Step{never}))
		absent(tx.EarliestDue("o", false))
		ok(tx.InsertSteps([]weir.Step{woken, asleep}))
		same(t, found(tx.EarliestDue("o", false)), woken.DueAt)
		ok(tx.WakeSteps("o"))
		same(t, need(tx.Step("S-2")).State, weir.StepReady)
		same(t, need(tx.Step("S-3")).State, weir.StepWaiting)
	})
}
