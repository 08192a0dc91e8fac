package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"sort"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// txn is one store transaction of the engine: what it notes goes to the ledger
// with the transaction, and to the log once that is committed.
//
// PostgreSQL locks rows until the transaction ends, so every transaction takes
// them in one order: the org first, by LockOrg or WakeOrg, then requests, steps
// and letters, then the counter of accepted steps. Two that disagreed would
// stop each other for a second, until the server ends one of them. Whoever moves a
// request on holds its org: two that end its last steps at once would each see the
// other's as open, and neither would release what comes next.
type txn struct {
	*store.Tx
	e       *Engine
	holds   weir.OrgID   // the org that is held until the end
	notes   []weir.Entry // for the log, once all is committed
	pending []weir.Entry // for the ledger, before the commit
}

// LockOrg reads the org's state and holds the org.
func (t *txn) LockOrg(id weir.OrgID) (store.OrgState, error) {
	o, err := t.Tx.LockOrg(id)
	if err == nil {
		t.holds = id
	}
	return o, err
}

// WakeOrg makes the org due at that time, or keeps an earlier one, and holds it.
func (t *txn) WakeOrg(id weir.OrgID, at time.Time) error {
	err := t.Tx.WakeOrg(id, at)
	if err == nil {
		t.holds = id
	}
	return err
}

// hold holds a request's org, and reads the request as it is from then on.
func (t *txn) hold(id weir.RequestID) (weir.Request, error) {
	r, err := t.Request(id)
	if err != nil || t.holds == r.Org {
		return r, err
	}
	if _, err := t.LockOrg(r.Org); err != nil {
		return r, err
	}
	return t.Request(id)
}

// update runs fn in one write transaction of the named kind, with one time. fn
// may run again after a conflict between transactions, so it must not act
// outside the transaction.
func (e *Engine) update(ctx context.Context, w crash.Write, fn func(*txn) error) error {
	var notes []weir.Entry
	err := e.transact(ctx, w, func(tx *store.Tx) error {
		t := &txn{Tx: tx, e: e}
		if err := fn(t); err != nil {
			return err
		}
		notes = t.notes
		return t.Append(t.pending...)
	})
	if err != nil {
		return err
	}
	for _, n := range notes {
		e.logEntry(ctx, n)
	}
	return nil
}

// transact is the only door to the store's write transactions, so that each kind
// of them is among the moments at which the crash proof kills weir.
func (e *Engine) transact(ctx context.Context, w crash.Write, fn func(*store.Tx) error) error {
	err := e.store.Update(ctx, e.now(), func(tx *store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		crash.Before(w) // the commit follows
		return nil
	})
	if err == nil {
		crash.After(w)
	}
	return err
}

// pendingEntries is how many entries wait at most to be inserted together.
const pendingEntries = 64

// note appends entries to the ledger inside the transaction, many at a time.
func (t *txn) note(entries ...weir.Entry) error {
	for i := range entries {
		n := &entries[i]
		n.At = t.Now()
		if n.By == "" {
			n.By = "weir"
		}
	}
	t.notes = append(t.notes, entries...)
	t.pending = append(t.pending, entries...)
	if len(t.pending) < pendingEntries {
		return nil
	}
	all := t.pending
	t.pending = nil
	return t.Append(all...)
}

// noteGate remembers a closed gate for the log only: the decision itself is in
// the replay log, and a gate that is met again and again is no news.
func (t *txn) noteGate(org weir.OrgID, dec weir.Decision) {
	t.notes = append(t.notes, weir.Entry{
		At: t.Now(), By: "weir", Act: "org.gate", Org: org,
		Detail: map[string]string{KeyCategory: string(dec.Wait.Cause.Operator()), KeyWaitUntil: stamp(dec.Wait.Until)},
	})
}

// noteObject tells the log of steps that wait because whatever is asked of their
// object fails.
func (t *txn) noteObject(org weir.OrgID, dec weir.Decision, steps int) {
	t.notes = append(t.notes, weir.Entry{
		At: t.Now(), By: "weir", Act: "org.object", Org: org,
		Detail: map[string]string{
			KeyObject: dec.Object, KeyCategory: string(dec.Wait.Cause.Operator()), KeyWaitUntil: stamp(dec.Wait.Until),
			"steps": strconv.Itoa(steps),
		},
	})
}

// noteClamped tells the log of a limit that the org stated and that cannot be
// true; the decision's input in the replay log holds the number that it was cut
// to.
func (t *txn) noteClamped(s *settlement) {
	for _, r := range s.Readings {
		if r.Clamped {
			t.notes = append(t.notes, weir.Entry{
				At: t.Now(), By: "weir", Act: "reading.clamped", Org: s.Org, Detail: map[string]string{KeyReading: r.Source},
			})
		}
	}
}

// The keys of structured logs and of ledger details. Values are ids, classes
// and numbers; never personal data and never the org's text.
const (
	KeyOrg         = "org"
	KeyRequest     = "request"
	KeyStep        = "step"
	KeyCategory    = "category" // the operators' word
	KeyClass       = "class"    // the exact category
	KeyScope       = "scope"
	KeyCode        = "code"
	KeyAttempt     = "attempt"
	KeyWaitUntil   = "wait_until"
	KeySealRef     = "seal_ref"
	KeyDLQDecision = "dlq_decision"
	KeyObject      = "object"
	KeyRecord      = "record"
	KeyPlan        = "plan"
	KeyStage       = "stage"
	KeyLetter      = "letter"
	KeyCalls       = "calls"
	KeyOutcome     = "outcome"
	KeyBy          = "by"
	KeyKEK         = "kek"
	KeyVersion     = "version"
	KeyCount       = "count"
	KeyReading     = "reading"  // the header that stated an absurd limit
	KeyByMillis    = "by_ms"    // what the wall clock was stepped by
	KeyFollowed    = "followed" // whether weir's clock and its waits were moved along
)

// logEntry writes one transition to the log: the act as message, ids and
// classes as attributes, in a fixed order.
func (e *Engine) logEntry(ctx context.Context, n weir.Entry) {
	if !e.log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := make([]slog.Attr, 0, len(n.Detail)+4)
	add := func(k, v string) {
		if v != "" {
			attrs = append(attrs, slog.String(k, v))
		}
	}
	add(KeyOrg, string(n.Org))
	add(KeyRequest, string(n.Request))
	add(KeyStep, string(n.Step))
	if n.By != "weir" {
		add(KeyBy, n.By)
	}
	keys := make([]string, 0, len(n.Detail))
	for k := range n.Detail {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		add(k, n.Detail[k])
	}
	e.log.LogAttrs(ctx, slog.LevelInfo, n.Act, attrs...) //nolint:sloglint // acts are constants of the ledger, one vocabulary for both
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
