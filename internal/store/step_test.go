package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testStepRoundTrip(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		full := step("S-2", r, weir.StepWaiting)
		full.Attempts, full.Conflicts, full.Cause, full.Node = 2, 1, weir.ThrottledBurst, "n1"
		full.WakeAt, full.Until = noon.Add(time.Hour), noon.Add(time.Minute)
		bare := weir.Step{ID: "S-1", Request: "R-1", Org: "o", State: weir.StepPlanned}
		ok(tx.InsertSteps([]weir.Step{full, bare}))
		same(t, need(tx.Step("S-2")), full)
		same(t, need(tx.StepsOf("R-1")), []weir.Step{bare, full})
		_, err := tx.Step("S-3")
		refuse(t, err, store.ErrNotFound)
	})
}

// testStepsInShort asks about the steps of a request without reading them all.
func testStepsInShort(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		other := seed(tx, "R-2", "o")
		at := func(id weir.StepID, state weir.StepState, kind weir.StepKind, shape string, rank int) weir.Step {
			st := step(id, r, state)
			st.Kind, st.Shape, st.Rank = kind, shape, rank
			return st
		}
		later, sooner := at("S-4", weir.StepWaiting, weir.StepFind, "find:plan:1", 3), at("S-5", weir.StepWaiting, weir.StepFind, "find:plan:1", 3)
		later.WakeAt, sooner.WakeAt = noon.Add(2*time.Hour), noon.Add(time.Hour)
		ok(tx.InsertSteps([]weir.Step{
			at("S-0", weir.StepDone, weir.StepFind, "find:plan:7", 0), at("S-1", weir.StepDone, weir.StepDescribe, "describe", 1),
			at("S-2", weir.StepDone, weir.StepFind, "find:plan:0", 2), at("S-3", weir.StepReady, weir.StepFind, "find:plan:0", 2),
			later, sooner, step("S-6", other, weir.StepDead),
			at("S-7", weir.StepPlanned, weir.StepErase, "erase", 5), at("S-8", weir.StepPlanned, weir.StepErase, "erase", 4), at("S-9", weir.StepPlanned, weir.StepErase, "erase", 4),
		}))
		same(t, need(tx.CountSteps("R-1")), map[weir.StepState]int{weir.StepDone: 3, weir.StepReady: 1, weir.StepWaiting: 2, weir.StepPlanned: 3})
		same(t, need(tx.FindShapes("R-1")), []string{"find:plan:0", "find:plan:1"})
		same(t, len(need(tx.FindShapes("R-2"))), 0)
		same(t, found(tx.FirstIn("R-1", weir.StepWaiting)), later)
		same(t, found(tx.FirstToWake("R-1")), sooner)
		next := need(tx.PlannedNext("R-1", 5)) // of the lowest rank alone
		same(t, []weir.StepID{next[0].ID, next[1].ID}, []weir.StepID{"S-8", "S-9"})
		same(t, len(next), 2)
		same(t, len(need(tx.PlannedNext("R-1", 1))), 1)
		same(t, len(need(tx.PlannedNext("R-2", 5))), 0)
		absent(tx.FirstIn("R-1", weir.StepDead))
		absent(tx.FirstToWake("R-2"))
	})
}

// testOthersUnderWay asks whether a call's steps are all that stands before the planned ones.
func testOthersUnderWay(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		ok(tx.InsertSteps([]weir.Step{step("S-1", r, weir.StepReady), step("S-2", r, weir.StepReady), step("S-3", r, weir.StepPlanned), step("S-4", r, weir.StepDone)}))
		claim := func(id weir.StepID) {
			same(t, len(need(tx.ClaimSteps([]weir.Step{need(tx.Step(id))}, "c-1", "n1", noon))), 1)
		}
		claim("S-1")
		same(t, need(tx.OthersUnderWay("R-1", "c-1")), true)
		claim("S-2")
		same(t, need(tx.OthersUnderWay("R-1", "c-1")), false)
		same(t, need(tx.OthersUnderWay("R-1", "c-2")), true)
	})
}

