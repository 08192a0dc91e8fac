package store

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

// KeyRow is a request's data key, wrapped by a key-encryption key.
type KeyRow struct {
	Request    weir.RequestID
	Org        weir.OrgID
	KEK        string // names the key-encryption key
	Wrapped    []byte
	CreatedAt  time.Time
	ShreddedAt time.Time // zero while the key exists
}

func scanKey(r row) (k KeyRow, err error) {
	err = r.Scan(&k.Request, &k.Org, &k.KEK, &k.Wrapped, instant{&k.CreatedAt}, instant{&k.ShreddedAt})
	return k, err
}

// InsertKey keeps the wrapped key of a new request. It fails with ErrOldKEK
// when the key-encryption key was rotated away in the meantime.
func (t *Tx) InsertKey(request weir.RequestID, org weir.OrgID, kekID string, wrapped []byte) error {
	if err := t.mayWrap(kekID); err != nil {
		return err
	}
	return t.put("insert key of "+string(request), `
		INSERT INTO request_key (request, org, kek, wrapped, created_at, shredded_at)
		VALUES ($1, $2, $3, $4, $5, 0)`, request, org, kekID, wrapped, t.now)
}

// Key reads a request's key. A shredded one is ErrShredded, with the row that
// says when.
func (t *Tx) Key(request weir.RequestID) (KeyRow, error) {
	k, err := one(t, "read key of "+string(request), scanKey, `
		SELECT request, org, kek, wrapped, created_at, shredded_at FROM request_key WHERE request = $1`, request)
	if err == nil && k.Wrapped == nil {
		return k, fmt.Errorf("read key of %s: %w", request, ErrShredded)
	}
	return k, err
}

// ShredKey destroys a request's key, and with it everything sealed under it.
// Doing it twice changes nothing. The bytes themselves are gone from SQLite
// after the next Checkpoint, and from PostgreSQL after the next vacuum and the
// end of its archives; the key-encryption key is in neither.
func (t *Tx) ShredKey(request weir.RequestID) error {
	return t.must("shred key of "+string(request), `
		UPDATE request_key
		SET wrapped = NULL, shredded_at = CASE WHEN wrapped IS NULL THEN shredded_at ELSE $2 END
		WHERE request = $1`, request, t.now)
}

// RequestsToShred lists the requests whose key still exists although they ended
// before one time, or were delivered before another, longest ago first.
func (t *Tx) RequestsToShred(ended, delivered time.Time) ([]weir.Request, error) {
	return list(t, "list keys to shred", scanRequest, `
		SELECT `+requestColumns+` FROM request
		WHERE (stage IN ('CLOSED', 'REJECTED', 'CANCELLED') AND moved_at < $1 OR stage = 'DELIVERED' AND moved_at < $2) AND EXISTS (
			SELECT 1 FROM request_key WHERE request_key.request = request.id AND request_key.wrapped IS NOT NULL)
		ORDER BY moved_at, id`, ended, delivered)
}
