package proof

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/emulator"
)

// nodesForm is how much the proof of many nodes does.
type nodesForm struct {
	form
	nodes  int
	calls  int // that must be shared before anything goes wrong
	stops  int // takeovers of a stopped node
	outage time.Duration
}

// slots is the default of budget.max_concurrent, for all nodes together.
const slots = 8

func chosenNodesForm(t *testing.T) nodesForm {
	f := nodesForm{form: chosenForm(t), nodes: 2, calls: 250, stops: 1, outage: 5 * time.Second}
	f.kills, f.requests, f.within = 1, 1000, 10*time.Minute
	if os.Getenv(formVariable) == "long" {
		f.nodes, f.calls, f.stops, f.outage = 4, 1000, 100, time.Minute
		f.kills, f.requests, f.daily, f.within = 20, 1200, 400_000, 90*time.Minute
	}
	// A call that outlives its dead node would still be open in the org when
	// another call has its slot: here the count of open calls must mean something.
	f.without = append(f.without, string(emulator.FaultSlow), string(emulator.FaultHTML))
	return f
}

// TestNodes runs several weirs on one PostgreSQL database: they share the work,
// they are killed, stopped and resumed, and the database goes away. Then the org
// is asked what really happened.
func TestNodes(t *testing.T) {
	t.Parallel()
	f := chosenNodesForm(t)
	program := build(t)
	pg := ownServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), f.within)
	defer cancel()
	o := startOrg(t, program, f.form)
	c := startCluster(t, program, pg.url, o, f.form, f.nodes)
	a := &assault{form: f, cluster: c, server: pg}
	s := &siege{form: f.form, dsn: pg.url, weir: c.weir}
	people := newCustomer(c.weir, o)
	attacked := make(chan error, 1)
	go func() { // ends with the last attack, or with ctx
		err := a.run(ctx)
		cancelIf(err, cancel)
		attacked <- err
	}()
	err := a.custom(ctx, people, s)
	cancelIf(err, cancel)
	if err := errors.Join(err, <-attacked); err != nil {
		t.Fatalf("%v\n%v\n%s", err, people.unfinished(), c.tails())
	}
	s.where = c.nodes[0].where
	v := judge(t, people, s)
	a.judgeLate(t)
	a.judgeRoom(t, o.truth())
	a.judgePackages(t, people)
	spilled := a.judgeJournals(t)
	for _, m := range c.nodes {
		if err := m.process.stop(10 * time.Second); err != nil {
			t.Errorf("%s does not stop: %v", m.name(), err)
		}
	}
	t.Logf("%d nodes, %d requests, %d calls; %s", f.nodes, len(people.orders), v.calls, v)
	t.Logf("calls by node before the attacks: %v", a.shares)
	t.Logf("kills: %d with claims, adopted within %s; stops: %d takeovers, adopted within %s", len(a.kills), longest(a.kills), len(a.stops), longest(a.stops))
	t.Logf("PostgreSQL away for %s: %d outcomes kept in journals, first call %s after it was back", f.outage, spilled, a.resumed.Round(time.Millisecond))
}

// tails is the end of every node's log.
func (c *cluster) tails() string {
	var b strings.Builder
	for _, m := range c.nodes {
		fmt.Fprintf(&b, "== %s\n%s\n", m.at.log, tail(m.at.path(m.at.log)))
	}
	return b.String()
}

// assault is everything that happens to a cluster, one after the other: work is
// shared, nodes are killed and stopped, the database goes away.
type assault struct {
	form    nodesForm
	cluster *cluster
	server  *server

	people sync.Mutex // held while the database is away: people cannot work either

	over atomic.Bool // every attack was made

	mu      sync.Mutex
	shares  map[string]int
	busiest int // calls open at once before the attacks
	kills   []takeover
	stops   []takeover
	resumed time.Duration
}

// takeover is one attack on a node that held claims.
type takeover struct {
	node       string
	from, till time.Time // of the attack; of the node's going on
	adopted    time.Duration
	steps      int
}

func longest(all []takeover) time.Duration {
	var d time.Duration
	for _, t := range all {
		d = max(d, t.adopted)
	}
	return d
}

