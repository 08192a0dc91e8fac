package emulator

import (
	"crypto/rsa"
	"math/rand/v2"
	"sync"
	"time"
)

// Org is one emulated Salesforce org. Its methods may be called from several
// goroutines.
type Org struct {
	options Options
	born    time.Time

	mu      sync.Mutex
	objects map[string]*object // by lower-case name
	order   []*object
	denied  map[string]bool // permissions that belong to no object

	dice     *rand.Rand // faults, latencies and what they hit
	minting  *rand.Rand // tokens and locators
	versions uint64

	script     []*rule
	neighbours []neighbour
	pending    []lateEffect
	gate       gate
	bucket     bucket

	org, own *ring // calls of everybody, and calls that came through us
	bursts   int   // of the monthly allowance of a soft org
	running  map[*call]time.Time
	busiest  int // most calls running at once, those for tokens left out
	longest  int // most of them running for LongAfter at once

	keys             map[string]*rsa.PublicKey // by fingerprint
	secret           string
	refresh          string
	credentialsValid bool
	sessions         map[string]*session
	logins           *ring
	cursors          []*cursor // oldest use first

	user, admin, colleague string // ids of Users

	log       []*Call
	mutations []Mutation
	faults    map[Fault]int
	rejected  map[string]int
	early     int
	denials   int // calls that neighbours could not make
	assigned  int // assignment rules that a write set off
	subjects  []Subject
}

// New makes an org with its schema and its users, and without customers.
func New(options Options) *Org {
	options = options.withDefaults()
	o := &Org{
		options: options, born: options.Now().UTC(),
		objects: make(map[string]*object), denied: make(map[string]bool),
		dice:    rand.New(rand.NewPCG(options.Seed, 1)),
		minting: rand.New(rand.NewPCG(options.Seed, 2)),
		org:     &ring{}, own: &ring{}, logins: &ring{},
		running:  make(map[*call]time.Time),
		keys:     make(map[string]*rsa.PublicKey),
		sessions: make(map[string]*session), credentialsValid: true,
		faults: make(map[Fault]int), rejected: make(map[string]int),
	}
	o.bucket = bucket{tokens: float64(options.Limits.BurstSize), at: o.born}
	o.secret, o.refresh = o.mint(32), "5Aep861"+o.mint(40)
	o.defineObjects()
	o.hire()
	o.addScript(options.Profile.Script, o.born)
	for _, n := range options.Profile.Neighbours {
		o.neighbours = append(o.neighbours, neighbour{Neighbour: n, next: o.born.Add(n.After)})
	}
	return o
}

// hire makes the users: the one that we sign in as, and two who work there.
func (o *Org) hire() {
	users := o.objects["user"]
	joined := o.born.AddDate(-5, 0, 0)
	add := func(first, last, name string) string {
		return o.insert(users, map[string]any{
			"FirstName": first, "LastName": last, "Username": name, "Email": name, "IsActive": true,
		}, joined, "").id
	}
	o.admin = add("Org", "Admin", "admin@acme.example")
	o.user = add("Privacy", "Integration", integrationUser)
	o.colleague = add("Sales", "Colleague", "sales@acme.example")
}

// mint draws an opaque token.
func (o *Org) mint(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = base62[o.minting.IntN(len(base62))]
	}
	return string(b)
}

// lock enters the org: what was due before now has happened then.
func (o *Org) lock() (now time.Time, unlock func()) {
	o.mu.Lock()
	now = o.options.Now().UTC()
	o.settle(now)
	return now, o.mu.Unlock
}

// lateEffect is a write whose sender has long lost the connection.
type lateEffect struct {
	at  time.Time
	run func(now time.Time)
}

// neighbour is another integration with its next appointment.
type neighbour struct {
	Neighbour
	next time.Time
	done bool
}

// settle brings the org up to the present.
func (o *Org) settle(now time.Time) {
	for o.neighbourCalls(now) {
	}
	var left []lateEffect
	for _, p := range o.pending {
		if p.at.After(now) {
			left = append(left, p)
			continue
		}
		p.run(p.at)
	}
	o.pending = left
}

// neighbourCalls lets the neighbour whose turn is the oldest make its calls.
func (o *Org) neighbourCalls(now time.Time) bool {
	var turn *neighbour
	for i := range o.neighbours {
		n := &o.neighbours[i]
		if !n.done && !n.next.After(now) && (turn == nil || n.next.Before(turn.next)) {
			turn = n
		}
	}
	if turn == nil {
		return false
	}
	o.consume(turn.Calls+int(turn.Share*float64(o.options.Limits.DailyAPI)), turn.next)
	turn.next, turn.done = turn.next.Add(turn.Every), turn.Every <= 0
	return true
}

// Neighbour lets another integration make calls now. Those that the allocation
// no longer allows are refused to it, and counted in the truth.
func (o *Org) Neighbour(calls int) {
	now, unlock := o.lock()
	defer unlock()
	o.consume(calls, now)
}

func (o *Org) consume(calls int, at time.Time) {
	limits := o.options.Limits
	if !limits.Soft {
		room := max(limits.DailyAPI-o.org.used(at), 0)
		o.denials += max(calls-room, 0)
		calls = min(calls, room)
	}
	o.org.add(at, calls)
}
