package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// Verify records by reference that the subject's identity was proven, and
// starts the discovery.
func (e *Engine) Verify(ctx context.Context, id weir.RequestID, evidence, by string) (weir.Request, error) {
	if err := oneLine("the evidence", evidence); err != nil {
		return weir.Request{}, err
	}
	return e.act(ctx, crash.Verify, id, func(tx *txn, r *weir.Request) error { return tx.verify(r, by, evidence) })
}

func (t *txn) verify(r *weir.Request, by, evidence string) error {
	err := t.moveBy(r, weir.EventVerify, by, func(r *weir.Request) {
		r.Evidence, r.Pass = evidence, weir.PassPlan
	}, map[string]string{"evidence": evidence})
	if err != nil {
		return err
	}
	return t.startPass(r, weir.PassPlan)
}

// act runs one person's transition of a request.
func (e *Engine) act(ctx context.Context, w crash.Write, id weir.RequestID, fn func(*txn, *weir.Request) error) (weir.Request, error) {
	var out weir.Request
	err := e.update(ctx, w, func(tx *txn) error {
		r, err := tx.hold(id)
		if err != nil {
			return err
		}
		if err := fn(tx, &r); err != nil {
			return err
		}
		out = r
		return nil
	})
	return out, err
}

// Replan starts the discovery anew, for a plan that is stale, refused or old, and
// for an access of which the sealed pages no longer open.
func (e *Engine) Replan(ctx context.Context, id weir.RequestID, by string) (weir.Request, error) {
	return e.act(ctx, crash.Replan, id, func(tx *txn, r *weir.Request) error {
		if r.Stage == weir.Sealing && r.Right.Mutates() {
			return fmt.Errorf("%s has carried its plan out: %w", id, weir.ErrNoSuchTransition)
		}
		if err := tx.DropBlobs(id, pageBlob); err != nil {
			return err
		}
		err := tx.moveBy(r, weir.EventReplan, by, func(r *weir.Request) {
			r.Pass, r.PlanHash, r.Reason = weir.PassPlan, "", ""
		}, nil)
		if err != nil {
			return err
		}
		if _, err := tx.abandon(id, by); err != nil {
			return err
		}
		return tx.startPass(r, weir.PassPlan)
	})
}

// Approve records one person's consent to exactly this plan and starts the
// execution. It fails with ErrStale when the hash is not the current plan's or
// the plan has expired, and with ErrFourEyes for the person who submitted.
func (e *Engine) Approve(ctx context.Context, id weir.RequestID, hash, note, by string) (weir.Request, error) {
	if err := oneLine("the note", note); err != nil {
		return weir.Request{}, err
	}
	return e.act(ctx, crash.Approve, id, func(tx *txn, r *weir.Request) error {
		if err := e.mayApprove(tx, r, hash, by); err != nil {
			return err
		}
		p, err := tx.Plan(id, hash)
		if err != nil {
			return err
		}
		if err := tx.InsertApproval(weir.Approval{Request: id, PlanHash: hash, By: by, Note: note, At: tx.Now(), Expires: p.ExpiresAt}); err != nil {
			return err
		}
		detail := map[string]string{KeyPlan: hash}
		if by == r.SubmittedBy {
			detail["single_operator"] = "true"
		}
		err = tx.moveBy(r, weir.EventStart, by, func(r *weir.Request) { r.Pass, r.Reason = weir.PassConfirm, "" }, detail)
		if err != nil {
			return err
		}
		if err := tx.promise(r); err != nil {
			return err
		}
		return tx.startPass(r, weir.PassConfirm)
	})
}

func (e *Engine) mayApprove(tx *txn, r *weir.Request, hash, by string) error {
	if r.Stage != weir.AwaitingApproval {
		return fmt.Errorf("%s is %s, not %s: %w", r.ID, r.Stage, weir.AwaitingApproval, weir.ErrNoSuchTransition)
	}
	if r.Reason != "" || r.PlanHash == "" {
		return fmt.Errorf("%w: %s has no plan to approve (%s); nothing was sent; run `weir plan %s --again`", ErrStale, r.ID, r.Reason, r.ID)
	}
	if !strings.HasPrefix(r.PlanHash, hash) || len(hash) < 8 {
		return fmt.Errorf("%w: the plan of %s is now %.12s; nothing was sent; read it again with `weir plan %s`", ErrStale, r.ID, r.PlanHash, r.ID)
	}
	p, err := tx.Plan(r.ID, r.PlanHash)
	if err != nil {
		return err
	}
	if tx.Now().After(p.ExpiresAt) {
		return fmt.Errorf("%w: the plan of %s expired at %s; nothing was sent; run `weir plan %s --again`", ErrStale, r.ID, stamp(p.ExpiresAt), r.ID)
	}
	if by == r.SubmittedBy && !e.policy.SingleOperator {
		return fmt.Errorf("%w: %s submitted %s; another person approves, or policy.single_operator allows it", ErrFourEyes, by, r.ID)
	}
	return nil
}

// Reject ends a request that a person does not approve.
func (e *Engine) Reject(ctx context.Context, id weir.RequestID, reason, by string) (weir.Request, error) {
	return e.end(ctx, id, weir.EventReject, reason, by)
}

// Cancel ends a request. A call that is under way is recorded first.
func (e *Engine) Cancel(ctx context.Context, id weir.RequestID, reason, by string) (weir.Request, error) {
	return e.end(ctx, id, weir.EventCancel, reason, by)
}

// end stops the work; the key is shredded by the control round once no call of
// the request is under way.
func (e *Engine) end(ctx context.Context, id weir.RequestID, ev weir.Event, reason, by string) (weir.Request, error) {
	if err := oneLine("the reason", reason); err != nil {
		return weir.Request{}, err
	}
	return e.act(ctx, crash.End, id, func(tx *txn, r *weir.Request) error {
		if err := tx.moveBy(r, ev, by, func(r *weir.Request) { r.Reason = reason }, map[string]string{"reason": reason}); err != nil {
			return err
		}
		_, err := tx.abandon(id, by)
		return err
	})
}

// Request reads one request.
func (e *Engine) Request(ctx context.Context, id weir.RequestID) (weir.Request, error) {
	var r weir.Request
	err := e.view(ctx, func(tx *store.Tx) error {
		var err error
		r, err = tx.Request(id)
		return err
	})
	return r, err
}
