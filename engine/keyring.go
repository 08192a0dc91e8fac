package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// requestKey unwraps the key of a request. It fails once the key is shredded.
func (e *Engine) requestKey(ctx context.Context, org weir.OrgID, id weir.RequestID) (*vault.Key, error) {
	var row store.KeyRow
	err := e.glance(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.Key(id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", id, err)
	}
	return e.unwrap(ctx, org, id, row)
}

func (e *Engine) unwrap(ctx context.Context, org weir.OrgID, id weir.RequestID, row store.KeyRow) (*vault.Key, error) {
	k, err := e.vault.Key(ctx, org, id, row.Wrapped)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", id, err)
	}
	return k, nil
}

// openedRequest is what a call about a person needs: key and subject.
type openedRequest struct {
	key     *vault.Key
	subject subject
}

func (o openedRequest) close() {
	o.subject.close()
	o.key.Close()
}

func (e *Engine) openRequest(ctx context.Context, r weir.Request) (openedRequest, error) {
	var row store.KeyRow
	var blobs []store.Blob
	err := e.glance(ctx, func(tx *store.Tx) (err error) {
		if row, err = tx.Key(r.ID); err != nil {
			return fmt.Errorf("key of %s: %w", r.ID, err)
		}
		blobs, err = tx.Blobs(r.ID, subjectBlob.Kind)
		return err
	})
	if err == nil && len(blobs) != 1 {
		err = fmt.Errorf("request %s has %d sealed subjects, want 1", r.ID, len(blobs))
	}
	if err != nil {
		return openedRequest{}, err
	}
	key, err := e.unwrap(ctx, r.Org, r.ID, row)
	if err != nil {
		return openedRequest{}, err
	}
	sub, err := openSubject(ctx, key, blobs[0].Ref)
	if err != nil {
		key.Close()
		return openedRequest{}, err
	}
	return openedRequest{key: key, subject: sub}, nil
}

func (e *Engine) view(ctx context.Context, fn func(*store.Tx) error) error {
	return e.store.View(ctx, e.now(), fn)
}

// glance is a view of a few rows: a store that does not answer within that time
// counts as gone, because a lost network gives no other sign.
func (e *Engine) glance(ctx context.Context, fn func(*store.Tx) error) error {
	const answer = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return e.view(ctx, fn)
}
