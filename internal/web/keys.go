package web

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/store"
)

// KeysAnswer lists the key-encryption keys and says where a rotation stands.
type KeysAnswer struct {
	Schema     string   `json:"schema"`
	Keys       []KEKDoc `json:"keys"`       // oldest first
	Remaining  int      `json:"remaining"`  // request keys that an older key still wraps
	Unreadable int      `json:"unreadable"` // of these, not to be opened
	Done       bool     `json:"done"`       // nothing is left to rewrap here
	PublicKey  string   `json:"public_key"` // of the ledger
}

// KEKDoc is one key-encryption key, by name.
type KEKDoc struct {
	ID          string         `json:"id"`
	Version     int            `json:"version"`
	State       store.KEKState `json:"state"`
	Requests    int            `json:"requests"` // keys that it wraps
	Held        bool           `json:"held"`     // it is in the keyring of this node
	MayDestroy  bool           `json:"may_destroy"`
	CreatedAt   time.Time      `json:"created_at"`
	DestroyedAt time.Time      `json:"destroyed_at,omitzero"`
}

func keysAnswer(e *engine.Engine, r engine.KeysReport, err error) (KeysAnswer, error) {
	out := KeysAnswer{Schema: "weir.keys/v1", Keys: []KEKDoc{}, Remaining: r.Remaining, Unreadable: r.Unreadable, Done: r.Done, PublicKey: e.PublicKey()}
	for _, k := range r.KEKs {
		out.Keys = append(out.Keys, KEKDoc{
			ID: k.ID, Version: k.Version, State: k.State, Requests: k.Requests, Held: k.Held, MayDestroy: k.MayDestroy(),
			CreatedAt: k.CreatedAt, DestroyedAt: k.DestroyedAt,
		})
	}
	return out, err
}

func keys(ctx context.Context, e *engine.Engine, _ string, _ None) (KeysAnswer, error) {
	r, err := e.Keys(ctx)
	return keysAnswer(e, r, err)
}

func rotateKeys(ctx context.Context, e *engine.Engine, by string, _ None) (KeysAnswer, error) {
	r, err := e.RotateKeys(ctx, by)
	return keysAnswer(e, r, err)
}

// rewrapAtATime is how long one call may rewrap: short enough that the caller
// can tell how far it is.
const rewrapAtATime = time.Second

func rewrapKeys(ctx context.Context, e *engine.Engine, _ string, _ None) (KeysAnswer, error) {
	r, err := e.RewrapKeys(ctx, rewrapAtATime)
	return keysAnswer(e, r, err)
}

// KEKInput names a key-encryption key.
type KEKInput struct {
	ID string `json:"id"`
}

func destroyKEK(ctx context.Context, e *engine.Engine, by string, in KEKInput) (KeysAnswer, error) {
	if in.ID == "" {
		return KeysAnswer{}, fmt.Errorf("%w: which key?", ErrInput)
	}
	r, err := e.DestroyKEK(ctx, in.ID, by)
	return keysAnswer(e, r, err)
}

// ReshredInput lists requests that were shredded, as a ledger that was kept
// elsewhere says.
type ReshredInput struct {
	Requests []engine.RequestName `json:"requests"`
}

// ReshredAnswer counts what became of them.
type ReshredAnswer struct {
	Schema  string `json:"schema"`
	Again   int    `json:"shredded_again"`
	Already int    `json:"already_shredded"`
	Unknown int    `json:"unknown"`
}

func reshred(ctx context.Context, e *engine.Engine, _ string, in ReshredInput) (ReshredAnswer, error) {
	r, err := e.ShredAgain(ctx, in.Requests)
	return ReshredAnswer{Schema: "weir.reshred/v1", Again: r.Again, Already: r.Already, Unknown: r.Unknown}, err
}
