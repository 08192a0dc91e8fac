package proof

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/pgtest"
)

// soakVariable is how long the soak lasts, such as 30m; without it a few
// seconds show that the harness works.
const soakVariable = "WEIR_SOAK"

// The soak keeps this many requests open, so that a weir always has work.
const openRequests = 6

func soakFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv(soakVariable)
	if text == "" {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", soakVariable, err)
	}
	return d
}

// TestSoak lets a weir work for long under mixed load and faults: its memory,
// its open files and its goroutines may not grow, and at the end the org agrees with it.
func TestSoak(t *testing.T) {
	t.Parallel()
	d := soakFor(t)
	f := chosenForm(t)
	f.requests = 12 + int(d/time.Second)/2
	f.daily = 1_000_000
	f.base = "500ms"
	f.gate = 2 * time.Second
	program := build(t)
	pgtest.Each(t, func(t *testing.T, dsn string) {
		t.Parallel()
		soak(t, program, dsn, f, d)
	})
}

func soak(t *testing.T, program, dsn string, f form, d time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*d+5*time.Minute)
	defer cancel()
	o := startOrg(t, program, f)
	w := install(t, program, dsn, o, f)
	p, where, err := w.serve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := newCustomer(w, o)
	loaded, unload := context.WithCancel(ctx)
	sampled := make(chan []sample, 1)
	go func() { sampled <- sampling(loaded, p, where.Metrics) }() // ends with the load
	for began := time.Now(); err == nil && time.Since(began) < d; {
		err = serveThem(ctx, p, c)
	}
	unload()
	samples := <-sampled
	c.orders = slices.DeleteFunc(c.orders, func(o *order) bool { return o.id == "" }) // who has not asked does not count
	for err == nil && c.unfinished() != nil {
		err = serveThem(ctx, p, c)
	}
	if err != nil {
		t.Fatalf("%v\n%v\n%s", err, c.unfinished(), tail(w.path(w.log)))
	}
	v := judgeOrders(t, c)
	judgeAccounts(t, &siege{where: where})
	if err := p.stop(10 * time.Second); err != nil {
		t.Errorf("weir does not stop: %v", err)
	}
	first, last := judgeFlat(t, samples, d)
	t.Logf("%s of load: %d requests, %d calls; %s", d, len(c.orders), v.calls, v)
	t.Logf("memory %d KiB, at least %d files and %d goroutines in the first third after the warm-up; %d KiB, %d and %d in the last",
		first.rss, first.files, first.goroutines, last.rss, last.files, last.goroutines)
	t.Logf("dead letters decided: %v; faults shown: %v", c.decided, v.faults)
}

// serveThem lets the people do a round with a bounded number of requests open.
func serveThem(ctx context.Context, p *process, c *customer) error {
	ended := 0
	for _, o := range c.orders {
		if o.ended() {
			ended++
		}
	}
	if _, err := c.round(ctx, ended+openRequests); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return fmt.Errorf("weir ended by itself: %w", p.err)
	default:
		return pause(ctx, 500*time.Millisecond)
	}
}

// sampling looks at a process every second until ctx ends or the process does.
func sampling(ctx context.Context, p *process, metrics string) []sample {
	var all []sample
	for pause(ctx, time.Second) == nil {
		s, err := sampleOf(p.cmd.Process.Pid)
		if err == nil {
			s.goroutines, err = goroutines(ctx, metrics)
		}
		if err != nil {
			break // it has ended, which the other side finds out
		}
		all = append(all, s)
	}
	return all
}

// goroutines asks weir how many it has.
func goroutines(ctx context.Context, metrics string) (int, error) {
	figures, err := scrape(ctx, metrics)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(figures["go_goroutines"])
}

// sample is how much a process holds at one moment.
type sample struct{ rss, files, goroutines int }

// sampleOf asks the kernel.
func sampleOf(pid int) (s sample, err error) {
	dir := "/proc/" + strconv.Itoa(pid)
	files, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return s, err
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			s.rss, err = strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
		}
	}
	s.files = len(files)
	return s, err
}

