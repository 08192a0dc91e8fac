package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// KEKState is what a key-encryption key may still do.
type KEKState string

// The states of a key-encryption key. Only the active one wraps, so the number
// of keys that need an older one never grows again.
const (
	KEKActive    KEKState = "ACTIVE"
	KEKDecrypt   KEKState = "DECRYPT_ONLY"
	KEKDestroyed KEKState = "DESTROYED"
)

// KEK is a key-encryption key as the store knows it: by name.
type KEK struct {
	ID          string
	Version     int
	State       KEKState
	CreatedAt   time.Time // when this store first met it
	DestroyedAt time.Time // zero while it exists
	Requests    int       // keys that it wraps
}

// KEKs lists every key-encryption key, the oldest first, and how many request
// keys each wraps.
func (t *Tx) KEKs() ([]KEK, error) {
	return list(t, "list key-encryption keys", func(r row) (k KEK, err error) {
		err = r.Scan(&k.ID, &k.Version, &k.State, instant{&k.CreatedAt}, instant{&k.DestroyedAt}, &k.Requests)
		return k, err
	}, `
		SELECT id, version, state, created_at, destroyed_at,
			(SELECT count(*) FROM request_key WHERE request_key.kek = kek.id AND wrapped IS NOT NULL)
		FROM kek ORDER BY version`)
}

// OldKEKs lists the ids of those that only unwrap.
func (t *Tx) OldKEKs() ([]string, error) {
	return list(t, "list old key-encryption keys", scanValue[string],
		`SELECT id FROM kek WHERE state = 'DECRYPT_ONLY' ORDER BY version`)
}

// ActivateKEK makes a key-encryption key the one that wraps, and every other
// one unwrap only. It returns the key's version, and whether that was news. A
// key that was active before and is no longer is ErrOldKEK: whoever holds it as
// the newest holds an outdated keyring.
func (t *Tx) ActivateKEK(id string) (version int, news bool, err error) {
	if err := t.lockKEKs(); err != nil {
		return 0, false, err
	}
	all, err := list(t, "list key-encryption keys", func(r row) (k KEK, err error) {
		err = r.Scan(&k.ID, &k.Version, &k.State)
		return k, err
	}, `SELECT id, version, state FROM kek ORDER BY version`)
	if err != nil {
		return 0, false, err
	}
	for _, k := range all {
		switch {
		case k.ID == id && k.State == KEKActive:
			return k.Version, false, nil
		case k.ID == id:
			return k.Version, false, fmt.Errorf("%s is %s: %w", id, k.State, ErrOldKEK)
		}
		version = k.Version
	}
	version++
	err = t.put("retire the key-encryption key", `UPDATE kek SET state = 'DECRYPT_ONLY' WHERE state = 'ACTIVE'`)
	if err == nil {
		err = t.put("activate key-encryption key", `
			INSERT INTO kek (id, version, state, created_at, destroyed_at) VALUES ($1, $2, 'ACTIVE', $3, 0)`, id, version, t.now)
	}
	return version, true, err
}

// DestroyKEK notes that a key-encryption key is to be destroyed. It fails with
// ErrKEKInUse while a request key needs it or while it is the one that wraps.
// Doing it twice changes nothing, and is no news.
func (t *Tx) DestroyKEK(id string) (news bool, err error) {
	what := "destroy key-encryption key " + id
	if err := t.lockKEKs(); err != nil {
		return false, err
	}
	state, err := one(t, what, scanValue[KEKState], `SELECT state FROM kek WHERE id = $1`+t.exclusive(), id)
	if err != nil || state == KEKDestroyed {
		return false, err
	}
	needed, err := one(t, what, scanValue[int], `SELECT count(*) FROM request_key WHERE kek = $1 AND wrapped IS NOT NULL`, id)
	if err != nil {
		return false, err
	}
	if state == KEKActive || needed > 0 {
		return false, fmt.Errorf("%s: it is %s and wraps %d request keys: %w", what, state, needed, ErrKEKInUse)
	}
	return true, t.put(what, `UPDATE kek SET state = 'DESTROYED', destroyed_at = $2 WHERE id = $1`, id, t.now)
}

