package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/salesforce"
	"github.com/weirhq/weir/vault"
)

// Options configure an Engine. DataDir, DSN, SigningKey and
// one of KEK and Keys are required.
type Options struct {
	DataDir    string          // 0700, ours alone
	VaultDir   string          // sealed files, journal and deliveries; empty = vault in DataDir. Nodes of one store share it
	DSN        string          // sqlite:///path or postgres://…
	KEK        vault.KEK       // wraps the request keys, when there are no Keys
	Keys       vault.KeySource // keeps the keys that wrap the request keys
	SigningKey pii.Secret      // note signer key of the ledger and of certificates
	Orgs       []Org
	Policy     Policy

	Node   string               // name of this process start; empty draws one
	Now    func() time.Time     // nil = time.Now; a demo scales it
	Steady func() time.Duration // goes on when somebody steps Now; nil = the runtime's, or with a Now of one's own, none
	Random io.Reader            // nil = crypto/rand
	Log    *slog.Logger         // nil = discard
	Tick   time.Duration        // control loop, default 1 s
}

// Org is one Salesforce org: how to reach it, what the data map says about it
// and how hard it may be used.
type Org struct {
	ID          weir.OrgID
	InstanceURL string
	APIVersion  string
	Auth        salesforce.Auth
	Transport   http.RoundTripper // nil = the client's own
	Timeout     time.Duration     // of one call, default 2 min
	Claim       time.Duration     // how long a claim lives on the engine's clock, default a quarter more than Timeout
	Map         *datamap.Map
	Governor    governor.Policy
	Quiet       *QuietHours                     // when the governor's quiet share is in force; nil = never
	Recipients  []string                        // default age recipients of access packages
	Changed     func() (time.Time, error)       // when the credentials last changed on disk; nil = unknown
	Reload      func() (salesforce.Auth, error) // reads them anew; nil = keep
}

// Policy is what the house decided about requests.
type Policy struct {
	SingleOperator       bool          // one person may approve what they submitted; the ledger shows it
	IdentityVerification bool          // a request needs evidence of identity before discovery
	PlanTTL              time.Duration // an approval of an older plan is refused
	MaxRecords           int           // a plan with more records is refused
	Retention            time.Duration // how long a delivered package's key is kept
	AllowUndecided       bool          // plan although the data map has open decisions
	ProofLag             time.Duration // how long the proof waits for the recycle bin's lag
	Laws                 []string      // legal clocks that requests may use; empty = all that are known
}

// DefaultPolicy returns the defaults that `weir config show` prints.
func DefaultPolicy() Policy {
	return Policy{
		IdentityVerification: true,
		PlanTTL:              24 * time.Hour,
		MaxRecords:           500,
		Retention:            30 * 24 * time.Hour,
		ProofLag:             26 * time.Hour,
	}
}

// Engine runs requests. Its methods are safe for concurrent use.
type Engine struct {
	opts   Options
	policy Policy
	node   string
	log    *slog.Logger
	clock  *clock
	store  *store.Store
	vault  *vault.Vault
	spill  *vault.Journal
	signer note.Signer
	verify note.Verifier

	publicKey string // of the signer, as auditors hold it
	orgs      map[weir.OrgID]*lane

	// Owned by Finish, which never runs twice at once.
	sweptAt  time.Time                    // when the vault was last swept
	standing map[weir.RequestID]time.Time // since when this node has seen requests that are to be finished

	scrub atomic.Bool // the store's journal must be emptied; a verb may say so at any time

	// Owned by Tend, which never runs twice at once.
	told       time.Duration // the step of the clock that was noted last and not followed
	arrangedAt time.Time     // when the schedule was last made

	startAt time.Time  // never changes once open
	beating sync.Mutex // one heartbeat at a time
	pulse   pulse

	spillMu sync.Mutex // one replay of the journal at a time
	claims  claims

	rewrapMu sync.Mutex // one pass of rewrapping at a time; guards rewraps
	rewraps  map[string]rewrapping
}

// lane is one org at run time.
type lane struct {
	Org
	client *salesforce.Client
	policy string      // hash of the governor's policy
	parked atomic.Bool // its last turn found nothing to do; see park.go

	mu      sync.Mutex
	changed time.Time // the credentials' age when they were last read
}

// Errors that callers act upon; see exit codes in docs/exit-codes.md.
var (
	ErrUnknownOrg = errors.New("no such org in the configuration")
	ErrStale      = errors.New("the plan is stale")
	ErrFourEyes   = errors.New("a second person must approve")
)

