package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
)

// Key is the opened data key of one request. Close it as soon as the call that
// needed it has ended. Its methods are safe for concurrent use.
type Key struct {
	vault   *Vault
	org     weir.OrgID
	request weir.RequestID

	mu   sync.RWMutex // Close waits for keyed hashes that are under way
	ring *ring        // nil after Close
}

func dekAD(org weir.OrgID, request weir.RequestID) []byte {
	return bind("weir/dek/v1", []byte(org), []byte(request))
}

// NewKey makes the data key of a request and returns it wrapped, with the id
// of the KEK. The engine keeps both in its own table, in its transaction.
func (v *Vault) NewKey(ctx context.Context, org weir.OrgID, request weir.RequestID) (wrapped []byte, kekID string, err error) {
	dek := make([]byte, keySize)
	_, _ = rand.Read(dek) // never fails
	defer clear(dek)
	kek := v.primary()
	if wrapped, err = wrapWith(ctx, kek, dek, dekAD(org, request)); err != nil {
		return nil, "", fmt.Errorf("make the key of request %s: %w", request, err)
	}
	return wrapped, kek.ID(), nil
}

// Key unwraps the data key of a request. It fails for the wrapped key of any
// other org or request, and for a request that was shredded, even when a backup
// brought the wrapped key back.
func (v *Vault) Key(ctx context.Context, org weir.OrgID, request weir.RequestID, wrapped []byte) (*Key, error) {
	gone, err := v.Shredded(org, request)
	if err == nil && gone {
		err = ErrShredded
	}
	if err != nil {
		return nil, fmt.Errorf("open the key of request %s: %w", request, err)
	}
	dek, _, err := v.unwrap(ctx, wrapped, dekAD(org, request))
	if err != nil {
		return nil, fmt.Errorf("open the key of request %s: %w", request, err)
	}
	defer clear(dek)
	r, err := newRing(dek)
	if err != nil {
		return nil, err
	}
	return &Key{vault: v, org: org, request: request, ring: r}, nil
}

// Rewrap wraps a request's data key with the KEK that wraps what is new. No
// blob changes. The engine compares and swaps the row, so that a kill in
// between leaves either the old wrapped key or the new one, and both open.
func (v *Vault) Rewrap(ctx context.Context, org weir.OrgID, request weir.RequestID, wrapped []byte) (rewrapped []byte, kekID string, err error) {
	ad := dekAD(org, request)
	dek, _, err := v.unwrap(ctx, wrapped, ad)
	if err != nil {
		return nil, "", fmt.Errorf("rewrap the key of request %s: %w", request, err)
	}
	defer clear(dek)
	to := v.primary()
	if rewrapped, err = wrapWith(ctx, to, dek, ad); err != nil {
		return nil, "", fmt.Errorf("rewrap the key of request %s: %w", request, err)
	}
	return rewrapped, to.ID(), nil
}

// Close wipes the key. Streams that are open go on to their end.
func (k *Key) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ring != nil {
		k.ring.wipe()
		k.ring = nil
		Dropped()
	}
}

// use runs fn with the primitives, unless the key is closed.
func (k *Key) use(fn func(*ring) error) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.ring == nil {
		return fmt.Errorf("key of request %s: %w", k.request, ErrClosed)
	}
	return fn(k.ring)
}

// SealBytes seals a small value that is kept in the database.
func (k *Key) SealBytes(id BlobID, value pii.Secret) (sealed []byte, err error) {
	err = k.use(func(r *ring) error {
		sealed, err = r.aead.Encrypt(value.Reveal(), k.bind("weir/bytes/v1", id))
		return err
	})
	return sealed, err
}

// OpenBytes opens what SealBytes sealed under the same id.
func (k *Key) OpenBytes(id BlobID, sealed []byte) (value pii.Secret, err error) {
	err = k.use(func(r *ring) error {
		b, err := r.aead.Decrypt(sealed, k.bind("weir/bytes/v1", id))
		if err != nil {
			return fmt.Errorf("open %s of request %s: %w", id.Kind, k.request, ErrCorrupt)
		}
		value = pii.New(b)
		return nil
	})
	return value, err
}

// Digest is a keyed hash of the parts, for digests of values before and after
// a change: without the key nobody can test a guess. Using a closed key is a
// bug of the program, and an empty digest would equal another empty one, so it
// panics.
func (k *Key) Digest(context string, parts ...[]byte) (digest string) {
	err := k.use(func(r *ring) error {
		digest = hex.EncodeToString(r.mac("weir/digest/v1", append([][]byte{[]byte(context)}, parts...)...))
		return nil
	})
	if err != nil {
		panic("vault: digest: " + err.Error())
	}
	return digest
}
