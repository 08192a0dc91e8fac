package proof

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/vault"
)

// TestCanary looks for personal data of an org that is throttled wherever weir
// might leave it, while another org keeps weir busy; and then looks again with
// the protection off, where each kind of place must show some. Reading the
// memory of a hardened process takes root; a scan that cannot read fails.
func TestCanary(t *testing.T) {
	f := canaryForm{waits: 2, gate: 6 * time.Second, unprotected: 2}
	if os.Getenv(formVariable) == "long" {
		f = canaryForm{waits: 100, gate: 8 * time.Second, unprotected: 5}
	}
	program := build(t)
	pgtest.Each(t, func(t *testing.T, dsn string) {
		t.Parallel()
		guarded := startAviary(t, program, dsn, f, nil)
		guarded.watch(t, f.waits)
		guarded.judge(t)
		guarded.control(t)
	})
	t.Run("unprotected", func(t *testing.T) {
		t.Parallel()
		// What is freed is neither overwritten nor, with little other work, used again.
		bare := startAviary(t, program, pgtest.SQLite(t), f, []string{"GODEBUG=clobberfree=0", "GOGC=off"})
		bare.calm = true
		bare.watch(t, f.unprotected)
		for _, place := range []string{placeMemory, placeCore} {
			if bare.found[place].of(bare.quiet.alias) == 0 {
				t.Errorf("%s of a weir that does not overwrite what it frees: no hit, so the scan proves nothing", place)
			}
		}
		bare.report(t, "control without overwriting")
	})
}

// canaryForm is how much the proof does.
type canaryForm struct {
	waits       int           // for each store
	gate        time.Duration // how long an org refuses
	unprotected int           // waits of the control
}

// parked is when a wait must have put everything away: the rule is for waits
// above two seconds (security reference, section 2).
const parked = 2 * time.Second

// aviary is a weir with two orgs: one that is throttled again and again, and
// one that works on.
type aviary struct {
	form    canaryForm
	dsn     string
	weir    *installation
	quiet   *flock
	busy    *flock
	noted   canary // what an operator types into a reference: it may be seen
	hay     *haystack
	temp    string // weir's TMPDIR
	images  string // where core images lie for a moment
	running *process
	where   served

	requests []string // of the quiet org, newest last
	found    map[string]hits
	read     map[string]int64 // bytes, by place
	scans    map[string]int   // by place
	waits    int
	cores    int // images that a debugger made
	debug    bool
	calm     bool // the other org has nothing to do
	short    int  // waits that ended before the scan of memory did
	busyness int  // calls of the busy org during the waits
}

// startAviary sets weir up and starts it in an environment.
func startAviary(t *testing.T, program, dsn string, f canaryForm, env []string) *aviary {
	t.Helper()
	a := &aviary{form: f, dsn: dsn, found: map[string]hits{}, read: map[string]int64{}, scans: map[string]int{}, temp: t.TempDir(), images: t.TempDir()}
	a.quiet = newFlock(t, program, alias, f.gate)
	a.busy = newFlock(t, program, "busy", time.Second)
	noted := newCanaries("noted")
	a.noted = noted[className]
	a.weir = install(t, program, dsn, a.quiet.org, form{base: "2s"})
	_, recipient, err := vault.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	a.weir.join(a.busy, recipient)
	a.hay = newHaystack(a.quiet.canary, a.busy.canary, noted)
	a.hay.add(needle{bytes: a.weir.dir, owner: witness, what: "directory"})
	a.weir.env = append(a.weir.env, "TMPDIR="+a.temp)
	a.weir.env = append(a.weir.env, env...)
	a.start(t)
	return a
}

func (a *aviary) start(t *testing.T) {
	t.Helper()
	var err error
	if a.running, a.where, err = a.weir.serve(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, tail(a.weir.path("weir.log")))
	}
}

// watch lets the quiet org be throttled n times and scans during each wait.
func (a *aviary) watch(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n+4)*(4*a.form.gate+30*time.Second))
	defer cancel()
	fed := make(chan error, 1)
	feeding, enough := context.WithCancel(ctx)
	go func() { fed <- a.feed(feeding) }() // ends with enough
	var err error
	for err == nil && a.waits < n {
		a.debug = n > 9 && a.waits == n-1 // a debugger takes its time
		err = a.once(ctx)
		if a.short > 5+n/10 {
			err = fmt.Errorf("%d waits ended before they were scanned: this machine is too slow for refusals of %s", a.short, a.form.gate)
		}
	}
	enough()
	if err := errors.Join(err, <-fed); err != nil {
		t.Fatalf("wait %d: %v\n%s", a.waits+1, err, tail(a.weir.path("weir.log")))
	}
	if a.busyness == 0 && !a.calm {
		t.Error("the other org was idle during every wait: that is not what was to be proven")
	}
}

