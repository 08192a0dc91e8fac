package runner

import (
	"context"
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
			w := newSlotWorker(o, make(chan struct{}))
			_, left := w.circle.Load().turn("o", 0, 1, time.Now())
			time.Sleep(left) // to the begin of a turn
			began := time.Now()
			if err := w.Work(t.Context(), &river.Job[slotArgs]{Args: slotArgs{Org: "o"}}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); o.calls != c.want || took != c.took {
				t.Errorf("gap %v: %d calls in %v, want %d in %v", c.gap, o.calls, took, c.want, c.took)
			}
		})
	}
}
