package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// The keyring says which key-encryption key wraps; the store follows it. So a
// rotation is a line more in the keyring, and everything after that can be done
// again by anybody: naming the new key in the store, rewrapping the vault's own
// keys, and swapping the request keys row by row. No blob is touched.

const (
	rewrapAtOnce = 2000                   // request keys in one transaction
	rewrapShare  = 400 * time.Millisecond // of a control round
)

// KEK is a key-encryption key and what still needs it.
type KEK struct {
	store.KEK
	Held bool // it is in the keyring of this node
}

// MayDestroy says that nothing needs the key.
func (k KEK) MayDestroy() bool {
	return k.Requests == 0 && (k.State == store.KEKDecrypt || k.State == store.KEKDestroyed && k.Held)
}

// KeysReport says where a rotation stands.
type KeysReport struct {
	KEKs       []KEK // oldest first
	Remaining  int   // request keys that an older key still wraps
	Unreadable int   // of these, met by this process and not to be opened
	Done       bool  // this process has nothing left to rewrap
}

// rewrapping is a pass over the rows that need an old key.
type rewrapping struct {
	after      weir.RequestID // the last row that was read
	unreadable int
}

// Keys lists the key-encryption keys.
func (e *Engine) Keys(ctx context.Context) (KeysReport, error) {
	if _, err := e.adoptKEK(ctx, "weir"); err != nil {
		return KeysReport{}, err
	}
	var out KeysReport
	held := e.vault.KEKs()
	err := e.view(ctx, func(tx *store.Tx) error {
		all, err := tx.KEKs()
		out = KeysReport{Done: true}
		for _, k := range all {
			out.KEKs = append(out.KEKs, KEK{KEK: k, Held: slices.Contains(held, k.ID)})
			if k.State != store.KEKActive {
				out.Remaining += k.Requests
			}
		}
		return err
	})
	if err != nil {
		return out, fmt.Errorf("list keys: %w", err)
	}
	e.rewrapMu.Lock()
	defer e.rewrapMu.Unlock()
	for _, pass := range e.rewraps {
		out.Unreadable += pass.unreadable
	}
	return out, nil
}

// adoptKEK brings store and vault to the key that is the keyring's newest, and
// says whether that was news.
func (e *Engine) adoptKEK(ctx context.Context, by string) (news bool, err error) {
	ids, err := e.vault.Refresh(ctx)
	if err != nil {
		return false, err
	}
	err = e.update(ctx, crash.NewKEK, func(tx *txn) error {
		version, fresh, err := tx.ActivateKEK(ids[0])
		news = fresh && version > 1
		if err != nil || !news {
			return err
		}
		return tx.note(weir.Entry{By: by, Act: "keys.rotate", Detail: map[string]string{KeyKEK: ids[0], KeyVersion: strconv.Itoa(version)}})
	})
	if errors.Is(err, store.ErrOldKEK) {
		err = fmt.Errorf("%w: the keyring of this node has %s as its last and newest key: %w", vault.ErrWrongKey, ids[0], err)
	}
	if err != nil {
		return false, fmt.Errorf("adopt the newest key: %w", err)
	}
	return news, nil
}

// RotateKeys makes a new key-encryption key, unless an earlier rotation has not
// ended: then it lets that one go on. Rewrapping is for RewrapKeys and for the
// control round of every node.
func (e *Engine) RotateKeys(ctx context.Context, by string) (KeysReport, error) {
	began, err := e.adoptKEK(ctx, by)
	if err != nil {
		return KeysReport{}, err
	}
	e.rewrapMu.Lock()
	clear(e.rewraps) // what could not be read may be readable now
	e.rewrapMu.Unlock()
	report, err := e.Keys(ctx)
	if err != nil || began || report.Remaining > 0 {
		return report, err
	}
	_, err = e.vault.AddKEK(ctx, e.vault.KEKs()[0])
	if err != nil && !errors.Is(err, vault.ErrRotated) { // by another node, a moment ago
		return KeysReport{}, fmt.Errorf("rotate: %w", err)
	}
	if _, err := e.adoptKEK(ctx, by); err != nil {
		return KeysReport{}, err
	}
	return e.Keys(ctx)
}

