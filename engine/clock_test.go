package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/pgtest"
)

// steppedClock is true time, by which the org goes, and a wall clock that
// somebody steps, by which weir goes.
type steppedClock struct {
	start, now time.Time
	offset     time.Duration
}

func (c *steppedClock) wall() time.Time       { return c.now.Add(c.offset) }
func (c *steppedClock) steady() time.Duration { return c.now.Sub(c.start) }

const (
	gateFor = 3 * time.Minute
	pulse   = 3 * time.Second // true time between two control rounds
)

// steppedWorld is a world whose org closes its gate for three minutes.
func steppedWorld(t *testing.T, dsn string) (*world, *steppedClock) {
	t.Helper()
	start := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	c := &steppedClock{start: start, now: start}
	profile := emulator.Calm()
	profile.GateFor = gateFor
	w := newWorld(t, setup{
		dsn: dsn, now: c.wall, steady: c.steady,
		org: emulator.Options{Profile: profile, Now: func() time.Time { return c.now }, RecycleLag: -1},
	})
	return w, c
}

// work lets true time pass pulse by pulse, and the wall clock be stepped where
// step says so, until the request is in one of the stages.
func (w *world) work(c *steppedClock, id weir.RequestID, limit time.Duration, step func(n int) time.Duration, stages ...weir.Stage) weir.Request {
	w.t.Helper()
	for n := range int(limit / pulse) {
		w.settle()
		r, err := w.engine.Request(w.t.Context(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		if slices.Contains(stages, r.Stage) {
			return r
		}
		c.now = c.now.Add(pulse)
		if step != nil {
			c.offset += step(n)
		}
	}
	w.t.Fatalf("%s is not %v after %s\n%s", id, stages, limit, w.story(id))
	return weir.Request{}
}

// acts counts the ledger's entries of a kind.
func (w *world) acts(act string) (n int) {
	w.t.Helper()
	rows, err := w.engine.Since(w.t.Context(), 0, 100_000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range rows {
		if r.Entry.Act == act {
			n++
		}
	}
	return n
}

func (w *world) approvedOn(c *steppedClock) weir.Request {
	w.t.Helper()
	r := w.work(c, w.submit(weir.Erasure, 0).ID, time.Hour, nil, weir.AwaitingApproval)
	r, err := w.engine.Approve(w.t.Context(), r.ID, r.PlanHash, "", "lee")
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// TestSteppedClock steps the wall clock while a gate is closed. Nothing is sent
// before the gate has truly opened, the work goes on when it has, the step is in
// ledger and replay log, and every decision replays.
func TestSteppedClock(t *testing.T) {
	day := 24 * time.Hour
	for _, steps := range [][]time.Duration{
		nil,
		{time.Second},
		{time.Minute},
		{time.Hour},
		{20 * day},
		{-time.Second},
		{-time.Minute},
		{-time.Hour},
		{-20 * day},
		{-400 * day},
		{time.Hour, -time.Hour},
		{-time.Hour, 2 * time.Hour, -time.Hour},
		{day, day, -3 * day, day},
		{300 * time.Millisecond, 400 * time.Millisecond, -900 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(steps), func(t *testing.T) {
			w, c := steppedWorld(t, "")
			r := w.approvedOn(c)
			w.org.InjectNext(emulator.FaultBurstSeconds, 1)
			began, left, noted := c.now, steps, 0
			w.work(c, r.ID, 2*gateFor, func(n int) time.Duration {
				if n%10 != 5 || len(left) == 0 {
					return 0
				}
				by := left[0]
				left = left[1:]
				if by.Abs() >= time.Second {
					noted++
				}
				return by
			}, weir.Closed)
			if took := c.now.Sub(began); took < gateFor || took > gateFor+time.Minute {
				t.Errorf("it took %s of true time, and the gate was closed for %s", took, gateFor)
			}
			if truth := w.org.Truth(); truth.Early != 0 || truth.Faults[emulator.FaultBurstSeconds] != 1 {
				t.Errorf("%d calls were sent before the gate opened (%v)", truth.Early, truth.Faults)
			}
			if n := w.acts("clock.step"); n != noted {
				t.Errorf("the ledger has %d steps of the clock, want %d", n, noted)
			}
			if got, want := w.engine.Now(), c.wall(); got.Sub(want).Abs() > time.Second {
				t.Errorf("weir's time is %s, the wall's %s", got, want)
			}
			if why, err := w.engine.Why(t.Context(), string(r.ID)); err != nil {
				t.Errorf("the decisions do not replay: %v %+v", err, why)
			}
			w.clean()
			w.erased(0)
		})
	}
}

// TestClockGoneMad steps the wall clock at random while several requests meet
// several gates.
func TestClockGoneMad(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 23))
			w, c := steppedWorld(t, "")
			a, b := w.approvedOn(c), w.work(c, w.submit(weir.Erasure, 1).ID, time.Hour, nil, weir.AwaitingApproval)
			if _, err := w.engine.Approve(t.Context(), b.ID, b.PlanHash, "", "lee"); err != nil {
				t.Fatal(err)
			}
			w.org.InjectNext(emulator.FaultBurstSeconds, 3)
			mad := func(int) time.Duration {
				if dice.IntN(4) > 0 {
					return 0
				}
				to := time.Duration(dice.Int64N(int64(40*24*time.Hour))) - 20*24*time.Hour // never past the due date
				return to - c.offset
			}
			for _, id := range []weir.RequestID{a.ID, b.ID} {
				w.work(c, id, 6*time.Hour, mad, weir.Closed)
			}
			if truth := w.org.Truth(); truth.Early != 0 || truth.Faults[emulator.FaultBurstSeconds] == 0 {
				t.Errorf("%d calls were sent early; %v", truth.Early, truth.Faults)
			}
			t.Logf("%d steps of the clock in %s", w.acts("clock.step"), c.now.Sub(c.start))
			w.clean()
			w.erased(0)
			w.erased(1)
		})
	}
}

