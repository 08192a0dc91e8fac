package engine_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/governor"
)

// slots lets so many slots take turns at the same time until the test ends, as
// they do in a weir that serves.
func (w *world) slots(n int) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var open sync.WaitGroup
	for range n {
		open.Go(func() {
			for ctx.Err() == nil {
				if _, err := w.engine.Turn(w.t.Context(), acme); err != nil {
					w.t.Error(err)
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	return func() {
		cancel()
		open.Wait()
	}
}

// Whatever is asked about Task takes 25 s, and the org refuses everybody while
// four calls have been open for 20 s. That is learnt from a first person's; then
// eight slots work for twelve at once, and others always have a call left.
func TestSlowObjectsLeaveTheOrgItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const people, longCap = 12, 4
		w := newWorld(t, setup{
			people: people + 1, org: emulator.Options{Limits: emulator.Limits{LongCap: longCap}},
			gov: func(p *governor.Policy) { p.LongCap = longCap },
		})
		w.org.SetFaults(emulator.FaultScript{{Kind: emulator.FaultSlow, For: 24 * time.Hour, Match: emulator.Match{Object: "Task"}}})
		w.until(w.submit(weir.Erasure, 0).ID, time.Hour, weir.AwaitingApproval)
		var asked []weir.RequestID
		for i := range people {
			asked = append(asked, w.submit(weir.Erasure, i+1).ID)
		}
		stop := w.slots(8)
		began := time.Now()
		for len(asked) > 0 && time.Since(began) < 2*time.Hour {
			if err := w.engine.Control(t.Context()); err != nil {
				t.Fatal(err)
			}
			asked = slices.DeleteFunc(asked, func(id weir.RequestID) bool {
				r, err := w.engine.Request(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				return r.Stage == weir.AwaitingApproval
			})
			time.Sleep(time.Second)
		}
		stop()
		if len(asked) > 0 {
			t.Fatalf("%d erasures are not planned after two hours: %s", len(asked), w.story(asked[0]))
		}
		truth := w.org.Truth()
		t.Logf("%s, %d calls, %v refused, at most %d long at once, %d slow", time.Since(began).Round(time.Second), len(w.org.Log()), truth.Rejected, truth.BusiestLong, truth.Faults[emulator.FaultSlow])
		if truth.BusiestLong >= longCap {
			t.Errorf("%d calls were open for 20 s at once: nobody else got through", truth.BusiestLong)
		}
	})
}