// testAdvanceStep tries every verdict in every state: the table decides, and
// whoever holds an old epoch or state changes nothing.
func testAdvanceStep(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		for i, state := range weir.StepStates() {
			for j, verdict := range weir.Verdicts() {
				st := step(weir.StepID(fmt.Sprintf("S-%d-%d", i, j)), r, state)
				st.Node, st.Until = "n1", noon.Add(time.Minute)
				ok(tx.InsertSteps([]weir.Step{st}))
				advanceOne(t, tx, st, verdict)
			}
		}
	})
}

func advanceOne(t *testing.T, tx *store.Tx, st weir.Step, verdict weir.Verdict) {
	t.Helper()
	held := st
	to, refused := st.State.Next(verdict)
	err := tx.AdvanceStep(&st, verdict, func(s *weir.Step) {
		s.Cause, s.Attempts, s.WakeAt = weir.LockContention, 4, noon.Add(time.Second)
		s.State, s.Epoch, s.Org = weir.StepDone, 99, "stolen" // these are not the caller's to set
	})
	if refused != nil || verdict == weir.Claim {
		refuse(t, err, weir.ErrNoSuchTransition)
		same(t, st, held)
		same(t, need(tx.Step(st.ID)), held)
		return
	}
	ok(err)
	want := held
	want.State, want.Cause, want.Attempts = to, weir.LockContention, 4
	want.Node, want.Until = "", time.Time{} // no edge but a claim leads to executing
	if to == weir.StepWaiting {
		want.WakeAt = noon.Add(time.Second)
	}
	same(t, st, want)
	same(t, need(tx.Step(st.ID)), want)
	if to != held.State {
		refuse(t, sent(tx, tx.AdvanceStep(&held, verdict, func(s *weir.Step) { s.WakeAt = noon })), store.ErrMovedElsewhere)
	}
	stale := st
	stale.Epoch--
	refuse(t, sent(tx, tx.EditStep(&stale, func(*weir.Step) {})), store.ErrMovedElsewhere)
	same(t, need(tx.Step(st.ID)), want)
}

// sent makes a transaction send what it has decided: a guard that does not hold is
// told by the statement that follows.
func sent(tx *store.Tx, err error) error {
	if err == nil {
		_, err = tx.TreeSize()
	}
	return err
}

// testWritesGoTogether: many changes of steps, and of one step, are there for
// whatever reads, and one that is refused undoes all.
func testWritesGoTogether(t *testing.T, s *store.Store) {
	const n = 70
	var steps []weir.Step
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		var intents []weir.Intent
		for i := range n {
			st := step(weir.StepID(fmt.Sprintf("S-%02d", i)), r, weir.StepReady)
			st.Record = fmt.Sprintf("003%015d", i)
			if i%2 == 0 {
				st.Args = nil
			}
			steps, intents = append(steps, st), append(intents, intent(st))
		}
		ok(tx.InsertSteps(steps))
		same(t, len(need(tx.OpenIntents(intents))), n)
		steps = need(tx.ClaimSteps(steps, "c", `n,"1"{NULL}\'ü`, noon.Add(time.Minute)))
		same(t, len(steps), n)
		same(t, need(tx.StepsOf("R-1")), steps)
	})
	want := slices.Clone(steps)
	update(t, s, noon.Add(time.Second), func(tx *store.Tx) {
		for i := range want {
			verdict := []weir.Verdict{weir.Yield, weir.Succeed, weir.Clash}[i%3]
			ok(tx.AdvanceStep(&want[i], verdict, func(s *weir.Step) { s.Attempts, s.Args = i, []byte(`{"a":"NULL,\\x00"}`) }))
			if verdict == weir.Clash {
				ok(tx.AdvanceStep(&want[i], weir.Refresh, func(s *weir.Step) { s.Conflicts, s.Args = 1, nil }))
			}
			tx.CloseOpenIntent(want[i].ID, weir.IntentApplied)
		}
		same(t, need(tx.StepsOf("R-1")), want)
		same(t, need(tx.OpenSteps("R-1")), n-len(want)/3)
		for _, in := range need(tx.Intents("R-1")) {
			same(t, []any{in.State, in.ClosedAt}, []any{weir.IntentApplied, noon.Add(time.Second)})
		}
	})
	err := s.Update(t.Context(), noon, func(tx *store.Tx) error {
		for i := range steps { // as they were before
			if err := tx.EditStep(&steps[i], func(s *weir.Step) { s.Attempts = 99 }); err != nil {
				return err
			}
		}
		return nil
	})
	refuse(t, err, store.ErrMovedElsewhere)
	update(t, s, noon, func(tx *store.Tx) { same(t, need(tx.StepsOf("R-1")), want) })
}

