package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// dropSealed deletes the files that nobody can open any more.
func (e *Engine) dropSealed(ctx context.Context, id weir.RequestID) error {
	var blobs []store.Blob
	err := e.update(ctx, crash.Drop, func(tx *txn) error {
		var err error
		blobs, err = tx.DeleteBlobs(id)
		return err
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, b := range blobs {
		if b.Kind != packageBlob { // encrypted to its recipient, who owns it
			errs = append(errs, e.vault.Remove(b.Ref))
		}
	}
	e.scrub.Store(true)
	return errors.Join(errs...)
}

// scrubStore empties the store's journal after something was shredded, so that
// no deleted byte is left there. Readers may hold it up until the next round.
func (e *Engine) scrubStore(ctx context.Context) error {
	if !e.scrub.Swap(false) {
		return nil
	}
	crash.Before(crash.Scrub)
	err := e.store.Checkpoint(ctx)
	crash.After(crash.Scrub)
	if err != nil {
		e.scrub.Store(true)
	}
	if errors.Is(err, store.ErrReaders) {
		return nil
	}
	return err
}

// sweepEvery is how often files that no row names are looked for: a crash
// between the file and its row leaves one.
const sweepEvery = time.Hour

// sweep deletes such files once they are older than sweepEvery.
func (e *Engine) sweep(ctx context.Context) error {
	if now := time.Now(); now.Sub(e.sweptAt) >= sweepEvery {
		var known map[string]bool
		err := e.glance(ctx, func(tx *store.Tx) error {
			var err error
			known, err = tx.BlobNames()
			return err
		})
		if err != nil {
			return err
		}
		crash.Before(crash.Sweep)
		if _, err := e.vault.Sweep(ctx, func(name string) bool { return known[name] }, sweepEvery); err != nil {
			return fmt.Errorf("sweep the vault: %w", err)
		}
		crash.After(crash.Sweep)
		e.sweptAt = now
	}
	return nil
}
