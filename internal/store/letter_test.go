package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func letter(of weir.StepID, r weir.Request) weir.Letter {
	return weir.Letter{
		Step: of, Request: r.ID, Org: r.Org, State: weir.LetterOpen, Cause: weir.Validation, Code: "FIELD_FILTER",
		Object: "Contact", Record: "003000000000001AAA", Kind: weir.StepErase, Attempts: 5,
		FirstAt: noon.Add(-time.Hour), LastAt: noon, DueAt: r.DueAt, Right: r.Right, Risk: r.Risk,
		Release: weir.ReleaseByPerson, Sealed: weir.SealRef{Name: "sealed of " + string(of), Size: 9, Digest: "sum"}, Times: 1,
	}
}

func testLetterOpensAgain(t *testing.T, s *store.Store) {
	var first weir.Letter
	update(t, s, noon, func(tx *store.Tx) {
		r := seed(tx, "R-1", "o")
		ok(tx.InsertSteps([]weir.Step{step("S-1", r, weir.StepDead), step("S-2", r, weir.StepDead)}))
		absent(tx.LetterOf("S-1"))
		first = letter("S-1", r)
		first.ID = "DL-1"
		same(t, need(tx.OpenLetter(letter("S-1", r))), first)
		same(t, need(tx.OpenLetter(letter("S-2", r))).ID, weir.LetterID("DL-2"))
		same(t, found(tx.LetterOf("S-1")), first)
		ok(tx.MoveLetter("DL-1", weir.LetterOpen, weir.LetterReleased))
		refuse(t, tx.MoveLetter("DL-1", weir.LetterOpen, weir.LetterResolved), store.ErrMovedElsewhere)
		same(t, need(tx.Letter("DL-1")).State, weir.LetterReleased)
		_, err := tx.Letter("DL-3")
		refuse(t, err, store.ErrNotFound)
	})
	update(t, s, noon.Add(time.Hour), func(tx *store.Tx) {
		again := first
		again.Cause, again.Release, again.FirstAt, again.LastAt = weir.AuthConfig, weir.ReleaseByAuth, noon, time.Time{}
		again.Sealed = weir.SealRef{}
		got := need(tx.OpenLetter(again))
		want := again
		want.FirstAt, want.LastAt, want.Times = first.FirstAt, noon.Add(time.Hour), 2
		same(t, got, want)
		same(t, need(tx.Letter("DL-1")), want)
	})
}

func testLettersInTheOrderOfRisk(t *testing.T, s *store.Store) {
	add := func(tx *store.Tx, id weir.StepID, change func(*weir.Letter)) {
		r := seed(tx, weir.RequestID("R-"+id), "o")
		ok(tx.InsertSteps([]weir.Step{step(id, r, weir.StepDead)}))
		l := letter(id, r)
		l.DueAt = noon.Add(time.Hour)
		change(&l)
		need(tx.OpenLetter(l))
	}
	update(t, s, noon.Add(-time.Hour), func(tx *store.Tx) {
		add(tx, "6-access", func(l *weir.Letter) { l.Right = weir.Access })
		add(tx, "7-late", func(l *weir.Letter) { l.DueAt = noon.Add(2 * time.Hour) })
		add(tx, "5-opt-out", func(l *weir.Letter) { l.Right = weir.OptOut })
	})
	update(t, s, noon, func(tx *store.Tx) {
		add(tx, "3-erasure", func(*weir.Letter) {})
		add(tx, "4-erasure", func(l *weir.Letter) { l.Cause = weir.AuthConfig })
		add(tx, "2-high", func(l *weir.Letter) { l.Risk = weir.RiskHigh })
		add(tx, "1-soon", func(l *weir.Letter) { l.DueAt, l.Release = noon, weir.ReleaseByAllocation })
		add(tx, "8-closed", func(l *weir.Letter) { l.DueAt = noon.Add(3 * time.Hour) })
		ok(tx.MoveLetter(found(tx.LetterOf("8-closed")).ID, weir.LetterOpen, weir.LetterResolved))
	})
	view(t, s, noon, func(tx *store.Tx) {
		for name, c := range map[string]struct {
			filter store.LetterFilter
			want   string
		}{
			"all":     {store.LetterFilter{Org: "o"}, "12534678"},
			"open":    {store.LetterFilter{State: weir.LetterOpen}, "1253467"},
			"cause":   {store.LetterFilter{Cause: weir.AuthConfig}, "4"},
			"request": {store.LetterFilter{Request: "R-2-high"}, "2"},
			"release": {store.LetterFilter{Release: weir.ReleaseByAllocation}, "1"},
			"age":     {store.LetterFilter{OlderThan: noon}, "567"},
			"limit":   {store.LetterFilter{Limit: 2, State: weir.LetterOpen}, "12"},
			"org":     {store.LetterFilter{Org: "p"}, ""},
			"page 2":  {store.LetterFilter{Limit: 3, State: weir.LetterOpen, After: found(tx.LetterOf("2-high")).ID}, "534"},
			"page 3":  {store.LetterFilter{Limit: 3, State: weir.LetterOpen, After: found(tx.LetterOf("4-erasure")).ID}, "67"},
			"any":     {store.LetterFilter{After: found(tx.LetterOf("7-late")).ID}, "8"},
		} {
			got := ""
			for _, l := range need(tx.Letters(c.filter)) {
				got += string(l.Step[:1])
			}
			if got != c.want {
				t.Errorf("%s: order %s, want %s", name, got, c.want)
			}
		}
		open, oldest, err := tx.LetterStats()
		ok(err)
		same(t, open, 7)
		same(t, oldest, noon.Add(-time.Hour))
	})
}

func testLetterKeepsItsHistory(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		open, oldest, err := tx.LetterStats()
		ok(err)
		same(t, open, 0)
		same(t, oldest, time.Time{})
		r := seed(tx, "R-1", "o")
		ok(tx.InsertSteps([]weir.Step{step("S-1", r, weir.StepDead)}))
		id := need(tx.OpenLetter(letter("S-1", r))).ID
		opened := weir.LetterEvent{Letter: id, At: noon, By: "weir", Act: "opened", Note: "validation"}
		retried := weir.LetterEvent{Letter: id, By: "ann", Act: "retried"}
		ok(tx.AddLetterEvent(opened))
		ok(tx.AddLetterEvent(retried))
		retried.At = noon
		same(t, need(tx.LetterEvents(id)), []weir.LetterEvent{opened, retried})
	})
}
