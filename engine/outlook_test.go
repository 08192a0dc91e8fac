package engine_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/pii"
)

// More is due tomorrow than the share of the org's calls allows. Those that can
// be in time are, and of each other one a person hears a good while before its
// due date, with what is lacking.
func TestWhatCannotBeInTimeIsToldBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{
			people: 30,
			org:    emulator.Options{Latency: 300 * time.Millisecond, Limits: emulator.Limits{DailyAPI: 1000}},
			gov:    func(p *governor.Policy) { p.Share, p.FloorCalls, p.FloorShare = 5, 10, 10 },
		})
		var all []weir.Request
		for i := range w.subjects {
			all = append(all, w.submitReceived(weir.Access, i, time.Now().AddDate(0, 0, -29)))
		}
		w.settle()
		time.Sleep(time.Minute) // what was read of the org since then counts at the next arrangement
		w.settle()
		foreseen, err := w.engine.Forecast(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		late := 0
		for _, f := range foreseen {
			if f.Shed {
				late++
			}
		}
		if counted, err := w.engine.Late(t.Context(), acme); err != nil || counted != late {
			t.Errorf("%d of the %d that cannot be in time are counted: %v", counted, late, err)
		}
		for time.Now().Before(all[0].DueAt) {
			w.settle()
			w.pass()
		}
		delivered, told := 0, 0
		for _, r := range all {
			now, err := w.engine.Request(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case now.Stage == weir.Delivered:
				delivered++
			case w.toldBefore(r, time.Hour):
				told++
			default:
				t.Errorf("%s is %s at its due date, and nobody was told\n%s", r.ID, now.Stage, w.story(r.ID))
			}
		}
		t.Logf("%d of %d were delivered in time, %d were told of; %d at the first look", delivered, len(all), told, late)
		if delivered < 8 || told < 1 {
			t.Errorf("%d of %d were delivered in time and %d told of", delivered, len(all), told)
		}
	})
}

// toldBefore says whether the schedule gave the request up early enough for a
// person to act, with what is lacking and when it would be met.
func (w *world) toldBefore(r weir.Request, early time.Duration) bool {
	w.t.Helper()
	entries, err := w.engine.History(w.t.Context(), r.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range entries {
		if n.Act != "request.late" || !n.At.Before(r.DueAt.Add(-early)) {
			continue
		}
		short, err := strconv.Atoi(n.Detail["short"])
		met, err2 := time.Parse(time.RFC3339, n.Detail["met_at"])
		if err != nil || err2 != nil || short < 1 || !met.After(n.At) {
			w.t.Errorf("%s was told of without what is lacking or when it would be met: %v", r.ID, n.Detail)
		}
		return true
	}
	return false
}

// submitReceived is submit for a request that arrived some time ago.
func (w *world) submitReceived(right weir.Right, i int, received time.Time) weir.Request {
	w.t.Helper()
	id, err := engine.ParseIdentifier(pii.NewString("email:" + w.subjects[i].Email))
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.engine.Submit(w.t.Context(), engine.Submission{
		Org: acme, Right: right, Law: "gdpr", By: "kim", ReceivedAt: received, Identifiers: []engine.Identifier{id},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}
