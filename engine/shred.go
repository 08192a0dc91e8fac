package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// A shredded request stays shredded, whatever becomes of the store: before the
// row is nulled, the vault marks the request, and it opens no key of a marked
// one. A store that was restored from a backup is brought in line at its start.

// againReason is what a request says that a restored store brought back.
const againReason = "it was shredded before the store was restored"

// shredRestored ends every request whose key came back although the vault has it
// marked. It comes before anything else that a start does.
func (e *Engine) shredRestored(ctx context.Context) error {
	const page = 1000
	for after := weir.RequestID(""); ; {
		var rows []store.KeyRow
		err := e.view(ctx, func(tx *store.Tx) error {
			var err error
			rows, err = tx.LiveKeys(after, page)
			return err
		})
		if err != nil {
			return fmt.Errorf("look for requests that came back: %w", err)
		}
		for _, r := range rows {
			gone, err := e.vault.Shredded(r.Org, r.Request)
			if err == nil && gone {
				err = e.shredMarked(ctx, r.Request)
			}
			if err != nil {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
		after = rows[len(rows)-1].Request
	}
}

// shredMarked leaves a request alone that comes to its end by itself: a weir was
// killed between the mark and the row, or another is between them right now. Its
// next control round says what was done and signs it.
func (e *Engine) shredMarked(ctx context.Context, id weir.RequestID) error {
	ends := false
	err := e.view(ctx, func(tx *store.Tx) error {
		r, err := tx.Request(id)
		if err != nil {
			return err
		}
		due, err := tx.RequestsToShred(tx.Now(), tx.Now().Add(-e.policy.Retention))
		ends = r.Stage == weir.Sealing && r.Right.Mutates() ||
			slices.ContainsFunc(due, func(d weir.Request) bool { return d.ID == id })
		return err
	})
	if err != nil || ends {
		return err
	}
	if err := e.shredAgain(ctx, id); !errors.Is(err, store.ErrMovedElsewhere) {
		return err
	}
	return nil // another node is ending it; the mark keeps it shut meanwhile
}

// shredAgain destroys the key of a request that a backup brought back, and ends
// the request. Where the backup shows a call under way, the control round nulls
// the key once that call is known to be over; the mark keeps it shut until then.
func (e *Engine) shredAgain(ctx context.Context, id weir.RequestID) error {
	executing := 0
	err := e.update(ctx, crash.Shred, func(tx *txn) error {
		r, err := tx.Request(id)
		if err != nil {
			return err
		}
		if executing, err = tx.abandon(id, "weir"); err != nil {
			return err
		}
		if err := tx.endAgain(&r); err != nil || executing > 0 {
			return err
		}
		return tx.shred(&r)
	})
	if err != nil {
		return fmt.Errorf("shred %s again: %w", id, err)
	}
	if executing > 0 {
		return nil
	}
	return e.dropSealed(ctx, id)
}

// endAgain moves a request to its end by the edges that its stage has.
func (t *txn) endAgain(r *weir.Request) error {
	set := func(r *weir.Request) { r.Reason = againReason }
	detail := map[string]string{"reason": againReason}
	for !r.Stage.Ended() {
		ev := weir.EventCancel
		switch r.Stage {
		case weir.Sealing:
			ev = weir.EventSealed
		case weir.Delivered:
			ev = weir.EventClose
		default:
		}
		if err := t.moveBy(r, ev, "weir", set, detail); err != nil {
			return err
		}
	}
	return nil
}

// ShredReport counts what a list of shredded requests met.
type ShredReport struct {
	Again   int // their key was there: it is destroyed now
	Already int // it was not
	Unknown int // the store has no such request
}

// ShredAgain shreds the requests of a list that was kept elsewhere, such as an
// export of the ledger, for a data directory that was restored as a whole and
// so lost its marks. It marks every one of them.
func (e *Engine) ShredAgain(ctx context.Context, keys []RequestName) (ShredReport, error) {
	var out ShredReport
	for _, k := range keys {
		var row store.KeyRow
		err := e.view(ctx, func(tx *store.Tx) error {
			var err error
			row, err = tx.Key(k.Request)
			return err
		})
		if err == nil && row.Org != k.Org {
			err = fmt.Errorf("request %s belongs to another org than the list says: %w", k.Request, store.ErrNotFound)
		}
		if err := e.vault.MarkShredded(k.Org, k.Request); err != nil {
			return out, err
		}
		switch {
		case errors.Is(err, store.ErrShredded):
			out.Already++
		case errors.Is(err, store.ErrNotFound):
			out.Unknown++
		case err != nil:
			return out, err
		default:
			if err := e.shredAgain(ctx, k.Request); err != nil {
				return out, err
			}
			out.Again++
		}
	}
	return out, nil
}

// RequestName names a request of an org.
type RequestName struct {
	Org     weir.OrgID     `json:"org"`
	Request weir.RequestID `json:"request"`
}
