package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// testAskerTakesTurns: who was claimed least often, of the same place in the queue.
func testAskerTakesTurns(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r, urgent := seed(tx, "R-1", "o"), seed(tx, "R-2", "o")
		put := func(id weir.StepID, of weir.Request, change func(*weir.Step)) weir.Step {
			st := step(id, of, weir.StepReady)
			st.Kind, st.Phase, st.Object = weir.StepFind, weir.PhaseRead, "Case"
			change(&st)
			ok(tx.InsertSteps([]weir.Step{st}))
			return need(tx.Step(id))
		}
		first := put("S-first", r, func(s *weir.Step) { s.Epoch = 9 })
		same(t, need(tx.Asker(first, false)), first)
		asker := put("S-asker", r, func(s *weir.Step) { s.Epoch, s.DueAt = 2, s.DueAt.Add(time.Hour) })
		put("S-later", r, func(s *weir.Step) { s.Epoch, s.DueAt = 2, s.DueAt.Add(2*time.Hour) })
		put("S-contact", r, func(s *weir.Step) { s.Epoch, s.Object = 0, "Contact" })
		put("S-write", r, func(s *weir.Step) { s.Epoch, s.Kind, s.Phase = 0, weir.StepErase, weir.PhaseWrite })
		put("S-planned", r, func(s *weir.Step) { s.Epoch, s.State = 0, weir.StepPlanned })
		put("S-urgent", urgent, func(s *weir.Step) { s.Epoch = 0 })
		need(tx.MarkUrgent(weir.Urgency{Request: "R-2", By: "lee", Reason: "in danger"}))
		same(t, need(tx.Asker(first, false)), asker)
		same(t, need(tx.Asker(need(tx.Step("S-urgent")), false)).ID, weir.StepID("S-urgent"))
		same(t, need(tx.Asker(first, true)).ID, weir.StepID("S-write"))
		for id, epoch := range map[weir.StepID]int64{"S-begun": 7, "S-often": 8} {
			put(id, r, func(s *weir.Step) { s.Epoch, s.Kind, s.Phase = epoch, weir.StepErase, weir.PhaseWrite })
		}
		same(t, need(tx.Asker(first, true)).ID, weir.StepID("S-begun"))
	})
}

// testHoldObject: the ready steps of one object and sort wait, and nothing else.
func testHoldObject(t *testing.T, s *store.Store) {
	until := noon.Add(time.Minute)
	update(t, s, noon, func(tx *store.Tx) {
		r, other := seed(tx, "R-1", "o"), seed(tx, "R-2", "o")
		elsewhere := seed(tx, "R-3", "p")
		put := func(id weir.StepID, of weir.Request, change func(*weir.Step)) {
			st := step(id, of, weir.StepReady)
			st.Kind, st.Phase, st.Object, st.Attempts = weir.StepErase, weir.PhaseCheck, "Case", 3
			change(&st)
			ok(tx.InsertSteps([]weir.Step{st}))
		}
		put("S-check", r, func(*weir.Step) {})
		put("S-other", other, func(s *weir.Step) { s.Kind, s.Phase = weir.StepFind, weir.PhaseRead })
		put("S-confirm", r, func(s *weir.Step) { s.Phase = weir.PhaseConfirm })
		put("S-just", r, func(s *weir.Step) { s.DueAt = until })
		put("S-never", r, func(s *weir.Step) { s.DueAt = time.Time{} })
		put("S-late", r, func(s *weir.Step) { s.DueAt = until.Add(-time.Millisecond) })
		put("S-write", r, func(s *weir.Step) { s.Phase = weir.PhaseWrite })
		put("S-purge", r, func(s *weir.Step) { s.Kind, s.Phase = weir.StepPurge, weir.PhaseRead })
		put("S-contact", r, func(s *weir.Step) { s.Object = "Contact" })
		put("S-planned", r, func(s *weir.Step) { s.State = weir.StepPlanned })
		put("S-elsewhere", elsewhere, func(*weir.Step) {})
		put("S-busy", r, func(*weir.Step) {})
		need(tx.ClaimSteps([]weir.Step{need(tx.Step("S-busy"))}, "c", "n", until))
		held := func(want ...weir.StepID) {
			t.Helper()
			for _, id := range want {
				st := need(tx.Step(id))
				same(t, []any{st.State, st.WakeAt, st.Cause, st.Attempts, st.Epoch}, []any{weir.StepWaiting, until, weir.QueryTimeout, 3, int64(3)})
			}
			n := need(tx.CountSteps("R-1"))[weir.StepWaiting] + need(tx.CountSteps("R-2"))[weir.StepWaiting] + need(tx.CountSteps("R-3"))[weir.StepWaiting]
			same(t, n, len(want))
		}
		before := need(tx.Org("o"))
		same(t, need(tx.HoldObject("o", "Case", false, until, weir.QueryTimeout, until)), 5)
		held("S-check", "S-other", "S-confirm", "S-just", "S-never")
		same(t, need(tx.HoldObject("o", "Case", false, until, weir.QueryTimeout, until)), 0)
		same(t, need(tx.HoldObject("o", "Case", true, until, weir.QueryTimeout, until)), 2)
		held("S-check", "S-other", "S-confirm", "S-just", "S-never", "S-write", "S-purge")
		same(t, need(tx.HoldObject("o", "Case", false, until, weir.QueryTimeout, time.Time{})), 1)
		held("S-check", "S-other", "S-confirm", "S-just", "S-never", "S-write", "S-purge", "S-late")
		same(t, need(tx.Org("o")), before)
		same(t, need(tx.DueOrgs()), []weir.OrgID{"o", "p"})
		same(t, found(tx.NextWake("o")), until)
	})
	update(t, s, until, func(tx *store.Tx) {
		ok(tx.WakeSteps("o"))
		same(t, need(tx.Step("S-write")).State, weir.StepReady)
	})
}
