package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testOrgState(t *testing.T, s *store.Store) {
	want := store.OrgState{
		ID: "prod", Version: 1, Governor: []byte(`{"gate":1}`), WakeAt: noon.Add(time.Minute), LetsUrgent: true,
		Capabilities: []byte(`{"Account":"if-match"}`),
	}
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("prod"))
		fresh := need(tx.LockOrg("prod"))
		same(t, fresh, store.OrgState{ID: "prod"})
		saved := want
		saved.Version = 0
		ok(tx.SaveOrg(saved))
		ok(tx.EnsureOrg("prod"))
		same(t, need(tx.Org("prod")), want)
		refuse(t, tx.SaveOrg(saved), store.ErrMovedElsewhere)
		_, err := tx.LockOrg("other")
		refuse(t, err, store.ErrNotFound)
	})
	view(t, s, noon, func(tx *store.Tx) {
		same(t, need(tx.Orgs()), []store.OrgState{want})
		_, err := tx.Org("other")
		refuse(t, err, store.ErrNotFound)
	})
}

func testWakeOrgKeepsTheEarlier(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("o"))
		ok(tx.SaveOrg(store.OrgState{ID: "o", WakeAt: noon.Add(time.Hour)}))
		for _, c := range []struct{ at, want time.Time }{
			{noon.Add(2 * time.Hour), noon.Add(time.Hour)},
			{noon.Add(time.Minute), noon.Add(time.Minute)},
			{noon.Add(time.Hour), noon.Add(time.Minute)},
		} {
			ok(tx.WakeOrg("o", c.at))
			same(t, need(tx.Org("o")).WakeAt, c.want)
		}
		refuse(t, tx.WakeOrg("other", noon), store.ErrNotFound)
	})
}

func testShiftWaits(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r, other := seed(tx, "R-1", "o"), seed(tx, "R-2", "p")
		waiting, running, ready, foreign := step("S-1", r, weir.StepWaiting), step("S-2", r, weir.StepExecuting), step("S-3", r, weir.StepReady), step("S-4", other, weir.StepWaiting)
		waiting.WakeAt, foreign.WakeAt, running.Until = noon.Add(time.Minute), noon.Add(time.Minute), noon.Add(2*time.Minute)
		ok(tx.InsertSteps([]weir.Step{waiting, running, ready, foreign}))
		ok(tx.ShiftWaits("o", time.Hour))
		same(t, need(tx.Step("S-1")).WakeAt, noon.Add(61*time.Minute))
		same(t, need(tx.Step("S-2")).Until, noon.Add(62*time.Minute))
		same(t, need(tx.Step("S-3")), ready)
		same(t, need(tx.Step("S-4")).WakeAt, foreign.WakeAt)
		ok(tx.ShiftWaits("o", -2*time.Hour))
		same(t, need(tx.Step("S-1")).WakeAt, noon.Add(-59*time.Minute))
	})
}

func testDueOrgs(t *testing.T, s *store.Store) {
	minute := time.Minute
	update(t, s, noon, func(tx *store.Tx) {
		for _, c := range []struct {
			org         weir.OrgID
			state       weir.StepState
			orgAt, step time.Duration
		}{
			{"ready", weir.StepReady, -minute, 0},
			{"ready-now", weir.StepReady, 0, 0},
			{"ready-later", weir.StepReady, minute, 0},
			{"woken", weir.StepWaiting, -minute, 0},
			{"waiting", weir.StepWaiting, -minute, minute},
			{"dead", weir.StepDead, -minute, 0},
			{"executing", weir.StepExecuting, -minute, 0},
		} {
			r := seed(tx, weir.RequestID("R-"+c.org), c.org)
			ok(tx.SaveOrg(store.OrgState{ID: c.org, WakeAt: noon.Add(c.orgAt)}))
			st := step(weir.StepID("S-"+c.org), r, c.state)
			st.WakeAt = noon.Add(c.step)
			ok(tx.InsertSteps([]weir.Step{st}))
		}
		ok(tx.EnsureOrg("idle"))
		same(t, need(tx.DueOrgs()), []weir.OrgID{"ready", "ready-now", "woken"})
		same(t, found(tx.NextWake("waiting")), noon.Add(minute))
		same(t, found(tx.NextWake("woken")), noon)
		same(t, found(tx.NextWake("ready-later")), noon.Add(minute)) // its gate
		absent(tx.NextWake("ready"))
		absent(tx.NextWake("executing"))
	})
}

func testInFlightCountsBatches(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		a, b, c := step("S-a", r, weir.StepReady), step("S-b", r, weir.StepReady), step("S-c", r, weir.StepReady)
		ok(tx.InsertSteps([]weir.Step{a, b, c}))
		same(t, need(tx.InFlight("o")), 0)
		need(tx.ClaimSteps([]weir.Step{a, b}, "claim 1", "n1", noon.Add(time.Minute)))
		same(t, need(tx.InFlight("o")), 1)
		got := need(tx.ClaimSteps([]weir.Step{c}, "claim 2", "n2", noon.Add(time.Minute)))
		same(t, need(tx.InFlight("o")), 2)
		same(t, need(tx.LongCalls("o", noon, time.Minute)), 2)
		same(t, need(tx.LongCalls("o", noon.Add(-1), time.Minute)), 0)
		same(t, need(tx.CallsAbout("o", "Contact", false, noon.Add(-1), time.Minute)), 2)
		same(t, need(tx.CallsAbout("o", "Contact", false, noon, time.Minute)), 0)
		same(t, need(tx.CallsAbout("o", "Contact", true, noon.Add(-1), time.Minute)), 0)
		same(t, need(tx.CallsAbout("o", "Case", false, noon.Add(-1), time.Minute)), 0)
		ok(tx.AdvanceStep(&got[0], weir.Succeed, nil))
		same(t, need(tx.InFlight("o")), 1)
		same(t, need(tx.InFlight("p")), 0)
	})
}