// feed keeps the busy org at work.
func (a *aviary) feed(ctx context.Context) error {
	for ctx.Err() == nil && !a.calm {
		if _, err := a.weir.ask(ctx, a.busy, access, ""); err != nil && ctx.Err() == nil {
			return fmt.Errorf("feed the busy org: %w", err)
		}
		if err := pause(ctx, 1500*time.Millisecond); err != nil {
			break
		}
	}
	return nil
}

// once brings the quiet org into a wait at a random call of its work, and
// scans every kind of place while it lasts.
func (a *aviary) once(ctx context.Context) error {
	refused, err := a.throttle(ctx)
	if err != nil {
		return err
	}
	if err := a.settled(ctx, refused); err != nil {
		return err
	}
	pid := a.running.cmd.Process.Pid
	thaw, err := freeze(pid)
	if err != nil {
		return err
	}
	frozen := time.Now()
	memory, core, err := a.inside(pid)
	if err := errors.Join(err, thaw()); err != nil {
		return err
	}
	quiet, err := between(ctx, a.quiet, refused, frozen)
	if err != nil {
		return err
	}
	busy, err := between(ctx, a.busy, refused, frozen)
	if err != nil {
		return err
	}
	if quiet > 0 { // it was no wait any more: what the org held is no hit
		a.short++
		return nil
	}
	if err := errors.Join(a.keep(placeMemory, memory), a.keep(placeCore, core)); err != nil {
		return err
	}
	a.busyness += busy
	if a.waits++; a.waits%10 == 0 {
		a.weir.t.Logf("%d waits; %d hits in memory so far", a.waits, a.found[placeMemory].of(a.quiet.alias))
	}
	if a.calm { // the control is about memory
		return nil
	}
	if err := a.rest(ctx); err != nil || a.waits%5 != 1 {
		return err
	}
	return a.asked(ctx)
}

