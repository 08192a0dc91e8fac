package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testRequestRoundTrip(t *testing.T, s *store.Store) {
	full := request("R-full", "o")
	full.Evidence, full.Reason, full.Recipient, full.PlanHash = "E-1", "stale", "age1xyz", "ab12"
	full.ClosedAt = noon.Add(time.Second)
	bare := weir.Request{ID: "R-bare", Org: "o"}
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("o"))
		ok(tx.InsertRequest(full, "f"))
		ok(tx.InsertRequest(bare, "b"))
	})
	bare.CreatedAt = noon // a missing time of creation is now
	view(t, s, noon, func(tx *store.Tx) {
		same(t, need(tx.Request("R-full")), full)
		same(t, need(tx.Request("R-bare")), bare)
		_, err := tx.Request("R-none")
		refuse(t, err, store.ErrNotFound)
		same(t, need(tx.FindBySubject("o", "f")), []weir.Request{full})
		same(t, need(tx.FindBySubject("p", "f")), []weir.Request(nil))
	})
	err := s.Update(t.Context(), noon, func(tx *store.Tx) error {
		return tx.InsertRequest(weir.Request{ID: "R-x", Org: "unknown"}, "")
	})
	if err == nil {
		t.Error("a request of an unknown org was accepted")
	}
}

// testMoveRequest tries every event in every stage: the table decides, and
// whoever holds an old version changes nothing.
func testMoveRequest(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("o"))
		for i, stage := range weir.Stages() {
			for j, event := range weir.Events() {
				r := request(weir.RequestID(fmt.Sprintf("R-%d-%d", i, j)), "o")
				r.Stage = stage
				ok(tx.InsertRequest(r, ""))
				moveOne(t, tx, r, event)
			}
		}
	})
}

func moveOne(t *testing.T, tx *store.Tx, r weir.Request, event weir.Event) {
	t.Helper()
	held := r
	to, refused := r.Stage.Next(event)
	err := tx.MoveRequest(&r, event, func(q *weir.Request) {
		q.PlanHash, q.Org, q.Stage = "hash", "stolen", weir.Delivered // only the hash may change
	})
	if refused != nil {
		refuse(t, err, weir.ErrNoSuchTransition)
		same(t, r, held)
		same(t, need(tx.Request(r.ID)), held)
		return
	}
	ok(err)
	want := held
	want.Stage, want.Version, want.PlanHash = to, held.Version+1, "hash"
	if to.Ended() {
		want.ClosedAt = tx.Now()
	}
	same(t, r, want)
	same(t, need(tx.Request(r.ID)), want)
	refuse(t, tx.MoveRequest(&held, event, nil), store.ErrMovedElsewhere)
	refuse(t, tx.EditRequest(&held, func(*weir.Request) {}), store.ErrMovedElsewhere)
	same(t, need(tx.Request(r.ID)), want)
}

func testEditRequestKeepsTheStage(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		want := r
		ok(tx.EditRequest(&r, func(q *weir.Request) {
			q.DueAt, q.Stage, q.Risk = noon.AddDate(0, 3, 0), weir.Closed, weir.RiskHigh
		}))
		want.DueAt, want.Risk, want.Version = noon.AddDate(0, 3, 0), weir.RiskHigh, 2
		same(t, r, want)
		same(t, need(tx.Request("R-1")), want)
	})
}

// testResumeRequest pauses in every stage that can be paused and comes back.
func testResumeRequest(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("o"))
		paused := 0
		for i, stage := range weir.Stages() {
			r := request(weir.RequestID(fmt.Sprintf("R-%d", i)), "o")
			r.Stage = stage
			ok(tx.InsertRequest(r, ""))
			if stage != weir.Paused {
				refuse(t, tx.ResumeRequest(&r, nil), weir.ErrNoSuchTransition)
			}
			if _, err := stage.Next(weir.EventPause); err != nil {
				continue
			}
			paused++
			ok(tx.MoveRequest(&r, weir.EventPause, nil))
			ok(tx.EditRequest(&r, func(q *weir.Request) { q.Reason = "identity" }))
			ok(tx.ResumeRequest(&r, func(q *weir.Request) { q.Reason = "" }))
			same(t, r.Stage, stage)
			same(t, need(tx.Request(r.ID)), r)
		}
		if paused == 0 {
			t.Error("no stage can be paused")
		}
	})
}

func testRequestsFilter(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("o"))
		ok(tx.EnsureOrg("p"))
		for i, stage := range weir.Stages() {
			r := request(weir.RequestID(fmt.Sprintf("R-%02d", 50-i)), "o")
			r.Stage, r.DueAt = stage, noon.Add(time.Duration(i/2)*time.Hour) // two and two are due together
			if i%2 == 1 {
				r.Right, r.Org = weir.Access, "p"
			}
			ok(tx.InsertRequest(r, ""))
		}
	})
	view(t, s, noon, func(tx *store.Tx) {
		all := need(tx.Requests(store.RequestFilter{}))
		same(t, len(all), len(weir.Stages()))
		for name, c := range map[string]struct {
			filter store.RequestFilter
			keep   func(weir.Request) bool
		}{
			"org":    {store.RequestFilter{Org: "p"}, func(r weir.Request) bool { return r.Org == "p" }},
			"rights": {store.RequestFilter{Rights: []weir.Right{weir.Erasure}}, func(r weir.Request) bool { return r.Right == weir.Erasure }},
			"open":   {store.RequestFilter{Open: true}, func(r weir.Request) bool { return !r.Stage.Ended() }},
			"stages": {
				store.RequestFilter{Stages: []weir.Stage{weir.Executing, weir.Paused}},
				func(r weir.Request) bool { return r.Stage == weir.Executing || r.Stage == weir.Paused },
			},
			"due": {
				store.RequestFilter{DueBefore: noon.Add(2 * time.Hour), Org: "o"},
				func(r weir.Request) bool { return r.Org == "o" && r.DueAt.Before(noon.Add(2*time.Hour)) },
			},
		} {
			t.Run(name, func(t *testing.T) { same(t, need(tx.Requests(c.filter)), keep(all, c.keep)) })
		}
		pageThrough(t, tx, all)
	})
}

func keep[T any](all []T, if_ func(T) bool) []T {
	var kept []T
	for _, v := range all {
		if if_(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// pageThrough reads the list three at a time: nothing is missing or doubled,
// and the order is by due date.
func pageThrough(t *testing.T, tx *store.Tx, all []weir.Request) {
	t.Helper()
	var paged []weir.Request
	for f := (store.RequestFilter{Limit: 3}); ; f.After = paged[len(paged)-1].ID {
		page := need(tx.Requests(f))
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
	}
	same(t, paged, all)
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if b.DueAt.Before(a.DueAt) || b.DueAt.Equal(a.DueAt) && b.ID <= a.ID {
			t.Errorf("%s stands before %s", a.ID, b.ID)
		}
	}
}
