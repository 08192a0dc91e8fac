package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/pgtest"
)

// PostgreSQL goes away between weir's start and the start of its queue, at any of
// the messages of that time: weir has said that it serves, and goes on.
func TestAStartOutlivesItsConnection(t *testing.T) {
	w := newWorld(t, setup{dsn: pgtest.Postgres(t), org: emulator.Options{Seed: 12, RecycleLag: -1}})
	d := pgtest.StartDeaf(t, w.options.DSN)
	for _, n := range []int64{1, 3, 6, 11, 18} {
		t.Run(fmt.Sprintf("message %d", n), func(t *testing.T) {
			e := w.remote(d)
			d.Cut(n)
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() {
				err := e.Run(ctx)
				if ctx.Err() == nil {
					t.Errorf("weir ended by itself: %v", err)
				}
				ended <- err
			}()
			w.await(w.submit(weir.Erasure, int(n)%len(w.subjects)).ID, weir.AwaitingApproval)
			if n := d.Uncut(); n > 0 {
				t.Errorf("the connection was not cut: %d messages before", n)
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
