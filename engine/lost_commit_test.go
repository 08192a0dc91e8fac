package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/pgtest"
)

// Of every sixth transaction nobody hears that it was committed: claims, outcomes,
// heartbeats, River's own. Work goes on within seconds: a claim that was committed
// like this does not stand until it ends, which is minutes, and nothing is done twice.
func TestLostCommitsHoldNothingUp(t *testing.T) {
	w := newWorld(t, setup{
		dsn:    pgtest.Postgres(t),
		org:    emulator.Options{Seed: 12, RecycleLag: -1},
		policy: func(p *engine.Policy) { p.ProofLag = time.Second },
		gov:    func(p *governor.Policy) { p.Settle = 200 * time.Millisecond },
	})
	var ids []weir.RequestID
	for i := range w.subjects {
		ids = append(ids, w.submit(weir.Erasure, i).ID)
	}
	d := pgtest.StartDeaf(t, w.options.DSN)
	e := w.remote(d)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	w.await(ids[0], weir.AwaitingApproval) // it runs: a process does not start without its store
	d.Every(6)
	for _, id := range ids {
		approve(w, w.await(id, weir.AwaitingApproval))
	}
	for i, id := range ids {
		w.await(id, weir.Closed)
		w.erased(i)
	}
	w.clean()
	stop()
	if err := <-ended; err != nil && !errors.Is(err, engine.ErrUnavailable) { // its last transaction may be one of them
		t.Error(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if n := d.Lost(); n < 10 {
		t.Errorf("only %d commits were lost", n)
	}
}
