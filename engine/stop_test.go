package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/pgtest"
)

// A weir that is being stopped begins no more calls, however much there is to
// do: it would have to cut them off in the end.
func TestStopBeginsNoCall(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, setup{dsn: dsn, people: 40, org: emulator.Options{Seed: 3, Latency: 300 * time.Millisecond}})
		for i := range w.subjects {
			w.submit(weir.Access, i)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan error, 1)
		go func() { ended <- w.engine.Run(ctx) }()
		for len(w.org.Log()) < 4 { // they share calls
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		stopped := time.Now()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if due, err := w.engine.Due(t.Context()); err != nil || len(due) == 0 {
			t.Errorf("nothing was left to do, so that the stop showed nothing (%v)", err)
		}
		late := 0
		for _, c := range w.org.Log() {
			if c.At.After(stopped) {
				late++
			}
		}
		if slots := w.options.Orgs[0].Governor.Slots; late > slots { // what was claimed before may still be on its way
			t.Errorf("%d calls were begun after the stop, more than the %d slots had in hand", late, slots)
		}
	})
}
