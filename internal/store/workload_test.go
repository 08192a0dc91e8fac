package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testWorkload(t *testing.T, s *store.Store) {
	later, finish := noon.Add(time.Minute), noon.Add(time.Hour)
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		same(t, need(tx.Workload("R-1")), store.Workload{
			Request: "R-1", Due: r.DueAt, Right: r.Right, Risk: r.Risk, Stage: r.Stage,
		})
		ok(tx.AddCalls("R-1", 3))
		ok(tx.AddCalls("R-1", 2))
		ok(tx.ExpectCalls("R-1", 10))
		ok(tx.Foresee("R-1", finish))
		w := step("S-1", r, weir.StepWaiting)
		w.WakeAt = later
		ok(tx.InsertSteps([]weir.Step{w}))
		got := need(tx.Workload("R-1"))
		same(t, got, store.Workload{
			Request: "R-1", Due: r.DueAt, Right: r.Right, Risk: r.Risk, Stage: r.Stage, Calls: 5, Expected: 15,
			ForeseenFrom: noon, ForeseenTo: finish, WakeAt: later,
		})
		_, err := tx.Workload("R-2")
		refuse(t, err, store.ErrNotFound)
	})
}

func testWorkloadsAreOfOpenRequests(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		seed(tx, "R-1", "o")
		seed(tx, "R-2", "other")
		for id, stage := range map[weir.RequestID]weir.Stage{"R-3": weir.Closed, "R-4": weir.Delivered, "R-5": weir.Executing} {
			r := request(id, "o")
			r.Stage = stage
			ok(tx.InsertRequest(r, ""))
		}
		var ids []weir.RequestID
		for _, w := range need(tx.Workloads("o")) {
			ids = append(ids, w.Request)
		}
		same(t, ids, []weir.RequestID{"R-1", "R-5"})
		for _, id := range []weir.RequestID{"R-2", "R-3", "R-4", "R-5"} {
			ok(tx.ShedRequest(id, true))
		}
		same(t, need(tx.ShedRequests("o")), 1)
		ok(tx.ShedRequest("R-5", false))
		same(t, need(tx.ShedRequests("o")), 0)
	})
}

// testShedRequestsGoLast: the mark is on steps that are there and on those that
// come later, and it can be taken back.
func testShedRequestsGoLast(t *testing.T, s *store.Store) {
	next := func(tx *store.Tx) weir.StepID {
		got, found, err := tx.NextReady("o")
		ok(err)
		if !found {
			return ""
		}
		return got.ID
	}
	update(t, s, noon, func(tx *store.Tx) {
		early, late := request("R-1", "o"), request("R-2", "o")
		late.DueAt = early.DueAt.Add(time.Hour)
		ok(tx.EnsureOrg("o"))
		ok(tx.InsertRequest(early, ""))
		ok(tx.InsertRequest(late, ""))
		ok(tx.InsertSteps([]weir.Step{step("S-1", early, weir.StepReady), step("S-2", late, weir.StepReady)}))
		same(t, next(tx), weir.StepID("S-1"))
		ok(tx.ShedRequest("R-1", true))
		ok(tx.InsertSteps([]weir.Step{step("S-0", early, weir.StepReady)}))
		same(t, next(tx), weir.StepID("S-2"))
		var order []weir.StepID
		for _, st := range need(tx.ReadyBefore("o", late.DueAt.Add(time.Hour), true, 10)) {
			order = append(order, st.ID)
		}
		same(t, order, []weir.StepID{"S-2", "S-0", "S-1"})
		same(t, need(tx.Workload("R-1")).Shed, true)
		ok(tx.ShedRequest("R-1", false))
		same(t, next(tx), weir.StepID("S-0"))
	})
}