// TestPlanExpiresByTheWall refuses an approval when the wall clock says that the
// plan is too old, and sends nothing.
func TestPlanExpiresByTheWall(t *testing.T) {
	w, c := steppedWorld(t, "")
	r := w.work(c, w.submit(weir.Erasure, 0).ID, time.Hour, nil, weir.AwaitingApproval)
	calls := len(w.org.Log())
	c.offset = 25 * time.Hour
	w.settle()
	if _, err := w.engine.Approve(t.Context(), r.ID, r.PlanHash, "", "lee"); !errors.Is(err, engine.ErrStale) {
		t.Errorf("an old plan was approved: %v", err)
	}
	if n := len(w.org.Log()); n != calls {
		t.Errorf("%d calls were sent", n-calls)
	}
	c.offset = 0
	w.settle()
	if _, err := w.engine.Approve(t.Context(), r.ID, r.PlanHash, "", "lee"); err != nil {
		t.Error(err)
	}
	w.work(c, r.ID, time.Hour, nil, weir.Closed)
}

// TestDueDateIsTheWalls tells a person at once when the wall clock jumps past
// the due date of what waits; nothing is sent early for it.
func TestDueDateIsTheWalls(t *testing.T) {
	w, c := steppedWorld(t, "")
	r := w.approvedOn(c)
	w.org.InjectNext(emulator.FaultBurstSeconds, 1)
	pass := func(d time.Duration) {
		for range int(d / pulse) {
			w.settle()
			c.now = c.now.Add(pulse)
		}
	}
	pass(30 * time.Second)
	calls := len(w.org.Log())
	c.offset = 40 * 24 * time.Hour
	pass(gateFor - time.Minute)
	if n := len(w.org.Log()); n != calls {
		t.Errorf("%d calls were sent while the gate was closed", n-calls)
	}
	if s, err := w.engine.Status(t.Context(), r.ID); err != nil || s.Slack >= 0 {
		t.Errorf("slack is %s: %v", s.Slack, err)
	}
	pass(3 * time.Minute)
	got, err := w.engine.Request(t.Context(), r.ID)
	if err != nil || got.Stage != weir.Closed && len(w.letters()) == 0 {
		t.Errorf("%s is %s and nobody was told: %v", r.ID, got.Stage, err)
	}
	if early := w.org.Truth().Early; early != 0 {
		t.Errorf("%d calls were sent early", early)
	}
}

// TestNodesKeepSteadyTime: nodes that share a store share its waits, so that a
// node does not follow a step of its own wall clock; it notes it once.
func TestNodesKeepSteadyTime(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, dsn string) {
		w, c := steppedWorld(t, dsn)
		r := w.approvedOn(c)
		w.org.InjectNext(emulator.FaultBurstSeconds, 1)
		w.work(c, r.ID, 2*gateFor, func(n int) time.Duration {
			return map[int]time.Duration{10: time.Hour, 30: -3 * time.Hour}[n]
		}, weir.Closed)
		if early := w.org.Truth().Early; early != 0 {
			t.Errorf("%d calls were sent early", early)
		}
		if n := w.acts("clock.step"); n != 2 {
			t.Errorf("the ledger has %d steps of the clock, want 2", n)
		}
	})
}