// judgeFlat compares the first third after a warm-up with the last third: the
// mean of the memory, and the fewest files and goroutines at any time, which is
// what no call and no verb holds for a moment.
func judgeFlat(t *testing.T, all []sample, d time.Duration) (first, last sample) {
	t.Helper()
	all = all[len(all)/10:]
	if len(all) < 3 {
		t.Fatalf("only %d samples", len(all))
	}
	third := len(all) / 3
	first, last = typical(all[:third]), typical(all[len(all)-third:])
	if d < 5*time.Minute {
		return first, last // still warming up: nothing to compare
	}
	if last.rss > first.rss+first.rss/10 {
		t.Errorf("memory grew from %d to %d KiB, want at most a tenth", first.rss, last.rss)
	}
	if last.files > first.files {
		t.Errorf("open files grew from %d to %d", first.files, last.files)
	}
	if last.goroutines > first.goroutines+first.goroutines/10 {
		t.Errorf("goroutines grew from %d to %d, want at most a tenth", first.goroutines, last.goroutines)
	}
	return first, last
}

func typical(all []sample) sample {
	s := all[0]
	s.rss = 0
	for _, x := range all {
		s.rss += x.rss
		s.files, s.goroutines = min(s.files, x.files), min(s.goroutines, x.goroutines)
	}
	s.rss /= len(all)
	return s
}

// stopsWithin is what `weir serve` promises.
const stopsWithin = 10 * time.Second

// TestTerm stops a weir under load with SIGTERM, again and again, on both
// stores. It always ends in time and well, and nothing is left in doubt.
func TestTerm(t *testing.T) {
	t.Parallel()
	f := chosenForm(t)
	f.kills, f.requests, f.within = 2, 10, 10*time.Minute // "kills" are stops here
	if os.Getenv(formVariable) == "long" {
		f.kills, f.requests, f.within = 100, 200, 45*time.Minute
	}
	f.without = append(f.without, string(emulator.FaultHTML))
	program := build(t)
	pgtest.Each(t, func(t *testing.T, dsn string) {
		t.Parallel()
		terminate(t, program, dsn, f)
	})
}

func terminate(t *testing.T, program, dsn string, f form) {
	ctx, cancel := context.WithTimeout(t.Context(), f.within)
	defer cancel()
	o := startOrg(t, program, f)
	w := install(t, program, dsn, o, f)
	s := &siege{form: f, dsn: dsn, weir: w, hunter: newHunter(o, f.seed)}
	stopped := make(chan error, 1)
	var took []time.Duration
	go func() { stopped <- s.retire(ctx, &took) }() // ends with the last stop, or with ctx
	c := newCustomer(w, o)
	err := s.custom(ctx, c)
	cancelIf(err, cancel)
	if err := errors.Join(err, <-stopped); err != nil {
		t.Fatalf("%v\n%v\n%s", err, c.unfinished(), tail(w.path(w.log)))
	}
	v := judgeOrders(t, c)
	judgeAccounts(t, s)
	judgeIntents(t, dsn)
	if err := s.running.stop(stopsWithin); err != nil {
		t.Errorf("weir does not stop: %v", err)
	}
	text, err := os.ReadFile(w.path(w.log))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(took)
	t.Logf("%d stops under load: median %s, longest %s; calls cut off in %d of them; %s", len(took),
		took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond), strings.Count(string(text), "calls were cut off"), v)
}

// retire starts weir again and again and asks it to stop while calls are under
// way; the last one stays.
func (s *siege) retire(ctx context.Context, took *[]time.Duration) error {
	for {
		var err error
		if s.running, s.where, err = s.weir.serve(ctx); err != nil {
			return err
		}
		if s.kills.Load() == int64(s.form.kills) {
			return nil
		}
		if err := s.hunter.moment(ctx); err != nil {
			return err
		}
		began := time.Now()
		if err := s.running.stop(stopsWithin); err != nil {
			return fmt.Errorf("SIGTERM %d: %w", s.kills.Load()+1, err)
		}
		*took = append(*took, time.Since(began))
		s.kills.Add(1)
	}
}
