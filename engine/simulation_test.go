//go:build !race

package engine_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/store"
)

const (
	dailyLimit = 2000 // of the simulated org
	floorCalls = 300  // of it belong to the business
	shareMille = 60   // so that 120 calls in any 24 h are ours: a wave of requests meets the end of them
)

// simulation is a world in which days pass: people ask, approve and decide,
// the org has its troubles, and weir is started anew now and then.
type simulation struct {
	*world
	dice   *rand.Rand
	began  time.Time
	events []event // in order
	wire   *wire

	cases   map[weir.RequestID]*matter
	noticed map[string]bool // what a person has seen and will act upon
	eaten   []meal          // what the neighbours used up, as the org's truth has it
	held    []byte          // a checkpoint that an auditor took home
	crashes int
	delays  map[string]int // how often weir held a call back, by its evidence

	promises map[weir.RequestID]promise
}

// event is something that happens at a time.
type event struct {
	at time.Time
	do func()
}

// meal is how many calls other integrations made at a time.
type meal struct {
	at    time.Time
	calls int
}

func newSimulation(t *testing.T, seed uint64, people int, org emulator.Options) *simulation {
	t.Helper()
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	s := &simulation{
		dice: rand.New(rand.NewPCG(seed, 30)), began: time.Now(),
		cases: map[weir.RequestID]*matter{}, noticed: map[string]bool{}, delays: map[string]int{}, promises: map[weir.RequestID]promise{},
	}
	org.Seed, org.Profile, org.Latency, org.Limits.DailyAPI = seed, emulator.Rude(), 300*time.Millisecond, dailyLimit
	s.world = newWorld(t, setup{
		dir:    memoryDir(t),
		random: rand.NewChaCha8(key),
		org:    org,
		policy: func(p *engine.Policy) {
			p.SingleOperator, p.IdentityVerification = false, true
			p.Retention = 4 * 24 * time.Hour
		},
		gov: func(p *governor.Policy) { p.FloorCalls, p.Share = floorCalls, shareMille },
	})
	s.subjects = append(s.subjects, seedQuietPeople(s.org, people-len(s.subjects))...)
	s.wire = &wire{next: s.org.Transport()}
	s.options.Orgs = slices.Clone(s.options.Orgs)
	s.options.Orgs[0].Transport = s.wire
	s.reopen()
	s.hangScales()
	return s
}

// memoryDir is a directory in memory where the system has one: power does not
// fail in a simulation, and every commit of a month would wait for the disk.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "weir-simulation-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// reopen starts weir anew on what it left.
func (s *simulation) reopen() {
	s.t.Helper()
	if err := s.engine.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.open()
	s.exec(`PRAGMA synchronous = OFF`) // no power fails here, and a month has many commits
	s.weigh()
}

// at lets something happen so long after the beginning, in after from now.
func (s *simulation) at(d time.Duration, do func()) { s.plan(s.began.Add(d), do) }
func (s *simulation) in(d time.Duration, do func()) { s.plan(time.Now().Add(d), do) }

func (s *simulation) plan(at time.Time, do func()) {
	i, _ := slices.BinarySearchFunc(s.events, at, func(e event, at time.Time) int {
		if e.at.After(at) {
			return 1
		}
		return -1 // behind those of the same moment
	})
	s.events = slices.Insert(s.events, i, event{at, do})
}

// between draws a duration.
func (s *simulation) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.dice.Int64N(int64(most-least)))
}

// run lets time pass until so long after the beginning.
func (s *simulation) run(length time.Duration) {
	s.t.Helper()
	end := s.began.Add(length)
	for {
		for len(s.events) > 0 && !s.events[0].at.After(time.Now()) {
			e := s.events[0]
			s.events = s.events[1:]
			e.do()
		}
		s.work()
		s.look()
		now := time.Now()
		if !now.Before(end) {
			return
		}
		next := now.Add(3 * time.Hour)
		if wake, ok, err := s.engine.NextWake(s.t.Context()); err != nil {
			s.t.Fatal(err)
		} else if ok && wake.Before(next) {
			next = wake
		}
		if len(s.events) > 0 && s.events[0].at.Before(next) {
			next = s.events[0].at
		}
		time.Sleep(max(next.Sub(now), time.Second))
	}
}

// work does what is due: rounds of control, about one a second, and turns. The
// accounting is read after each round; the scales weigh each commit.
func (s *simulation) work() {
	s.t.Helper()
	ctx := s.t.Context()
	for range 10_000 {
		s.mortal("control", func() error { return s.engine.Control(ctx) })
		s.weigh()
		worked := false
		for round := time.Now(); time.Since(round) < time.Second; {
			due, err := s.engine.Due(ctx)
			if err != nil {
				s.t.Fatal(err)
			}
			if len(due) == 0 || !s.turn() {
				break
			}
			worked = true
		}
		if !worked {
			return
		}
	}
	s.t.Fatal("10,000 rounds and still work to do: something spins")
}

// turn lets weir make one call at most.
func (s *simulation) turn() (did bool) {
	s.t.Helper()
	died := s.mortal("turn", func() (err error) {
		did, err = s.engine.Turn(s.t.Context(), acme)
		return err
	})
	return did || died
}

