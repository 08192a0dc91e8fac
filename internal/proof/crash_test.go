package proof

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/pgtest"
)

// TestCrash kills weir at random and at every named point around its durable
// writes, on both stores, while the org loses acknowledgements, and then asks
// the org what really happened. The same harness must catch a naive client.
func TestCrash(t *testing.T) {
	f := chosenCrashForm(t)
	program := build(t, "crashpoints")
	t.Run("naive", func(t *testing.T) {
		t.Parallel()
		n := f.form
		n.requests = min(7*n.kills, 200)
		naiveDoubles(t, program, n)
	})
	for i, part := range f.sieges() {
		t.Run(fmt.Sprintf("siege-%d", i+1), func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, dsn string) {
				t.Parallel()
				crashAt(t, program, dsn, part)
			})
		})
	}
	t.Run("journal", func(t *testing.T) {
		t.Parallel()
		pgtest.Each(t, func(t *testing.T, dsn string) {
			t.Parallel()
			crashAt(t, program, dsn, journalForm(f))
		})
	})
	t.Run("birth", func(t *testing.T) {
		t.Parallel()
		births(t, program, f)
	})
}

// journalForm is a small siege in which the store goes away again and again.
// Its waits cost no processor, so it runs beside the large one.
func journalForm(f crashForm) crashForm {
	j := f
	j.kills, j.requests, j.window = 0, 150, 4
	j.points = slices.DeleteFunc(crash.Points(), func(p crash.Point) bool { return !inJournal(p.Write) })
	if os.Getenv(formVariable) != "long" {
		// SQLite waits ten seconds for a lock: one death is enough for a minute.
		i := int(f.seed % uint64(len(j.points)))
		j.points, j.requests, j.window = j.points[i:i+1], 30, 2
	}
	return j
}

// crashSiege is a siege whose blows are planned.
type crashSiege struct {
	*siege
	plan   crashForm
	blows  []blow
	next   int
	wanted atomic.Pointer[crash.Write] // what the people are to bring about
	cable  cable
	hit    map[crash.Point]int
}

func crashAt(t *testing.T, program, dsn string, f crashForm) {
	ctx, cancel := context.WithTimeout(t.Context(), f.within)
	defer cancel()
	began := time.Now()
	o := startOrg(t, program, f.form)
	w := install(t, program, dsn, o, f.form)
	w.configure(map[string]string{`identity_verification: "off"`: "identity_verification: required"})
	p := newPatron(newCustomer(w, o), f)
	if err := p.wall.set(0); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, crash.WallVariable+"="+p.wall.file)
	s := &crashSiege{plan: f, blows: blows(f), cable: newCable(t, dsn), hit: map[crash.Point]int{}}
	f.kills = len(s.blows)
	s.siege = &siege{form: f.form, dsn: dsn, weir: w, hunter: newHunter(o, f.seed)}
	hunted := make(chan error, 1)
	go func() { // ends with the last blow, or with ctx
		err := s.hunt(ctx, s.die)
		cancelIf(err, cancel)
		hunted <- err
	}()
	err := s.receive(ctx, p)
	cancelIf(err, cancel)
	if err := errors.Join(err, <-hunted); err != nil {
		t.Fatalf("%v\n%v\nthe last question: %v\n%s", err, p.unfinished(), p.unheard, tail(w.path("weir.log")))
	}
	took := time.Since(began)
	p.settled()
	v := judge(t, p.customer, s.siege)
	if err := s.running.stop(10 * time.Second); err != nil {
		t.Errorf("weir does not stop: %v", err)
	}
	s.judgeBlows(t, o, v)
	t.Logf("%d requests, %d kills (%d at %d points, %d between intent and outcome) in %s; %d calls; %s", len(p.orders)+p.dropped,
		len(s.blows), len(s.blows)-s.plan.kills, len(f.points), v.between, took.Round(time.Second), v.calls, v)
	t.Logf("dead letters decided: %v; plans made anew: %d; ended by a person: %d; faults shown: %v", p.decided, p.again, p.dropped, v.faults)
}

// judgeBlows checks that the harness hit what it promises to hit.
func (s *crashSiege) judgeBlows(t *testing.T, o *org, v verdict) {
	t.Helper()
	for _, p := range s.plan.points {
		if s.hit[p] != s.plan.times {
			t.Errorf("%s was hit %d times, want %d", p, s.hit[p], s.plan.times)
		}
	}
	dropped, accepted := o.lost()
	t.Logf("%d of %d writing calls lost their acknowledgement", dropped, accepted)
	if s.plan.kills < 100 {
		return // too few for shares
	}
	if dropped*10 < accepted {
		t.Errorf("%d of %d acknowledgements were lost, want a tenth", dropped, accepted)
	}
	if v.between*4 < len(s.blows) {
		t.Errorf("%d of %d kills fell between an intent and its outcome, want a quarter", v.between, len(s.blows))
	}
}