// RewrapKeys swaps request keys for some time, and says how far it came.
func (e *Engine) RewrapKeys(ctx context.Context, within time.Duration) (KeysReport, error) {
	done, err := e.rewrap(ctx, within)
	if err != nil {
		return KeysReport{}, err
	}
	report, err := e.Keys(ctx)
	report.Done = done
	return report, err
}

// rewrapSome is the control round's share of a rotation that has not ended.
func (e *Engine) rewrapSome(ctx context.Context) error {
	_, err := e.rewrap(ctx, rewrapShare)
	return err
}

// rewrap goes on with every old key of the keyring. Rows under a key that this
// node does not hold are left to one that does.
func (e *Engine) rewrap(ctx context.Context, within time.Duration) (done bool, err error) {
	e.rewrapMu.Lock()
	defer e.rewrapMu.Unlock()
	var old []string
	err = e.view(ctx, func(tx *store.Tx) error {
		old, err = tx.OldKEKs()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look for keys to rewrap: %w", err)
	}
	held := e.vault.KEKs()
	for end := time.Now().Add(within); len(old) > 0; {
		if !slices.Contains(held, old[0]) {
			old = old[1:]
			continue
		}
		more, err := e.rewrapBatch(ctx, old[0], held[0])
		if errors.Is(err, store.ErrOldKEK) { // another node rotated; the next round goes on
			_, err = e.adoptKEK(ctx, "weir")
			return false, err
		}
		if err != nil {
			return false, fmt.Errorf("rewrap: %w", err)
		}
		if !more {
			old = old[1:]
		}
		if time.Now().After(end) {
			return false, nil
		}
	}
	return true, nil
}

// rewrapBatch reads some rows, rewraps them outside of any transaction, and
// swaps those that are still what was read. A row that does not open is counted
// and left alone: a backup may still hold what it should be.
func (e *Engine) rewrapBatch(ctx context.Context, from, to string) (more bool, err error) {
	pass := e.rewraps[from]
	var rows []store.KeyRow
	err = e.view(ctx, func(tx *store.Tx) error {
		rows, err = tx.KeysOf(from, pass.after, rewrapAtOnce)
		return err
	})
	if err != nil {
		return false, err
	}
	if len(rows) == 0 {
		if pass.unreadable == 0 {
			delete(e.rewraps, from)
		}
		return false, nil
	}
	fresh := make([]store.Rewrapped, 0, len(rows))
	for _, r := range rows {
		wrapped, with, err := e.vault.Rewrap(ctx, r.Org, r.Request, r.Wrapped)
		switch {
		case errors.Is(err, vault.ErrCorrupt):
			pass.unreadable++
		case err != nil:
			return false, err
		case with != to:
			return false, fmt.Errorf("%w: %s wraps by now", store.ErrOldKEK, with)
		default:
			fresh = append(fresh, store.Rewrapped{Request: r.Request, Wrapped: wrapped})
		}
	}
	err = e.update(ctx, crash.Rewrap, func(tx *txn) error {
		n, err := tx.SwapKeys(from, to, fresh)
		if err != nil || n == 0 {
			return err
		}
		return tx.note(weir.Entry{Act: "keys.rewrap", Detail: map[string]string{KeyKEK: to, KeyCount: strconv.Itoa(n)}})
	})
	if err == nil {
		pass.after = rows[len(rows)-1].Request
		e.rewraps[from] = pass
	}
	return err == nil, err
}

// DestroyKEK destroys a key-encryption key that no request key and no key of
// the vault needs. The store says so first; after a kill in between, the same
// call takes it out of the keyring.
func (e *Engine) DestroyKEK(ctx context.Context, id, by string) (KeysReport, error) {
	if _, err := e.adoptKEK(ctx, by); err != nil {
		return KeysReport{}, err
	}
	err := e.update(ctx, crash.DropKEK, func(tx *txn) error {
		news, err := tx.DestroyKEK(id)
		if err != nil || !news {
			return err
		}
		return tx.note(weir.Entry{By: by, Act: "keys.destroy", Detail: map[string]string{KeyKEK: id}})
	})
	if err != nil {
		return KeysReport{}, err
	}
	if slices.Contains(e.vault.KEKs(), id) {
		if err := e.vault.DropKEK(ctx, id); err != nil {
			return KeysReport{}, err
		}
	}
	return e.Keys(ctx)
}