// settled waits until everything of the quiet org has been waiting for some seconds.
// A call that was sent before the refusal may still be answered, and a package that is
// complete is made without any call: on a busy machine both take seconds, and neither
// waits for the org.
func (a *aviary) settled(ctx context.Context, since time.Time) (err error) {
	db, err := beside(a.dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for time.Since(since) < parked {
		working := 0
		err := db.QueryRowContext(ctx, `
			SELECT (SELECT count(*) FROM step WHERE org = $1 AND state = 'EXECUTING')
				+ (SELECT count(*) FROM request WHERE org = $1 AND stage IN ('DISCOVERED', 'SEALING'))`, a.quiet.alias).Scan(&working)
		if err != nil {
			return fmt.Errorf("look for work that does not wait: %w", err)
		}
		if working > 0 {
			since = time.Now()
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// inside scans what a frozen process holds, and an image of it.
func (a *aviary) inside(pid int) (memory, core *scanner, err error) {
	if memory, err = a.hay.memory(pid); err != nil {
		return nil, nil, err
	}
	maker := image
	if a.debug && debugged() {
		maker = byDebugger
		a.cores++
	}
	core, err = a.hay.core(pid, a.images, maker)
	return memory, core, err
}

// between counts the calls that reached an org between two moments.
func between(ctx context.Context, f *flock, from, to time.Time) (n int, err error) {
	list, err := f.calls(ctx)
	for _, c := range list {
		if c.At.After(from) && c.At.Before(to) {
			n++
		}
	}
	return n, err
}

// throttle submits requests until the org has refused a call.
func (a *aviary) throttle(ctx context.Context) (time.Time, error) {
	if err := a.approve(ctx); err != nil {
		return time.Time{}, err
	}
	if err := a.quiet.refuse(ctx, 1+rand.IntN(6)); err != nil {
		return time.Time{}, err
	}
	for range 20 {
		id, err := a.weir.ask(ctx, a.quiet, []string{access, erasure}[rand.IntN(2)], "CASE-"+strconv.Itoa(len(a.requests)))
		if err != nil {
			return time.Time{}, err
		}
		a.requests = append(a.requests, id)
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
			list, err := a.quiet.calls(ctx)
			if err != nil {
				return time.Time{}, err
			}
			for _, c := range list {
				if c.Fault != "" {
					return time.Now(), nil
				}
			}
			if err := pause(ctx, 20*time.Millisecond); err != nil {
				return time.Time{}, err
			}
		}
		if err := a.approve(ctx); err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, errors.New("twenty requests, and no call met the refusal")
}

// approve consents to every plan that waits for it.
func (a *aviary) approve(ctx context.Context) error {
	var doc struct {
		Requests []status `json:"requests"`
	}
	if err := a.weir.run(ctx, "", &doc, "requests", "--state", "awaiting_approval"); err != nil {
		return err
	}
	for _, r := range doc.Requests {
		if err := unlessPassing(a.weir.run(ctx, "", nil, "approve", r.ID, "--plan", r.Plan)); err != nil {
			return err
		}
	}
	return nil
}

// rest scans the places that may be looked at in peace.
func (a *aviary) rest(ctx context.Context) error {
	files, err := a.hay.files(a.weir.path("data"), filepath.Dir(a.file()), a.temp)
	if err == nil {
		err = files.unlinked(a.running.cmd.Process.Pid)
	}
	if err != nil {
		return err
	}
	queue, all, err := a.hay.dump(ctx, a.dsn)
	if err != nil {
		return err
	}
	metrics, err := a.hay.page(ctx, a.where.Metrics)
	if err != nil {
		return err
	}
	logs := a.hay.scan()
	if err := logs.file(a.weir.path("weir.log")); err != nil { // both of its channels
		return err
	}
	for place, s := range map[string]*scanner{
		placeFiles: files, placeQueue: queue, placeDatabase: all, placeMetrics: metrics, placeLogs: logs,
	} {
		if err := a.keep(place, s); err != nil {
			return err
		}
	}
	return nil
}

// asked scans what weir answers when people ask; it starts twenty programs.
func (a *aviary) asked(ctx context.Context) error {
	newest := a.requests[len(a.requests)-1]
	cli, err := a.hay.verbs(ctx, a.weir, [][]string{
		{"requests", "--all"},
		{"status", newest},
		{"--timeout", "1s", "plan", newest},
		{"why", newest},
		{"limits", a.quiet.alias},
		{"dlq", "list"},
		{"org", "list"},
		{"config", "show"},
		{"certificate", newest},
		{"audit", "verify"},
	})
	if err != nil {
		return err
	}
	exported, err := a.audit(ctx)
	if err != nil {
		return err
	}
	return errors.Join(a.keep(placeCLI, cli), a.keep(placeAudit, exported))
}

func (a *aviary) audit(ctx context.Context) (*scanner, error) {
	file := filepath.Join(a.images, "audit.jsonl")
	defer func() { _ = os.Remove(file) }() // it may never have been made
	if err := a.weir.run(ctx, "", nil, "audit", "export", "-o", file); err != nil {
		return nil, err
	}
	s := a.hay.scan()
	return s, s.file(file)
}

func (a *aviary) keep(place string, s *scanner) error {
	if s.bytes == 0 {
		return fmt.Errorf("the scan of %s read nothing", place)
	}
	a.read[place] += s.bytes
	if a.found[place] == nil {
		a.found[place] = hits{}
	}
	a.found[place].join(s.found)
	a.scans[place]++
	return nil
}

// judge fails the test for every hit: of the waiting org anywhere, of the
// other one everywhere but in the memory with which it is working.
func (a *aviary) judge(t *testing.T) {
	t.Helper()
	for _, place := range places() {
		owners := []string{a.quiet.alias, a.busy.alias}
		if place == placeMemory || place == placeCore {
			owners = owners[:1]
		}
		for _, owner := range owners {
			if n := a.found[place].of(owner); n > 0 {
				t.Errorf("%s: %d hits of the org %s: %v", place, n, owner, a.found[place][owner])
			}
		}
	}
	a.report(t, "guarded")
	a.dump(t)
}

// dump asks a weir for its goroutines and a core file, as an operator who has
// been told to debug it might: neither may show anything.
func (a *aviary) dump(t *testing.T) {
	t.Helper()
	if err := a.running.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-a.running.ended
	s, err := a.hay.files(a.weir.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, owner := range []string{a.quiet.alias, a.busy.alias} {
		if n := s.found.of(owner); n > 0 {
			t.Errorf("what SIGQUIT leaves shows %d hits of the org %s: %v", n, owner, s.found[owner])
		}
	}
}

func (a *aviary) report(t *testing.T, what string) {
	t.Helper()
	t.Logf("%s: %d waits, %d too short, %d calls of the other org meanwhile, %d core images by gcore", what, a.waits, a.short, a.busyness, a.cores)
	for _, place := range places() {
		if n := a.scans[place]; n > 0 {
			t.Logf("%s: %s: %d hits of the waiting org in %d scans of %d KiB together", what, place, a.found[place].of(a.quiet.alias), n, a.read[place]>>10)
		}
	}
}

// file is the path of an embedded store, or weir's data directory.
func (a *aviary) file() string {
	if path, ok := strings.CutPrefix(a.dsn, "sqlite://"); ok {
		return path
	}
	return a.weir.path("data", "weir.db")
}
