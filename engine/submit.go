package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/deadline"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// Submission is a new request. Identifiers are sealed before anything else is
// stored.
type Submission struct {
	Org         weir.OrgID
	Right       weir.Right
	Law         string
	Risk        weir.Risk
	Ref         string
	ReceivedAt  time.Time // zero = now
	Recipient   string    // age recipient of the package; empty = the org's
	Identifiers []Identifier
	By          string
}

// Errors of a submission.
var (
	ErrUnsupported = errors.New("not supported in this version")
	ErrRecipient   = errors.New("no recipient for the access package")
)

// Submit accepts a request: the subject is sealed, the deadline computed, and
// one transaction writes request, key, ledger entry and wake-up. Without
// identity verification in the policy, discovery starts at once.
func (e *Engine) Submit(ctx context.Context, in Submission) (weir.Request, error) {
	l, err := e.lane(in.Org)
	if err != nil {
		return weir.Request{}, err
	}
	defer vault.Dropped()
	r, err := e.newRequest(l, in)
	if err != nil {
		return weir.Request{}, err
	}
	wrapped, kek, err := e.vault.NewKey(ctx, r.Org, r.ID)
	if err != nil {
		return weir.Request{}, fmt.Errorf("key for %s: %w", r.ID, err)
	}
	key, err := e.vault.Key(ctx, r.Org, r.ID, wrapped)
	if err != nil {
		return weir.Request{}, fmt.Errorf("key for %s: %w", r.ID, err)
	}
	defer key.Close()
	ref, err := sealSubject(ctx, key, in.Identifiers)
	if err != nil {
		return weir.Request{}, fmt.Errorf("seal subject of %s: %w", r.ID, err)
	}
	var kinds []string
	for _, id := range in.Identifiers {
		if !slices.Contains(kinds, id.Kind) {
			kinds = append(kinds, id.Kind)
		}
	}
	accept := func() error {
		return e.update(ctx, crash.Submit, func(tx *txn) error {
			if err := tx.InsertRequest(r, e.vault.Index(in.Identifiers[0].Kind, in.Identifiers[0].Value.Reveal())); err != nil {
				return err
			}
			if err := tx.InsertKey(r.ID, r.Org, kek, wrapped); err != nil {
				return err
			}
			if err := tx.PutBlob(store.Blob{Request: r.ID, Kind: subjectBlob.Kind, Ref: ref, At: tx.Now()}); err != nil {
				return err
			}
			if err := tx.SetSetting(kindsKey(r.ID), strings.Join(kinds, ",")); err != nil {
				return err
			}
			return tx.received(r, in.By)
		})
	}
	if err = accept(); errors.Is(err, store.ErrOldKEK) { // another node rotated
		if wrapped, kek, err = e.rewrapNew(ctx, r, wrapped); err == nil {
			err = accept()
		}
	}
	if err != nil {
		return weir.Request{}, fmt.Errorf("submit: %w", err)
	}
	return e.Request(ctx, r.ID)
}

// received notes a new request and, where the policy says so, starts it.
func (t *txn) received(r weir.Request, by string) error {
	err := t.note(weir.Entry{By: by, Act: "request.submit", Org: r.Org, Request: r.ID, Detail: map[string]string{
		"right": string(r.Right), "law": r.Law, "due": stamp(r.DueAt), "ref": r.Ref, "subject": r.Subject,
	}})
	if err != nil || t.e.policy.IdentityVerification {
		return err
	}
	return t.verify(&r, "weir", "policy: identity verification is off")
}

// rewrapNew wraps the key of a request that is being submitted with the key
// that another node has made the one that wraps.
func (e *Engine) rewrapNew(ctx context.Context, r weir.Request, wrapped []byte) ([]byte, string, error) {
	if _, err := e.adoptKEK(ctx, "weir"); err != nil {
		return nil, "", err
	}
	return e.vault.Rewrap(ctx, r.Org, r.ID, wrapped)
}

func (e *Engine) newRequest(l *lane, in Submission) (weir.Request, error) {
	if in.Right != weir.Access && in.Right != weir.Erasure {
		return weir.Request{}, fmt.Errorf("right %q: %w; access and erasure are", in.Right, ErrUnsupported)
	}
	if len(in.Identifiers) == 0 {
		return weir.Request{}, fmt.Errorf("%w: none was given", ErrIdentifier)
	}
	if len(e.policy.Laws) > 0 && !slices.Contains(e.policy.Laws, in.Law) {
		return weir.Request{}, fmt.Errorf("law %q: %w; the configuration allows %s", in.Law, ErrUnsupported, strings.Join(e.policy.Laws, ", "))
	}
	if err := oneLine("the reference", in.Ref); err != nil {
		return weir.Request{}, err
	}
	now := e.now()
	if in.ReceivedAt.IsZero() {
		in.ReceivedAt = now
	}
	clock, err := deadline.Lookup(in.Law)
	if err != nil {
		return weir.Request{}, err
	}
	dates, err := deadline.Due(clock, deadline.Facts{ReceivedAt: in.ReceivedAt})
	if err != nil {
		return weir.Request{}, fmt.Errorf("deadline under %s: %w", in.Law, err)
	}
	if in.Recipient == "" && len(l.Recipients) > 0 {
		in.Recipient = strings.Join(l.Recipients, ",")
	}
	if in.Right == weir.Access {
		if in.Recipient == "" {
			return weir.Request{}, fmt.Errorf("%w: give --recipient or configure the org's recipients", ErrRecipient)
		}
		for to := range strings.SplitSeq(in.Recipient, ",") {
			if _, err := vault.ParseRecipient(to); err != nil {
				return weir.Request{}, fmt.Errorf("%w: %w", ErrRecipient, err)
			}
		}
	}
	if in.Risk == "" {
		in.Risk = weir.RiskNormal
	}
	first := in.Identifiers[0]
	return weir.Request{
		ID: weir.RequestID("R-" + e.randomID(8)), Org: in.Org, Right: in.Right, Law: clock.Key, Risk: in.Risk,
		Stage: weir.Received, Subject: e.vault.Pseudonym(first.Kind, first.Value.Reveal()), Ref: in.Ref,
		Recipient: in.Recipient, SubmittedBy: in.By,
		ReceivedAt: in.ReceivedAt.UTC().Truncate(time.Millisecond), DueAt: dates.Due.UTC(), CreatedAt: now, Pass: weir.PassPlan,
	}, nil
}

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
		r, err := tx.Request(id)
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

// Replan starts the discovery anew, for a plan that is stale, refused or old.
func (e *Engine) Replan(ctx context.Context, id weir.RequestID, by string) (weir.Request, error) {
	return e.act(ctx, crash.Replan, id, func(tx *txn, r *weir.Request) error {
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
