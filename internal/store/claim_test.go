package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testNextReadyIsTheMostUrgent(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		put := func(id weir.StepID, state weir.StepState, due time.Duration, rank int, wake time.Duration) {
			st := step(id, r, state)
			st.DueAt, st.Rank, st.Cause = noon.Add(due), rank, weir.ThrottledDaily
			if state == weir.StepWaiting {
				st.WakeAt = noon.Add(wake)
			}
			ok(tx.InsertSteps([]weir.Step{st}))
		}
		put("S-later", weir.StepWaiting, 1*time.Hour, 1, time.Millisecond)
		put("S-5", weir.StepReady, 4*time.Hour, 1, 0)
		put("S-4", weir.StepReady, 3*time.Hour, 2, 0)
		put("S-3", weir.StepReady, 3*time.Hour, 1, 0)
		put("S-2", weir.StepReady, 3*time.Hour, 1, 0)
		put("S-1", weir.StepWaiting, 2*time.Hour, 9, 0)
		put("S-dead", weir.StepDead, 1*time.Hour, 1, 0)
		for i := 1; i <= 5; i++ {
			st := found(tx.NextReady("o"))
			same(t, st.ID, weir.StepID(fmt.Sprintf("S-%d", i)))
			same(t, st.State, weir.StepReady)
			same(t, st.WakeAt, time.Time{})
			same(t, st.Cause, weir.ThrottledDaily)
			mine := need(tx.ClaimSteps([]weir.Step{st}, "c", "n1", noon.Add(time.Minute)))[0]
			same(t, mine.Cause, weir.Category(""))
		}
		absent(tx.NextReady("o"))
		absent(tx.NextReady("p"))
		same(t, need(tx.Step("S-later")).State, weir.StepWaiting)
	})
}

func testBatchmatesShareRequestShapeAndPhase(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r, other := seed(tx, "R-1", "o"), seed(tx, "R-2", "o")
		first := step("S-m", r, weir.StepReady)
		steps := []weir.Step{first}
		for _, c := range []struct {
			id     weir.StepID
			of     weir.Request
			change func(*weir.Step)
		}{
			{"S-a", r, func(*weir.Step) {}},
			{"S-z", r, func(s *weir.Step) { s.Rank = 1 }},
			{"S-foreign", other, func(*weir.Step) {}},
			{"S-shape", r, func(s *weir.Step) { s.Shape = "erase Lead" }},
			{"S-phase", r, func(s *weir.Step) { s.Phase = weir.PhaseWrite }},
			{"S-state", r, func(s *weir.Step) { s.State = weir.StepPlanned }},
		} {
			st := step(c.id, c.of, weir.StepReady)
			c.change(&st)
			steps = append(steps, st)
		}
		ok(tx.InsertSteps(steps))
		for most, want := range map[int][]weir.StepID{
			0: {"S-m"}, 1: {"S-m"}, 2: {"S-m", "S-z"}, 3: {"S-m", "S-z", "S-a"}, 200: {"S-m", "S-z", "S-a"},
		} {
			var got []weir.StepID
			for _, st := range need(tx.Batchmates(first, most)) {
				got = append(got, st.ID)
			}
			same(t, got, want)
		}
		same(t, found(tx.ReadyIn(first, weir.PhaseConfirm, weir.PhaseWrite)).ID, weir.StepID("S-phase"))
		absent(tx.ReadyIn(first, weir.PhaseConfirm))
		absent(tx.ReadyIn(steps[3], weir.PhaseWrite)) // of another request
	})
}

