package proof

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/pgtest"
)

// The org's timeout is short here, and with it a claim, which lives a quarter
// longer: a stop that outlasts it need not take minutes.
const (
	shortTimeout = "4s"
	shortClaim   = 5 * time.Second
)

// TestLoneStop stops a weir on SQLite, which has nobody to take over from it,
// for longer than its claims live, and lets it go on: it finds them again itself,
// and what it was about to send stays unsent. A weir that is stopped does nothing
// for most of the time, so that several sieges go on at once.
func TestLoneStop(t *testing.T) {
	f := chosenForm(t)
	sieges := 1
	f.kills, f.requests, f.within = 1, 1000, 10*time.Minute // "kills" are stops that hit a claim here
	if os.Getenv(formVariable) == "long" {
		sieges, f.kills, f.requests, f.within = 4, 25, 400, 60*time.Minute
	}
	program := build(t)
	for i := range sieges {
		t.Run(fmt.Sprintf("siege-%d", i+1), func(t *testing.T) {
			t.Parallel()
			f := f
			f.seed += uint64(i)
			stopAlone(t, program, f)
		})
	}
}

func stopAlone(t *testing.T, program string, f form) {
	f.without = append(f.without, string(emulator.FaultSlow), string(emulator.FaultHTML))
	ctx, cancel := context.WithTimeout(t.Context(), f.within)
	defer cancel()
	o := startOrg(t, program, f)
	dsn := pgtest.SQLite(t)
	w := install(t, program, dsn, o, f)
	w.configure(map[string]string{"alias: " + alias + "\n": "alias: " + alias + "\n    timeout: " + shortTimeout + "\n"})
	s := &siege{form: f, dsn: dsn, weir: w, hunter: newHunter(o, f.seed)}
	var err error
	if s.running, s.where, err = w.serve(ctx); err != nil {
		t.Fatal(err)
	}
	c := newCustomer(w, o)
	a := &assault{cluster: &cluster{weir: w, org: o, nodes: []*member{{at: w, process: s.running, where: s.where}}}}
	halted := make(chan error, 1)
	go func() { // ends with the last stop, or with ctx
		defer a.over.Store(true)
		halted <- s.halts(ctx, rand.New(rand.NewPCG(f.seed, 11)))
	}()
	err = a.custom(ctx, c, s)
	cancelIf(err, cancel)
	if err := errors.Join(err, <-halted); err != nil {
		t.Fatalf("%v\n%v\n%s", err, c.unfinished(), tail(w.path(w.log)))
	}
	v := judge(t, c, s)
	if err := s.running.stop(stopsWithin); err != nil {
		t.Errorf("weir does not stop: %v", err)
	}
	t.Logf("%d requests, %d stops past a claim of %s; %d calls; %s", len(c.orders), s.kills.Load(), shortClaim, v.calls, v)
}

// halts stops weir past its claims until so many stops have hit one.
func (s *siege) halts(ctx context.Context, dice *rand.Rand) error {
	for i := 0; s.kills.Load() < int64(s.form.kills); i++ {
		aim := s.hunter.aim
		if i%2 == 1 {
			aim = s.hunter.moment
		}
		if err := aim(ctx); err != nil {
			return err
		}
		before, err := s.adoptions()
		if err != nil {
			return err
		}
		if err := s.running.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		err = pause(ctx, shortClaim+time.Second+time.Duration(dice.Int64N(int64(2*time.Second))))
		if goesOn := s.running.cmd.Process.Signal(syscall.SIGCONT); err == nil {
			err = goesOn
		}
		for end := time.Now().Add(4 * time.Second); err == nil && time.Now().Before(end); {
			var n int
			if n, err = s.adoptions(); n > before {
				s.kills.Add(1)
				break
			}
			err = errors.Join(err, pause(ctx, 50*time.Millisecond))
		}
		if err != nil {
			return fmt.Errorf("stop %d: %w", i, err)
		}
	}
	return nil
}

// adoptions counts in weir's log how often it took steps over.
func (s *siege) adoptions() (int, error) {
	text, err := os.ReadFile(s.weir.path(s.weir.log))
	return strings.Count(string(text), "msg=step.adopted"), err
}