// mortal lets weir do something, and die of it when the wire says so: then the
// goroutine is gone with all that it knew, and weir starts anew.
func (s *simulation) mortal(what string, do func() error) (died bool) {
	s.t.Helper()
	var err error
	if s.wire.armed() {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			err = do()
		}()
		<-ended
	} else {
		err = do()
	}
	if err != nil {
		s.t.Fatalf("%s at %s: %v", what, time.Now(), err)
	}
	if died, s.wire.died = s.wire.died, false; died {
		s.crashes++
		s.reopen()
	}
	return died
}

// Thirty days with every trouble that the emulator knows, at once and one after
// the other, in which nothing is lost, doubled, sent early or late. The long form
// has many such months, to count how often forecasts hold.
func TestThirtyDays(t *testing.T) {
	t.Parallel()
	const first = 45 // in which each reason to wait comes up several times
	months := uint64(1)
	if longForm() {
		months = 10
	}
	var sum coverage
	for seed := uint64(first); seed < first+months; seed++ {
		synctest.Test(t, func(t *testing.T) {
			const days = 30
			s := newSimulation(t, seed, 46, emulator.Options{})
			s.month()
			s.run(days * 24 * time.Hour)
			s.verify()
			if seed == first {
				s.troubled()
			}
			s.ended()
			c := s.covered()
			t.Logf("month %d: %s", seed, c)
			sum.add(c)
		})
	}
	t.Logf("all: %s", sum)
	if sum.share() < 0.8 {
		t.Errorf("%.2f of the finishes came between the printed p10 and p90, want 0.8", sum.share())
	}
	if sum.unseen > 0 || sum.toldInTime*10 > sum.told {
		t.Error("people were told of shortages that passed within a day")
	}
}

// troubled checks that the month had its troubles.
func (s *simulation) troubled() {
	s.t.Helper()
	if len(s.cases) < 60 {
		s.t.Errorf("only %d requests came", len(s.cases))
	}
	truth := s.org.Truth()
	for _, kind := range emulator.Faults() {
		if truth.Faults[kind] == 0 && kind != emulator.FaultDaily && kind != emulator.FaultSlow {
			s.t.Errorf("the month had no %s", kind)
		}
	}
	if truth.Rejected["REQUEST_LIMIT_EXCEEDED"] <= truth.Faults[emulator.FaultConcurrent] {
		s.t.Error("the daily allocation never ran out under a call")
	}
	if s.crashes < 4 {
		s.t.Errorf("weir died %d times", s.crashes)
	}
	for _, why := range []string{"floor", "own-24h", "strikes", "refused", "near", "recomputed"} {
		if s.delays[why] == 0 {
			s.t.Errorf("no call was held back for %q", why)
		}
	}
	s.t.Logf("%d requests, %d calls, %d deaths, held back: %v", len(s.cases), len(truth.Usage), s.crashes, s.delays)
}

// Any five days: whatever the seed makes of them, the same holds.
func TestAnyFiveDays(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSimulation(t, seed, 12, anyOrg(seed))
				s.anyDays(5)
				s.run(5 * 24 * time.Hour)
				s.verify()
			})
		})
	}
}

// anyOrg is one of the kinds of org that there are.
func anyOrg(seed uint64) emulator.Options {
	kinds := []emulator.Options{
		{},
		{Limits: emulator.Limits{BurstRate: 2, BurstSize: 5, GatewayHeaders: true}},
		{Limits: emulator.Limits{Soft: true, BurstRate: 1, BurstSize: 10, BurstAnswer: emulator.FaultBurstBare}},
		{IgnoreUnmodifiedSince: true, Limits: emulator.Limits{AppName: "weir", AppDaily: 100}},
		{IgnoreConditionsInComposite: true, Limits: emulator.Limits{BurstRate: 3, BurstSize: 3, BurstAnswer: emulator.FaultBurstDate}},
		{ETagEverywhere: true, RotateRefreshTokens: true},
	}
	return kinds[seed%uint64(len(kinds))]
}

// ended checks that everything which was asked for has come to its end.
func (s *simulation) ended() {
	s.t.Helper()
	for id, m := range s.cases {
		r := s.request(id)
		if m.fate != usual && !m.done {
			s.t.Errorf("%s was to be %s and was not: it is %s (%s)", id, m.fate, r.Stage, r.Reason)
		}
		if !r.Stage.Ended() && r.Stage != weir.Delivered {
			s.t.Errorf("%s is still %s (%s)\n%s", id, r.Stage, r.Reason, s.story(id))
		}
	}
	for _, l := range s.letters() {
		s.t.Errorf("%s of %s is still open: %s %s", l.ID, l.Request, l.Cause, l.Code)
	}
	requests, err := s.engine.Requests(s.t.Context(), store.RequestFilter{})
	if err != nil || len(requests) != len(s.cases) {
		s.t.Errorf("%d requests are stored, %d were accepted: %v", len(requests), len(s.cases), err)
	}
}