// Open connects store and vault, migrates the store and adopts what an earlier
// process of this machine left behind. It sends nothing.
func Open(ctx context.Context, opts Options) (*Engine, error) {
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Tick <= 0 {
		opts.Tick = time.Second
	}
	e := &Engine{
		opts: opts, policy: opts.Policy, node: opts.Node, log: opts.Log, clock: newClock(opts.Now, opts.Steady),
		orgs: map[weir.OrgID]*lane{}, rewraps: map[string]rewrapping{}, claims: claims{known: map[string]bool{}},
	}
	if e.node == "" {
		e.node = e.nodeName()
	}
	if err := e.openLedgerKey(); err != nil {
		return nil, err
	}
	for _, o := range opts.Orgs {
		if err := e.addLane(o); err != nil {
			return nil, err
		}
	}
	v, err := vault.Open(ctx, vault.Options{Dir: e.vaultDir(), KEK: opts.KEK, Source: opts.Keys, Now: e.now})
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	e.vault = v
	if e.spill, err = v.Journal(); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", err), v.Close())
	}
	if e.store, err = store.Open(ctx, opts.DSN); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), e.spill.Close(), v.Close())
	}
	if err := e.prepare(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// prepare migrates, registers the orgs and adopts orphans.
func (e *Engine) prepare(ctx context.Context) error {
	crash.Before(crash.Migrate)
	if err := e.store.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate store: %w", err)
	}
	crash.After(crash.Migrate)
	if _, err := e.adoptKEK(ctx, "weir"); err != nil {
		return err
	}
	if err := e.shredRestored(ctx); err != nil {
		return err
	}
	e.startAt = e.now()
	err := e.transact(ctx, crash.Start, func(tx *store.Tx) error {
		for id, l := range e.orgs {
			if err := errors.Join(tx.EnsureOrg(id), l.keepPolicy(tx)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("register orgs: %w", err)
	}
	if err := e.replaySpill(ctx); err != nil {
		return err
	}
	return e.adopt(ctx)
}

// Close releases store, journal and vault. Running turns must have ended.
func (e *Engine) Close() error {
	return errors.Join(e.store.Close(), e.spill.Close(), e.vault.Close())
}

func (e *Engine) vaultDir() string {
	return cmp.Or(e.opts.VaultDir, filepath.Join(e.opts.DataDir, "vault"))
}

// Store gives the runner and the metrics their view; nobody else may use it.
func (e *Engine) Store() *store.Store { return e.store }

// Node is the name of this process start.
func (e *Engine) Node() string { return e.node }

func (e *Engine) addLane(o Org) error {
	if o.Map == nil {
		return fmt.Errorf("org %s: no data map", o.ID)
	}
	client, err := salesforce.New(salesforce.Options{
		InstanceURL: o.InstanceURL, APIVersion: o.APIVersion, Auth: o.Auth, Node: tail(e.node),
		Transport: o.Transport, Timeout: o.Timeout, Now: e.now,
	})
	if err != nil {
		return fmt.Errorf("org %s: %w", o.ID, err)
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.Claim <= 0 {
		o.Claim = o.Timeout + o.Timeout/claimMargin
	}
	e.orgs[o.ID] = &lane{Org: o, client: client}
	return nil
}

func (e *Engine) lane(id weir.OrgID) (*lane, error) {
	l, ok := e.orgs[id]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownOrg, id)
	}
	return l, nil
}

// now is the only clock of the engine.
func (e *Engine) now() time.Time { return e.clock.now() }

// Now is the engine's time, which a demo scales.
func (e *Engine) Now() time.Time { return e.now() }

// jitter draws the chance that the governor takes as an argument.
func (e *Engine) jitter() uint32 {
	var b [4]byte
	e.mustRead(b[:])
	return binary.BigEndian.Uint32(b[:])
}

// randomID returns n characters of an alphabet without look-alikes.
func (e *Engine) randomID(n int) string {
	const alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ" // 32 characters: no 0, 1, I, O
	b := make([]byte, n)
	e.mustRead(b)
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b)
}

// mustRead panics when the system has no randomness left: crypto/rand itself
// crashes the program in that case, and no id or jitter may be guessable.
func (e *Engine) mustRead(b []byte) {
	if _, err := io.ReadFull(e.opts.Random, b); err != nil {
		panic("engine: no randomness: " + err.Error())
	}
}
