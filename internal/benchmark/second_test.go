package benchmark

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/store"
)

// backlog is a weir on PostgreSQL that does not run yet, and approved erasures.
type backlog struct {
	t     *testing.T
	weir  *installation
	store *store.Store
	orgs  []*emulator.Org
	ids   []string

	planned int // steps that are done once everything is planned
}

// newBacklog plans an erasure of each person of some orgs.
func newBacklog(t *testing.T, orgs, people int) *backlog {
	t.Helper()
	dsn, vault := pgtest.Postgres(t), t.TempDir()
	if err := os.Chmod(vault, 0o700); err != nil {
		t.Fatal(err)
	}
	b := &backlog{t: t, weir: install(t, dsn)}
	b.weir.env = append(b.weir.env, "WEIR_VAULT_DIR="+vault)
	for i := range orgs {
		o := emulator.New(emulator.Options{
			Seed: uint64(i), Profile: emulator.Calm(), Latency: 20 * time.Millisecond, RecycleLag: -1, Limits: emulator.Limits{DailyAPI: 10_000_000},
		})
		seed(o, people)
		b.orgs = append(b.orgs, o)
		b.weir.connect("org-"+strconv.Itoa(i), o)
	}
	s := b.weir.serve()
	for o := range orgs {
		for i := range people {
			doc := decode[struct{ Request weir.Request }](t, b.weir.run("email:"+address(i)+"\n", "submit", "--org", "org-"+strconv.Itoa(o), "--right", "erasure"))
			b.ids = append(b.ids, string(doc.Request.ID))
		}
	}
	b.store = must(store.Open(t.Context(), dsn))(t)
	t.Cleanup(func() { _ = b.store.Close() }) // the database is dropped anyway
	for _, id := range b.ids {
		b.await(id, weir.AwaitingApproval, 5*time.Minute)
	}
	s.stop()
	b.planned = b.now().done
	return b
}

func (b *backlog) approve() *backlog {
	b.t.Helper()
	for _, id := range b.ids {
		b.weir.run("", "approve", id, "--plan", b.request(id).PlanHash)
	}
	return b
}

func (b *backlog) request(id string) (r weir.Request) {
	b.t.Helper()
	err := b.store.View(b.t.Context(), time.Now(), func(tx *store.Tx) (err error) {
		r, err = tx.Request(weir.RequestID(id))
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *backlog) await(id string, stage weir.Stage, within time.Duration) {
	b.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		r := b.request(id)
		if r.Stage == stage {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s is %s after %s, want %s", id, r.Stage, within, stage)
		}
	}
}

// moment is how far the work and the machine are at a time.
type moment struct {
	at          time.Time
	done        int   // steps that have ended well
	closed      int   // requests
	idle, ticks int64 // of the processors
}

func (b *backlog) now() (m moment) {
	b.t.Helper()
	err := b.store.View(b.t.Context(), time.Now(), func(tx *store.Tx) error {
		steps, err := tx.StepCounts("")
		if err != nil {
			return err
		}
		stages, err := tx.StageCounts()
		m.done, m.closed = steps[weir.StepDone], stages[weir.Closed]
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	m.at = time.Now()
	m.idle, m.ticks = processors(b.t)
	return m
}

// worked is what some processes did with a backlog.
type worked struct {
	rate float64       // steps a second
	cpu  time.Duration // processor time of the weirs, from their start to their end
	idle float64       // share of the machine's processor time that nobody used
}

// start starts so many processes, and returns when all of them serve.
func (b *backlog) start(processes int) (nodes []*server) {
	b.t.Helper()
	for i := range processes {
		at := *b.weir
		at.env = append(slices.Clip(at.env), "WEIR_DATA_DIR="+filepath.Join(b.weir.dir, "node-"+strconv.Itoa(i)))
		nodes = append(nodes, at.start())
	}
	for _, n := range nodes {
		n.ready()
	}
	return nodes
}

// work lets processes do the backlog, and measures while a tenth to nine tenths of
// its steps end: neither the starts nor the proofs at the end are in it. How many
// steps there are is known at the end, since what a request has to do is added
// step by step.
func (b *backlog) work(nodes []*server) (w worked) {
	b.t.Helper()
	moments := []moment{b.now()}
	for end := time.Now().Add(15 * time.Minute); moments[len(moments)-1].closed < len(b.ids); moments = append(moments, b.now()) {
		if time.Now().After(end) {
			b.t.Fatalf("%d of %d requests are closed", moments[len(moments)-1].closed, len(b.ids))
		}
		time.Sleep(250 * time.Millisecond) // to ask costs
	}
	tenth := (moments[len(moments)-1].done - b.planned) / 10
	after := func(done int) moment {
		return moments[slices.IndexFunc(moments, func(m moment) bool { return m.done >= b.planned+done })]
	}
	from, to := after(tenth), after(9*tenth)
	w.rate = float64(to.done-from.done) / to.at.Sub(from.at).Seconds()
	w.idle = float64(to.idle-from.idle) / float64(max(to.ticks-from.ticks, 1))
	for _, n := range nodes {
		w.cpu += n.cpu()
		n.stop()
	}
	return w
}

// nodesAtWork counts the processes that asked the orgs for more than a token:
// the one that planned, and those that worked.
func (b *backlog) nodesAtWork() int {
	agents := map[string]bool{}
	for _, o := range b.orgs {
		for _, c := range o.Log() {
			if c.Kind != "token" {
				agents[c.Agent] = true
			}
		}
	}
	return len(agents)
}

// A second process on the same PostgreSQL takes half of the work.
func TestSecondProcess(t *testing.T) {
	if !long() {
		b := newBacklog(t, 2, 6)
		nodes := b.start(2)
		b.approve().work(nodes) // both serve before there is work: neither can do all of it while the other starts
		if n := b.nodesAtWork(); n != 3 {
			t.Errorf("the orgs heard of %d processes, want the planning one and two that worked", n)
		}
		return
	}
	t.Run("shared", func(t *testing.T) { secondProcess(t, "second process on PostgreSQL", 0) })
	// Where the processes are what is short of processors, and not the machine that
	// they share with their database and their orgs: on two cores 0.4 of one was too much.
	t.Run("bounded", func(t *testing.T) {
		secondProcess(t, "second process on PostgreSQL, each with 0.2 of a processor", 0.2)
	})
}

// secondProcess measures one process, and two; each has so much of a processor, or
// with 0 what the machine gives.
func secondProcess(t *testing.T, name string, share float64) {
	t.Helper()
	orgs, people := 4, scaled(40)
	run := func(processes int) worked {
		b := newBacklog(t, orgs, people).approve()
		nodes := b.start(processes)
		for _, n := range nodes {
			if share > 0 {
				n.bound(share)
			}
		}
		return b.work(nodes)
	}
	alone, both := run(1), run(2)
	note(t, figure{
		Name: name, Value: both.rate / alone.rate, Unit: "times the steps of one", Goal: "≥ 1.6", Reached: both.rate >= 1.6*alone.rate,
		Baseline: fmt.Sprintf("%.0f steps/s of one process, %.0f of two", alone.rate, both.rate),
		Note: fmt.Sprintf("%d erasures of %d records in %d orgs, calls of 20 ms; of the processors, which PostgreSQL and the orgs use too, one process left %.0f %% idle and two %.0f %%; the weirs used %.1f and %.1f s",
			orgs*people, recordsOf, orgs, 100*alone.idle, 100*both.idle, alone.cpu.Seconds(), both.cpu.Seconds()),
	})
}