// mayWrap refuses a key-encryption key that is no longer the active one, and
// keeps the active one active until the transaction ends: were it destroyed in
// between, the new request could never be read.
func (t *Tx) mayWrap(id string) error {
	state, known, err := maybe(t, "ask for key-encryption key "+id, scanValue[KEKState],
		`SELECT state FROM kek WHERE id = $1`+t.shared(), id)
	if err == nil && known && state != KEKActive {
		err = fmt.Errorf("wrap with %s, which is %s: %w", id, state, ErrOldKEK)
	}
	return err
}

// lockKEKs lets one transaction at a time change key-encryption keys or swap
// many request keys.
func (t *Tx) lockKEKs() error {
	if t.dialect == SQLite {
		return nil
	}
	return t.put("lock the key-encryption keys",
		`SELECT pg_advisory_xact_lock(hashtextextended('weir keys of ' || current_schema(), 0))`)
}

// shared and exclusive are the clauses that hold a row read by SELECT against
// changes, and against every other reader that holds it as well.
func (t *Tx) shared() string    { return t.onPostgres(" FOR SHARE") }
func (t *Tx) exclusive() string { return t.onPostgres(" FOR UPDATE") }

func (t *Tx) onPostgres(clause string) string {
	if t.dialect == SQLite {
		return ""
	}
	return clause
}

// KeysOf lists request keys that a key-encryption key wraps, in the order of
// their requests, from the one after the given request on.
func (t *Tx) KeysOf(kek string, after weir.RequestID, limit int) ([]KeyRow, error) {
	w := where{args: []any{kek, after}}
	return list(t, "list keys wrapped by "+kek, scanKey, `
		SELECT request, org, kek, wrapped, created_at, shredded_at FROM request_key
		WHERE kek = $1 AND request > $2 AND wrapped IS NOT NULL ORDER BY request`+w.limit(limit), w.args...)
}

// LiveKeys lists the keys of requests that are not shredded, in the order of
// their requests, from the one after the given request on.
func (t *Tx) LiveKeys(after weir.RequestID, limit int) ([]KeyRow, error) {
	w := where{args: []any{after}}
	return list(t, "list keys", scanKey, `
		SELECT request, org, kek, wrapped, created_at, shredded_at FROM request_key
		WHERE request > $1 AND wrapped IS NOT NULL ORDER BY request`+w.limit(limit), w.args...)
}

// Rewrapped is a request's key, wrapped anew.
type Rewrapped struct {
	Request weir.RequestID
	Wrapped []byte
}

// swapAtOnce bounds the parameters of one statement.
const swapAtOnce = 250

// SwapKeys replaces wrapped keys, each only where the row still names the
// key-encryption key that it was read with: one that was shredded or swapped
// in between stays as it is. It returns how many were replaced.
func (t *Tx) SwapKeys(from, to string, keys []Rewrapped) (swapped int, err error) {
	if err := t.lockKEKs(); err != nil {
		return 0, err
	}
	if err := t.mayWrap(to); err != nil {
		return 0, err
	}
	for len(keys) > 0 {
		some := keys[:min(len(keys), swapAtOnce)]
		keys = keys[len(some):]
		n, err := t.swap(from, to, some)
		if err != nil {
			return swapped, err
		}
		swapped += n
	}
	return swapped, nil
}

func (t *Tx) swap(from, to string, keys []Rewrapped) (int, error) {
	binary := "BLOB"
	if t.dialect == Postgres {
		binary = "BYTEA"
	}
	args := []any{from, to}
	rows := make([]string, len(keys))
	for i, k := range keys {
		args = append(args, k.Request, k.Wrapped)
		rows[i] = fmt.Sprintf("(CAST($%d AS TEXT), CAST($%d AS %s))", len(args)-1, len(args), binary)
	}
	return t.exec("swap wrapped keys", `
		WITH fresh (request, wrapped) AS (VALUES `+strings.Join(rows, ", ")+`)
		UPDATE request_key SET kek = $2, wrapped = fresh.wrapped FROM fresh
		WHERE request_key.request = fresh.request AND request_key.kek = $1 AND request_key.wrapped IS NOT NULL`, args...)
}
