package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/store"
)

// expected is how many calls the plan of a request still wants.
func (w *world) expected(id weir.RequestID) int {
	w.t.Helper()
	var load store.Workload
	err := w.engine.Store().View(w.t.Context(), time.Now(), func(tx *store.Tx) (err error) {
		load, err = tx.Workload(id)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return int(load.Expected - load.Calls)
}

// Where nothing fails, erasures take the calls that their plans say, by the org's
// own count: at most a tenth more over all (issue 4).
func TestErasuresTakeThePlannedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{people: 6, org: emulator.Options{Seed: 11, RecycleLag: -1, Profile: emulator.Calm()}})
		calls, bound := 0, 0
		for i := range w.subjects {
			r := w.until(w.submit(weir.Erasure, i).ID, time.Hour, weir.AwaitingApproval)
			want, began := w.expected(r.ID), len(w.org.Log())
			w.approve(r)
			w.until(r.ID, 96*time.Hour, weir.Closed)
			w.erased(i)
			took := len(w.org.Log()) - began
			if want == 0 || took > want+want/4 {
				t.Errorf("%s took %d calls, and its plan says %d", r.ID, took, want)
			}
			calls, bound = calls+took, bound+want
		}
		w.clean()
		t.Logf("%d calls of erasures whose plans say %d", calls, bound)
		if 10*calls > 11*bound {
			t.Errorf("%d calls of erasures whose plans say %d", calls, bound)
		}
	})
}

// Of an erasure with many records two hundred are read in a call, and two hundred are
// deleted and read back in the next.
func TestALargeErasureTakesThePlannedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{org: emulator.Options{Seed: 11, RecycleLag: -1, Profile: emulator.Calm()}})
		const more = 400
		for range more {
			id := w.org.Put("Task", map[string]any{"WhoId": w.subjects[0].Records["Contact"][0], "Subject": "Call back"})
			w.subjects[0].Records["Task"] = append(w.subjects[0].Records["Task"], id)
		}
		r := w.until(w.submit(weir.Erasure, 0).ID, time.Hour, weir.AwaitingApproval)
		want, began := w.expected(r.ID), len(w.org.Log())
		w.approve(r)
		w.until(r.ID, 96*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
		took := len(w.org.Log()) - began
		t.Logf("%d calls for %d records and more, and the plan says %d", took, more, want)
		if 10*took > 11*want || took > more/20 {
			t.Errorf("%d calls for %d records and more, and the plan says %d", took, more, want)
		}
	})
}
