package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// finishRequests does the local work of requests, which needs no call: planning
// what only reads, making package and certificate, closing what was kept long
// enough, shredding keys.
func (e *Engine) finishRequests(ctx context.Context) error {
	var found, sealing, ended []weir.Request
	err := e.glance(ctx, func(tx *store.Tx) error {
		var err error
		if found, err = tx.Requests(store.RequestFilter{Stages: []weir.Stage{weir.Discovered}}); err != nil {
			return err
		}
		if sealing, err = tx.Requests(store.RequestFilter{Stages: []weir.Stage{weir.Sealing}}); err != nil {
			return err
		}
		ended, err = tx.RequestsToShred(tx.Now(), tx.Now().Add(-e.policy.Retention))
		return err
	})
	if err != nil {
		return fmt.Errorf("look for requests to finish: %w", err)
	}
	mine, err := e.finishes(ctx, slices.Concat(found, sealing, ended))
	if err != nil {
		return fmt.Errorf("look who finishes requests: %w", err)
	}
	others := func(r weir.Request) bool { return !mine(r) }
	found, sealing, ended = slices.DeleteFunc(found, others), slices.DeleteFunc(sealing, others), slices.DeleteFunc(ended, others)
	var errs []error
	for _, r := range found {
		if err := e.planReads(ctx, r); err != nil && !e.movedOn(ctx, r) {
			errs = append(errs, fmt.Errorf("plan %s: %w", r.ID, err))
		}
	}
	for _, r := range sealing {
		if err := e.seal(ctx, r); err != nil && !e.movedOn(ctx, r) {
			if errors.Is(err, vault.ErrCorrupt) {
				err = errors.Join(err, e.tellDamaged(ctx, r))
			}
			errs = append(errs, fmt.Errorf("seal %s: %w", r.ID, err))
		}
	}
	for _, r := range ended {
		if err := e.shredWhenDue(ctx, r); err != nil && !e.movedOn(ctx, r) {
			errs = append(errs, fmt.Errorf("shred %s: %w", r.ID, err))
		}
	}
	return errors.Join(errs...)
}

// planWithin is how long the findings of one request may take to read: a store
// that has not given them by then no longer answers.
const planWithin = 10 * time.Minute

