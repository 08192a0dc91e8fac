package engine_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/pgtest"
)

// Of two nodes that run each finishes its part of the requests. What one of them does
// not get done is the other's two minutes later.
func TestNodesShareWhatIsToBeFinished(t *testing.T) {
	now := time.Now()
	w := newWorld(t, setup{dsn: pgtest.Postgres(t), people: 24, now: func() time.Time { return now }})
	d := pgtest.StartDeaf(t, w.options.DSN)
	second := w.remote(d)
	defer func() {
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	}()
	var ids []weir.RequestID
	for i := range w.subjects {
		ids = append(ids, w.submit(weir.Access, i).ID)
	}
	w.planned()
	for _, id := range ids {
		w.unsealed(id)
	}
	sealed := func() (n int) {
		for _, id := range ids {
			if w.get(id).Stage == weir.Delivered {
				n++
			}
		}
		return n
	}
	finish := func() int {
		for _, e := range []*engine.Engine{w.engine, second} {
			if err := e.Beat(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // what is another's stays another's
			if err := w.engine.Finish(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return sealed()
	}
	if n := finish(); n == 0 || n == len(ids) {
		t.Errorf("one of two nodes made %d of %d packages", n, len(ids))
	}
	now = now.Add(2 * time.Minute)
	if n := finish(); n != len(ids) {
		t.Errorf("it relieved the other and made %d of %d packages", n, len(ids))
	}
}
