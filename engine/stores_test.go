package engine_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/pgtest"
)

// Access and erasure on real River and each store, in real time. When the engine
// is closed, nothing of it runs on.
func TestRunOnBothStores(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, dsn string) {
		others := goleak.IgnoreCurrent()
		t.Cleanup(func() { // the first one registered runs last
			if err := goleak.Find(others); err != nil {
				t.Error(err)
			}
		})
		w := newWorld(t, setup{
			dsn:    dsn,
			org:    emulator.Options{Seed: 11, RecycleLag: -1},
			policy: func(p *engine.Policy) { p.ProofLag = time.Second },
			gov:    func(p *governor.Policy) { p.Settle = 200 * time.Millisecond },
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.engine.Run(ctx) }()
		access, erasure := w.submit(weir.Access, 0), w.submit(weir.Erasure, 1)
		w.await(access.ID, weir.Delivered)
		r := w.await(erasure.ID, weir.AwaitingApproval)
		approve(w, r)
		w.await(erasure.ID, weir.Closed)
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		w.erased(1)
		w.clean()
		totals, err := w.engine.Totals(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !totals.StepSums.Balanced() || !totals.RequestSum.Balanced() {
			t.Errorf("the sums are not even: %+v %+v", totals.StepSums, totals.RequestSum)
		}
	})
}

// await polls in real time until a request reaches a stage.
func (w *world) await(id weir.RequestID, stage weir.Stage) weir.Request {
	w.t.Helper()
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r, err := w.engine.Request(w.t.Context(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		if r.Stage == stage {
			return r
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s is %s (%s), want %s\n%s", id, r.Stage, r.Reason, stage, w.story(id))
		}
	}
}