func (a *assault) run(ctx context.Context) error {
	if err := a.share(ctx); err != nil {
		return err
	}
	g, within := errgroup.WithContext(ctx)
	for lane := 0; lane+1 < len(a.cluster.nodes); lane += 2 { // one of each pair works on
		g.Go(func() error { return a.lane(within, lane) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := a.blackout(ctx); err != nil {
		return err
	}
	a.over.Store(true)
	return nil
}

func (a *assault) note(fn func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fn()
}

// custom plays the people until the attacks are over: as requests end, others
// come in.
func (a *assault) custom(ctx context.Context, c *customer, s *siege) error {
	ended := 0
	for {
		a.people.Lock()
		var err error
		ended, err = c.round(ctx, ended+openRequests)
		if err == nil && s.held == "" && ended > 2 {
			err = s.hold(ctx)
		}
		a.people.Unlock()
		if err == nil && ended == len(c.orders) && !a.over.Load() {
			err = errors.New("the work has run out before the attacks")
		}
		if err == nil && a.over.Load() {
			return a.finish(ctx, c)
		}
		if err != nil {
			return err
		}
		if err := a.alive(); err != nil {
			return err
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// finish lets what was submitted come to its end.
func (a *assault) finish(ctx context.Context, c *customer) error {
	c.orders = slices.DeleteFunc(c.orders, func(o *order) bool { return o.id == "" }) // who has not asked does not count
	for {
		ended, err := c.round(ctx, len(c.orders))
		if err != nil || ended == len(c.orders) {
			return errors.Join(err, a.alive())
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// share waits until the org has answered many calls and counts whose they were.
func (a *assault) share(ctx context.Context) error {
	for {
		byNode, last, err := a.cluster.calls(0)
		if err != nil {
			return err
		}
		if last >= a.form.calls {
			a.note(func() { a.shares, a.busiest = byNode, a.cluster.org.truth().Busiest })
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// lane attacks the nodes of one pair in turn until all attacks were made.
func (a *assault) lane(ctx context.Context, first int) error {
	dice := rand.New(rand.NewPCG(a.form.seed, uint64(first)))
	for i := 0; ; i++ {
		kill, done := a.next(dice)
		if done {
			return nil
		}
		m := a.cluster.nodes[first+i%2]
		var err error
		if kill {
			err = a.kill(ctx, dice, m)
		} else {
			err = a.stop(ctx, dice, m)
		}
		if err != nil {
			return err
		}
	}
}

// next chooses the next attack.
func (a *assault) next(dice *rand.Rand) (kill, done bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kills, stops := a.form.kills-len(a.kills), a.form.stops-len(a.stops)
	if kills <= 0 && stops <= 0 {
		return false, true
	}
	return kills > 0 && (stops <= 0 || dice.IntN(kills+stops) < kills), false
}

// blackout takes the database away while calls are under way, and brings it
// back. No weir may end, and work must go on by itself.
func (a *assault) blackout(ctx context.Context) error {
	if err := a.busy(ctx); err != nil {
		return err
	}
	defer a.people.Unlock()
	if err := a.server.order("stop"); err != nil {
		return err
	}
	if err := pause(ctx, a.form.outage); err != nil {
		return err
	}
	if err := a.alive(); err != nil {
		return err
	}
	if err := a.server.order("start"); err != nil {
		return err
	}
	back := time.Now()
	_, before, err := a.cluster.calls(0)
	for err == nil && time.Since(back) < time.Minute {
		var last int
		if _, last, err = a.cluster.calls(before); err != nil || last > before {
			a.note(func() { a.resumed = time.Since(back) })
			return err
		}
		err = pause(ctx, 20*time.Millisecond)
	}
	if err == nil {
		err = errors.New("a minute after the database was back no call has been sent")
	}
	return err
}

// busy waits until several calls are under way, and then keeps the people out:
// without them, work that waits for a decision would never begin.
func (a *assault) busy(ctx context.Context) error {
	for {
		a.people.Lock()
		open := 0
		for end := time.Now().Add(time.Second); time.Now().Before(end); {
			err := a.cluster.db.QueryRowContext(ctx, `SELECT count(DISTINCT claim) FROM step WHERE state = 'EXECUTING'`).Scan(&open)
			if err == nil && open >= 2 {
				return nil
			}
			if err := errors.Join(err, pause(ctx, 5*time.Millisecond)); err != nil {
				a.people.Unlock()
				return err
			}
		}
		a.people.Unlock()
		if err := pause(ctx, 100*time.Millisecond); err != nil { // a mutex is not fair at once
			return err
		}
	}
}

// alive says which node ended by itself.
func (a *assault) alive() error {
	var errs []error
	for _, m := range a.cluster.nodes {
		errs = append(errs, m.alive())
	}
	return errors.Join(errs...)
}