// pointWithin is how long a life may take until it passes its point: the store
// may have to go away several times until that happens while a write is under way.
const pointWithin = 6 * time.Minute

// die lets weir live until its next blow.
func (s *crashSiege) die(ctx context.Context) error {
	b := s.blows[s.next]
	s.next++
	if s.next%50 == 0 {
		s.weir.t.Logf("%d of %d kills", s.next, len(s.blows))
	}
	if b.point == (crash.Point{}) {
		return s.life(ctx)
	}
	s.weir.armed = []string{crash.Variable + "=" + b.point.Armed(b.nth)}
	defer func() { s.weir.armed = nil }()
	s.wanted.Store(&b.point.Write)
	defer s.wanted.Store(nil)
	err := s.armedLife(ctx, b)
	for tries := 1; errors.Is(err, errNobodyLeft) && tries < maxOrphanings; tries++ {
		err = s.armedLife(ctx, b)
	}
	if !struck(err) {
		return fmt.Errorf("blow %d, %s: %w", s.next, b.point, err)
	}
	s.hit[b.point]++
	return nil
}

// A weir adopts only what a dead one left, which a blow between two calls does
// not leave.
var errNobodyLeft = errors.New("the last death left no orphans")

const (
	adoptsWithin  = 15 * time.Second // of a start: a node listens for ten before it takes others for dead
	maxOrphanings = 40
)

// armedLife lets weir live until it dies at its point. One that finds nobody to
// adopt is ended while a write is under way, so that the next one does.
func (s *crashSiege) armedLife(ctx context.Context, b blow) error {
	p, _, err := s.weir.serve(ctx)
	if err != nil {
		return err
	}
	err = s.outlive(ctx, p, b)
	if errors.Is(err, errNobodyLeft) {
		if failed := s.hunter.aim(ctx); failed != nil {
			return failed
		}
		p.kill()
	}
	return err
}

// outlive waits for weir to end itself.
func (s *crashSiege) outlive(ctx context.Context, p *process, b blow) error {
	ctx, cancel := context.WithTimeoutCause(ctx, pointWithin, errors.New("the point was not reached"))
	defer cancel()
	for inJournal(b.point.Write) && ctx.Err() == nil {
		if err := s.disconnect(ctx, p); err != nil {
			return err
		}
	}
	var adopted <-chan time.Time
	if b.point.Write == crash.Adopt {
		adopted = time.After(adoptsWithin)
	}
	select {
	case <-p.ended:
		return p.err
	case <-adopted:
		return errNobodyLeft
	case <-ctx.Done():
		p.dump()
		return context.Cause(ctx)
	}
}

// struck says whether a program ended by SIGKILL, which nobody else sent.
func struck(err error) bool {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return false
	}
	status, ok := ended.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && //nolint:misspell // the method's name
		status.Signal() == syscall.SIGKILL
}

const (
	awayFor = 25 * time.Second // SQLite waits for a lock for ten, and several wait in turn
	backFor = 3 * time.Second  // until the journal is replayed
)

// disconnect takes the store away while a call is under way, and gives it back
// after weir has died of its point, or has had the time for it. It returns the
// end of weir, if there was one.
func (s *crashSiege) disconnect(ctx context.Context, p *process) error {
	if writing, err := s.hunter.write(ctx); err != nil || !writing {
		return err
	}
	if err := s.cable.pull(ctx); err != nil {
		return fmt.Errorf("take the store away: %w", err)
	}
	ended := within(ctx, p, awayFor, s.spilled)
	if err := s.cable.plug(ctx); err != nil {
		return fmt.Errorf("give the store back: %w", err)
	}
	if ended || within(ctx, p, backFor, nil) {
		return p.err
	}
	return nil
}

// spilled says whether an outcome lies in the journal.
func (s *crashSiege) spilled() bool {
	files, err := os.ReadDir(s.weir.path("data", "vault", "journal"))
	return err == nil && len(files) > 0
}

// within says whether a program ends within a time, or until enough says that
// there is nothing to wait for.
func within(ctx context.Context, p *process, d time.Duration, enough func() bool) bool {
	for end := time.Now().Add(d); time.Now().Before(end); {
		select {
		case <-p.ended:
			return true
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
		if enough != nil && enough() {
			return within(ctx, p, time.Second, nil)
		}
	}
	return false
}
