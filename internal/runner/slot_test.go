package runner

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riverqueue/river"

	"github.com/weirhq/weir"
)

// pacedOrg lets one call go every gap, as the pace of a known rate does.
type pacedOrg struct {
	Engine

	gap   time.Duration
	next  time.Time
	calls int
}

func (o *pacedOrg) Width(context.Context, weir.OrgID) (int, error) { return 1, nil }

func (o *pacedOrg) Pause(context.Context, weir.OrgID) (time.Duration, error) {
	return time.Until(o.next), nil
}

func (o *pacedOrg) Turn(context.Context, weir.OrgID) (bool, error) {
	if time.Now().Before(o.next) {
		return false, nil
	}
	o.next = time.Now().Add(o.gap)
	o.calls++
	return true, nil
}

// busyOrg always has work, of a call that takes a tenth of a second.
type busyOrg struct {
	Engine

	width int
}

func (o busyOrg) Width(context.Context, weir.OrgID) (int, error) { return o.width, nil }

func (o busyOrg) Turn(context.Context, weir.OrgID) (bool, error) {
	time.Sleep(100 * time.Millisecond)
	return true, nil
}

// TestANodeKeepsItsPart: a node that was given all slots of an org keeps its part
// of them, the oldest, and makes room with the others after a second.
func TestANodeKeepsItsPart(t *testing.T) {
	for _, c := range []struct{ nodes, width, part int }{{1, 8, 8}, {2, 8, 4}, {3, 8, 3}, {4, 8, 2}, {4, 2, 1}, {9, 8, 1}} {
		synctest.Test(t, func(t *testing.T) {
			w := newSlotWorker(busyOrg{width: c.width}, make(chan struct{}))
			w.nodes.Store(int64(c.nodes))
			var soon, late atomic.Int64
			for slot := range c.width {
				go func() {
					began := time.Now()
					if err := w.Work(t.Context(), &river.Job[slotArgs]{Args: slotArgs{Org: "o", Slot: slot}}); err != nil {
						t.Error(err)
					}
					took := time.Since(began)
					if took == roomAfter {
						soon.Add(1)
					}
					if took == slotTurns {
						late.Add(1)
					}
				}()
			}
			time.Sleep(2 * slotTurns)
			if got, room := int(late.Load()), int(soon.Load()); got != c.part || room != c.width-c.part {
				t.Errorf("%d nodes: %d of %d slots stay and %d make room, want %d to stay", c.nodes, got, c.width, room, c.part)
			}
		})
	}
}

// TestASlotWaitsOutAShortPause: a pace of ten calls a second must not become
// one call per round of the control loop, and a long wait must free the slot.
func TestASlotWaitsOutAShortPause(t *testing.T) {
	for _, c := range []struct {
		gap  time.Duration
		want int
		took time.Duration
	}{
		{100 * time.Millisecond, 200, slotTurns},
		{2 * time.Second, 1, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := &pacedOrg{gap: c.gap}
			began := time.Now()
			if err := newSlotWorker(o, make(chan struct{})).Work(t.Context(), &river.Job[slotArgs]{Args: slotArgs{Org: "o"}}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); o.calls != c.want || took != c.took {
				t.Errorf("gap %v: %d calls in %v, want %d in %v", c.gap, o.calls, took, c.want, c.took)
			}
		})
	}
}