func testSharersOnlyRead(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		reads := func(id weir.RequestID, org weir.OrgID, right weir.Right) weir.Request {
			r := request(id, org)
			r.Right = right
			ok(tx.EnsureOrg(org))
			ok(tx.InsertRequest(r, "index of "+string(id)))
			return r
		}
		own, other, third := reads("R-1", "o", weir.Access), reads("R-2", "o", weir.Access), reads("R-3", "o", weir.Portability)
		erasure, elsewhere := reads("R-4", "o", weir.Erasure), reads("R-5", "p", weir.Access)
		find := func(id weir.StepID, of weir.Request, change func(*weir.Step)) weir.Step {
			st := step(id, of, weir.StepReady)
			st.Kind, st.Phase = weir.StepFind, weir.PhaseRead
			change(&st)
			return st
		}
		as := func(*weir.Step) {}
		first := find("S-first", own, as)
		ok(tx.InsertSteps([]weir.Step{
			first, find("S-own", own, as),
			find("S-b", other, as), find("S-c", third, as),
			find("S-a", other, func(s *weir.Step) { s.DueAt = s.DueAt.Add(-time.Hour) }),
			find("S-failed", other, func(s *weir.Step) { s.Attempts = 2 }),
			find("S-tried", other, func(s *weir.Step) { s.Attempts = 1; s.DueAt = s.DueAt.Add(time.Hour) }),
			find("S-kind", other, func(s *weir.Step) { s.Kind = weir.StepExport }),
			find("S-phase", other, func(s *weir.Step) { s.Phase = weir.PhaseWrite }),
			find("S-state", other, func(s *weir.Step) { s.State = weir.StepPlanned }),
			find("S-erasure", erasure, as), find("S-elsewhere", elsewhere, as),
		}))
		for most, want := range map[int][]weir.StepID{2: {"S-a", "S-b"}, 100: {"S-a", "S-b", "S-c", "S-tried"}} {
			var got []weir.StepID
			for _, st := range need(tx.Sharers(first, most)) {
				got = append(got, st.ID)
			}
			same(t, got, want)
		}
	})
}

func testClaimLeavesOutWhatMoved(t *testing.T, s *store.Store) {
	until := noon.Add(time.Minute)
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		a, b, c := step("S-a", r, weir.StepReady), step("S-b", r, weir.StepReady), step("S-c", r, weir.StepPlanned)
		ok(tx.InsertSteps([]weir.Step{a, b, c}))
		first := need(tx.ClaimSteps([]weir.Step{a}, "c1", "n1", until))
		want := a
		want.State, want.Epoch, want.Node, want.Until = weir.StepExecuting, a.Epoch+1, "n1", until
		same(t, first, []weir.Step{want})
		same(t, need(tx.Step("S-a")), want)
		second := need(tx.ClaimSteps([]weir.Step{a, b, c}, "c2", "n2", until))
		same(t, len(second), 1)
		same(t, second[0].ID, weir.StepID("S-b"))
		ok(tx.AdvanceStep(&first[0], weir.Yield, nil))
		refuse(t, sent(tx, tx.AdvanceStep(&want, weir.Succeed, nil)), store.ErrMovedElsewhere)
		same(t, need(tx.ClaimSteps([]weir.Step{a}, "c3", "n2", until)), []weir.Step(nil)) // an old epoch
	})
}

// testClaimsNeverOverlap lets several transactions claim the same steps at the
// same time: each step goes to one of them.
func testClaimsNeverOverlap(t *testing.T, s *store.Store) {
	var steps []weir.Step
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		for i := range 20 {
			steps = append(steps, step(weir.StepID(fmt.Sprintf("S-%02d", i)), r, weir.StepReady))
		}
		ok(tx.InsertSteps(steps))
	})
	type result struct {
		claimed []weir.Step
		err     error
	}
	results := make(chan result)
	for n := range 4 {
		go func() {
			var r result
			r.err = s.Update(t.Context(), noon, func(tx *store.Tx) (err error) {
				name := fmt.Sprintf("n%d", n)
				r.claimed, err = tx.ClaimSteps(steps, name, name, noon.Add(time.Minute))
				return err
			})
			results <- r
		}()
	}
	owner := map[weir.StepID]string{}
	for range 4 {
		r := <-results
		if r.err != nil {
			t.Error(r.err)
		}
		for _, st := range r.claimed {
			if owner[st.ID] != "" {
				t.Errorf("%s went to %s and to %s", st.ID, owner[st.ID], st.Node)
			}
			owner[st.ID] = st.Node
		}
	}
	same(t, len(owner), len(steps))
}

