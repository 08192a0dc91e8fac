package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// testUrgentRequestsGoFirst: the mark is on steps that are there and on those that
// come later, is stronger than that of the schedule, and can be taken back.
func testUrgentRequestsGoFirst(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		early, late := request("R-1", "o"), request("R-2", "o")
		late.DueAt = early.DueAt.Add(time.Hour)
		ok(tx.EnsureOrg("o"))
		ok(tx.InsertRequest(early, ""))
		ok(tx.InsertRequest(late, ""))
		ok(tx.InsertSteps([]weir.Step{step("S-1", early, weir.StepReady), step("S-2", late, weir.StepReady)}))
		order := func(urgent bool, want ...weir.StepID) {
			t.Helper()
			var got []weir.StepID
			for _, st := range need(tx.ReadyBefore("o", late.DueAt.Add(time.Hour), urgent, 10)) {
				got = append(got, st.ID)
			}
			same(t, got, want)
		}
		absent(tx.Urgency("R-2"))
		mark := weir.Urgency{Request: "R-2", By: "lee", Reason: "in danger", At: noon}
		same(t, need(tx.MarkUrgent(mark)), true)
		same(t, need(tx.MarkUrgent(weir.Urgency{Request: "R-2", By: "kim"})), false)
		same(t, found(tx.Urgency("R-2")), mark)
		ok(tx.InsertSteps([]weir.Step{step("S-0", late, weir.StepReady)}))
		same(t, found(tx.NextReady("o")).ID, weir.StepID("S-0"))
		order(true, "S-0", "S-2", "S-1")
		order(false, "S-1")
		same(t, found(tx.EarliestDue("o", true)), late.DueAt)
		same(t, found(tx.EarliestDue("o", false)), early.DueAt)

		ok(tx.ShedRequest("R-2", true))
		order(true, "S-0", "S-2", "S-1")
		w := need(tx.Workload("R-2"))
		same(t, []bool{w.Urgent, w.Shed}, []bool{true, true})
		same(t, need(tx.UnmarkUrgent("R-2")), true)
		same(t, need(tx.UnmarkUrgent("R-2")), false)
		absent(tx.EarliestDue("o", true))
		order(true, "S-1", "S-0", "S-2")
		same(t, need(tx.Workload("R-2")).Urgent, false)
		ok(tx.ShedRequest("R-2", false))
		order(false, "S-1", "S-0", "S-2")
	})
}

// testUrgentStepsPassAWait: what the org waits for may concern the other steps
// only.
func testUrgentStepsPassAWait(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		ready, asleep := step("S-1", r, weir.StepReady), step("S-2", r, weir.StepWaiting)
		asleep.WakeAt = noon.Add(time.Minute)
		ok(tx.InsertSteps([]weir.Step{asleep}))
		held := need(tx.Org("o"))
		held.WakeAt, held.LetsUrgent = noon.Add(time.Hour), true
		ok(tx.SaveOrg(held))
		due := func(want ...weir.OrgID) {
			t.Helper()
			same(t, need(tx.DueOrgs()), want)
		}
		due()
		need(tx.MarkUrgent(weir.Urgency{Request: "R-1", By: "lee", Reason: "in danger"}))
		due() // it sleeps
		same(t, found(tx.NextWake("o")), asleep.WakeAt)
		ok(tx.InsertSteps([]weir.Step{ready}))
		due("o")
		held = need(tx.Org("o"))
		held.LetsUrgent = false
		ok(tx.SaveOrg(held))
		due()
	})
	update(t, s, noon.Add(time.Minute), func(tx *store.Tx) {
		held := need(tx.Org("o"))
		held.LetsUrgent = true
		ok(tx.SaveOrg(held))
		need(tx.ClaimSteps([]weir.Step{need(tx.Step("S-1"))}, "c", "n", noon.Add(time.Hour)))
		same(t, need(tx.DueOrgs()), []weir.OrgID{"o"}) // it woke
		same(t, found(tx.EarliestDue("o", true)), need(tx.Step("S-2")).DueAt)
		absent(tx.EarliestDue("o", false))
	})
}

func testLettersOfUrgentRequests(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		for _, id := range []weir.RequestID{"R-1", "R-2"} {
			r := seed(tx, id, "o")
			st := step(weir.StepID("S-"+id), r, weir.StepDead)
			ok(tx.InsertSteps([]weir.Step{st}))
			need(tx.OpenLetter(letter(st.ID, r)))
		}
		need(tx.MarkUrgent(weir.Urgency{Request: "R-2", By: "lee", Reason: "in danger"}))
		urgent := need(tx.Letters(store.LetterFilter{Org: "o", State: weir.LetterOpen, Urgent: true}))
		same(t, len(urgent), 1)
		same(t, urgent[0].Request, weir.RequestID("R-2"))
	})
}