// planReads makes the plan of a request that only reads, and starts it. However
// many findings there are, they are read from a snapshot, so that nobody who
// writes waits; what is left for the transaction is small. The findings of the
// pass stay as they are until the request moves.
func (e *Engine) planReads(ctx context.Context, r weir.Request) error {
	if r.Right.Mutates() { // what changes something is planned where its discovery ends
		return nil
	}
	var p weir.Plan
	var refused error
	limited, cancel := context.WithTimeout(ctx, planWithin)
	defer cancel()
	err := e.view(limited, func(tx *store.Tx) error {
		p, refused = e.build(tx, &r, weir.PassPlan)
		if refusal(refused) == "" {
			return refused
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.update(ctx, crash.Plan, func(tx *txn) error {
		now, err := tx.hold(r.ID)
		if err != nil {
			return err
		}
		if now.Version != r.Version {
			return fmt.Errorf("%s is %s: %w", r.ID, now.Stage, store.ErrMovedElsewhere)
		}
		if err := tx.keepPlan(&now, p, refused); err != nil {
			return err
		}
		return tx.advance(r.ID)
	})
}

// movedOn says whether another node has taken the request on meanwhile: then it
// was faster, and a failure of ours means nothing.
func (e *Engine) movedOn(ctx context.Context, was weir.Request) bool {
	moved := false
	err := e.glance(ctx, func(tx *store.Tx) error {
		r, err := tx.Request(was.ID)
		moved = r.Version != was.Version
		return err
	})
	return err == nil && moved
}

// seal makes what the request delivers. It may be repeated after a crash: the
// package replaces its earlier self, and the stage moves once.
func (e *Engine) seal(ctx context.Context, r weir.Request) error {
	var pkg *delivered
	if r.Right == weir.Access {
		var err error
		if pkg, err = e.assemble(ctx, r); err != nil {
			return err
		}
	}
	doc, err := e.certify(ctx, r, pkg)
	if err != nil {
		return err
	}
	if r.Right.Mutates() { // nothing is kept for the subject to fetch
		if err := e.vault.MarkShredded(r.Org, r.ID); err != nil {
			return err
		}
	}
	err = e.update(ctx, crash.Seal, func(tx *txn) error {
		r, err := tx.Request(r.ID)
		if err != nil {
			return err
		}
		if r.Stage != weir.Sealing {
			return fmt.Errorf("%s is %s: %w", r.ID, r.Stage, store.ErrMovedElsewhere)
		}
		if err := tx.SetSetting(certificateKey(r.ID), string(doc)); err != nil {
			return err
		}
		detail := map[string]string{"certificate": digest(doc)}
		if pkg != nil {
			if err := tx.PutBlob(store.Blob{Request: r.ID, Kind: packageBlob, Ref: pkg.ref, At: tx.Now()}); err != nil {
				return err
			}
			detail["package"] = pkg.ref.Digest
		}
		err = tx.moveBy(&r, weir.EventSealed, "weir", func(r *weir.Request) { r.Reason = "" }, detail)
		if err != nil {
			return err
		}
		if err := tx.learn(&r); err != nil {
			return err
		}
		if r.Right.Mutates() {
			return tx.close(&r)
		}
		return nil
	})
	if pkg != nil && errors.Is(err, store.ErrMovedElsewhere) && e.store.Dialect() == store.Postgres {
		return errors.Join(err, e.vault.Withdraw(pkg.ref.Name)) // another node's package is the one that counts
	}
	if err != nil || !r.Right.Mutates() {
		return err
	}
	return e.dropSealed(ctx, r.ID)
}

// tellDamaged tells people, once, of a request whose sealed data does not open. Weir
// goes on trying: the right file may be put back.
func (e *Engine) tellDamaged(ctx context.Context, r weir.Request) error {
	if r.Reason != "" {
		return nil
	}
	return e.update(ctx, crash.Seal, func(tx *txn) error {
		now, err := tx.hold(r.ID)
		if err != nil || now.Version != r.Version {
			return err // it has moved on, and whoever moved it knows more
		}
		if err := tx.EditRequest(&now, func(r *weir.Request) { r.Reason = "pages_damaged" }); err != nil {
			return err
		}
		return tx.note(weir.Entry{Act: "request.damaged", Org: r.Org, Request: r.ID})
	})
}

const packageBlob = "package"

// ActShred is the ledger's word for a request whose key was destroyed.
const ActShred = "request.shred"

func certificateKey(id weir.RequestID) string { return "certificate:" + string(id) }

// close shreds the request's key in the transaction that says so.
func (t *txn) close(r *weir.Request) error {
	if err := t.shred(r); err != nil {
		return err
	}
	return t.move(r, weir.EventClose, nil)
}

func (t *txn) shred(r *weir.Request) error {
	if err := t.ShredKey(r.ID); err != nil {
		return err
	}
	if err := t.SetSetting(schemasKey(r.ID), ""); err != nil { // only an open plan needs it
		return err
	}
	return t.note(weir.Entry{Act: ActShred, Org: r.Org, Request: r.ID})
}

// shredWhenDue ends a delivered request after its retention, and destroys the
// key of one that was rejected or cancelled once no call of it is under way.
// The mark comes before the row: it is what a backup cannot take back.
func (e *Engine) shredWhenDue(ctx context.Context, r weir.Request) error {
	executing := 0
	if r.Stage != weir.Delivered {
		err := e.update(ctx, crash.End, func(tx *txn) error {
			var err error
			executing, err = tx.abandon(r.ID, "weir")
			return err
		})
		if err != nil || executing > 0 {
			return err
		}
	}
	if err := e.vault.MarkShredded(r.Org, r.ID); err != nil {
		return err
	}
	err := e.update(ctx, crash.Shred, func(tx *txn) error {
		r, err := tx.Request(r.ID)
		if err != nil {
			return err
		}
		if r.Stage == weir.Delivered {
			return tx.close(&r)
		}
		return tx.shred(&r)
	})
	if err != nil {
		return err
	}
	return e.dropSealed(ctx, r.ID)
}