func testAWaitNeedsAnEnd(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		st := step("S-1", seed(tx, "R-1", "o"), weir.StepReady)
		ok(tx.InsertSteps([]weir.Step{st}))
		if err := tx.AdvanceStep(&st, weir.Defer, nil); err == nil {
			t.Error("a step waits for ever")
		}
		same(t, need(tx.Step("S-1")).State, weir.StepReady)
	})
}

func testEditStepRenewsAClaim(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		st := step("S-1", seed(tx, "R-1", "o"), weir.StepReady)
		ok(tx.InsertSteps([]weir.Step{st}))
		mine := need(tx.ClaimSteps([]weir.Step{st}, "c", "n1", noon.Add(time.Minute)))[0]
		ok(tx.EditStep(&mine, func(s *weir.Step) { s.Until = noon.Add(time.Hour); s.Args = nil }))
		same(t, mine.Until, noon.Add(time.Hour))
		same(t, need(tx.Step("S-1")), mine)
	})
}

// testReleaseNextRank: a rank is released when nothing of an earlier one is
// left to do, and a dead step is something to do.
func testReleaseNextRank(t *testing.T, s *store.Store) {
	for _, state := range weir.StepStates() {
		update(t, s, noon, func(tx *store.Tx) {
			r := seed(tx, weir.RequestID("R-"+state), "o")
			var steps []weir.Step
			for i, rank := range []int{1, 2, 2, 3} {
				st := step(weir.StepID(fmt.Sprintf("S-%s-%d", state, i)), r, weir.StepPlanned)
				st.Rank = rank
				steps = append(steps, st)
			}
			steps[0].State = state
			ok(tx.InsertSteps(steps))
			released, open, err := tx.ReleaseNextRank(r.ID)
			ok(err)
			want := []weir.StepState{state, weir.StepPlanned, weir.StepPlanned, weir.StepPlanned}
			switch {
			case state.Ended():
				want[1], want[2] = weir.StepReady, weir.StepReady
				same(t, []any{released, open, need(tx.OpenSteps(r.ID))}, []any{2, true, 3})
			case state == weir.StepPlanned:
				want[0] = weir.StepReady
				same(t, []any{released, open, need(tx.OpenSteps(r.ID))}, []any{1, true, 4})
			default:
				same(t, []any{released, open, need(tx.OpenSteps(r.ID))}, []any{0, true, 4})
			}
			same(t, states(tx, r.ID), want)
		})
	}
}

func states(tx *store.Tx, of weir.RequestID) []weir.StepState {
	var all []weir.StepState
	for _, st := range need(tx.StepsOf(of)) {
		all = append(all, st.State)
	}
	return all
}

func testReleaseNextRankOfNothing(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		released, open, err := tx.ReleaseNextRank("R-none")
		ok(err)
		same(t, []any{released, open, need(tx.NextRank("R-none"))}, []any{0, false, 0})
	})
}

// testCancelSteps cancels what the table lets be cancelled, and only there.
func testCancelSteps(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r, other := seed(tx, "R-1", "o"), seed(tx, "R-2", "o")
		ok(tx.InsertSteps([]weir.Step{step("S-other", other, weir.StepReady)}))
		cancelled := 0
		var want []weir.StepState
		for i, state := range weir.StepStates() {
			st := step(weir.StepID(fmt.Sprintf("S-%02d", i)), r, state)
			st.WakeAt = noon
			ok(tx.InsertSteps([]weir.Step{st}))
			if to, err := state.Next(weir.Cancel); err == nil {
				state = to
				cancelled++
			}
			want = append(want, state)
		}
		n, executing, err := tx.CancelSteps("R-1")
		ok(err)
		same(t, []int{n, executing}, []int{cancelled, 1})
		same(t, states(tx, "R-1"), want)
		same(t, states(tx, "R-2"), []weir.StepState{weir.StepReady})
		absent(tx.NextWake("o"))
	})
}