// testOrphans: what a dead node held, what a live one held for too long, and
// nothing else; a write that may be under way is read back later.
func testOrphans(t *testing.T, s *store.Store) {
	settled := noon.Add(time.Minute)
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		for id, c := range map[weir.StepID]struct {
			node  string
			until time.Duration
			phase weir.Phase
		}{
			"S-held": {"alive", 0, weir.PhaseRead}, "S-late": {"alive", -time.Millisecond, weir.PhaseRead},
			"S-dead": {"dead", time.Minute, weir.PhaseRead}, "S-wrote": {"dead", time.Minute, weir.PhaseWrite},
			"S-check": {"dead", time.Hour, weir.PhaseCheck},
		} {
			st := step(id, r, weir.StepReady)
			st.Kind, st.Phase = weir.StepErase, c.phase
			ok(tx.InsertSteps([]weir.Step{st}))
			need(tx.ClaimSteps([]weir.Step{st}, "c", c.node, noon.Add(c.until)))
		}
		ok(tx.InsertSteps([]weir.Step{step("S-ready", r, weir.StepReady)}))
		same(t, need(tx.Holders()), []store.Holder{
			{Node: "alive", Org: "o", Until: noon.Add(-time.Millisecond)}, {Node: "dead", Org: "o", Until: settled},
		})
		names := func(steps []weir.Step) (ids []weir.StepID) {
			for _, st := range steps {
				ids = append(ids, st.ID)
			}
			slices.Sort(ids)
			return ids
		}
		same(t, need(tx.Claims("alive")), []string{"c"})
		alive, dead, far := store.Holder{Node: "alive", Org: "o"}, store.Holder{Node: "dead", Org: "o"}, noon.Add(100*time.Hour)
		same(t, names(need(tx.AdoptOrphans(alive, noon, 10, settled))), []weir.StepID{"S-late"})
		same(t, len(need(tx.AdoptOrphans(dead, far, 1, time.Time{}))), 1)
		same(t, len(need(tx.AdoptOrphans(dead, far, 10, time.Time{}))), 1)
		same(t, need(tx.Step("S-wrote")).State, weir.StepExecuting) // nobody said until when it has to wait
		same(t, need(tx.AdoptOrphans(dead, far, 10, settled)), []weir.Step{{
			ID: "S-wrote", Request: r.ID, Org: "o", Kind: weir.StepErase, Phase: weir.PhaseWrite,
		}})
		same(t, need(tx.Step("S-wrote")).Phase, weir.PhaseConfirm)
		same(t, need(tx.Holders()), []store.Holder{{Node: "alive", Org: "o", Until: noon}})
		for id, want := range map[weir.StepID]weir.StepState{
			"S-held": weir.StepExecuting, "S-late": weir.StepReady, "S-dead": weir.StepReady, "S-check": weir.StepReady,
			"S-wrote": weir.StepWaiting,
		} {
			st := need(tx.Step(id))
			same(t, st.State, want)
			same(t, st.Epoch, need(tx.Step("S-held")).Epoch) // a claim moves it; giving back does not
			if want != weir.StepExecuting {
				same(t, []any{st.Node, st.Until}, []any{"", time.Time{}})
			}
		}
		ok(tx.EndClaims("alive", []string{"another"}))
		same(t, len(need(tx.AdoptOrphans(alive, noon, 10, settled))), 0)
		ok(tx.EndClaims("alive", []string{"another", "c"}))
		same(t, names(need(tx.AdoptOrphans(alive, noon, 10, settled))), []weir.StepID{"S-held"})
		same(t, len(need(tx.Claims("alive"))), 0)
		wrote := need(tx.Step("S-wrote"))
		same(t, []any{wrote.WakeAt, wrote.Cause}, []any{settled, weir.UnknownOutcome})
	})
}
