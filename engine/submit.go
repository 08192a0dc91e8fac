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
	return e.accept(ctx, &acceptance{request: r, from: in, wrapped: wrapped, kek: kek, subject: ref})
}

// acceptance is a sealed submission.
type acceptance struct {
	request weir.Request
	from    Submission
	wrapped []byte // the request's key
	kek     string // what wraps it
	subject weir.SealRef

	repeated bool // a commit of it was sent, and nobody answered
}

// accept commits a submission once, whatever becomes of the answer to the commit.
func (e *Engine) accept(ctx context.Context, a *acceptance) (accepted weir.Request, err error) {
	commit := func() error {
		return e.update(ctx, crash.Submit, func(tx *txn) error {
			err := tx.accept(a)
			if err == nil {
				accepted, err = tx.Request(a.request.ID)
			}
			return err
		})
	}
	if err = commit(); errors.Is(err, store.ErrOldKEK) { // another node rotated
		if err = e.rewrapNew(ctx, a); err == nil {
			err = commit()
		}
	}
	if errors.Is(err, store.ErrInDoubt) {
		a.repeated = true
		err = untilAnswered(ctx, commit, err)
	}
	if err != nil {
		return weir.Request{}, fmt.Errorf("submit %s: %w", a.request.ID, err)
	}
	return accepted, nil
}

func (t *txn) accept(a *acceptance) error {
	r, first := a.request, a.from.Identifiers[0]
	err := t.InsertRequest(r, t.e.vault.Index(first.Kind, first.Value.Reveal()))
	if a.repeated && errors.Is(err, store.ErrExists) {
		return nil // the commit stands
	}
	if err != nil {
		return err
	}
	if err := t.InsertKey(r.ID, r.Org, a.kek, a.wrapped); err != nil {
		return err
	}
	if err := t.PutBlob(store.Blob{Request: r.ID, Kind: subjectBlob.Kind, Ref: a.subject, At: t.Now()}); err != nil {
		return err
	}
	var kinds []string
	for _, id := range a.from.Identifiers {
		if !slices.Contains(kinds, id.Kind) {
			kinds = append(kinds, id.Kind)
		}
	}
	if err := t.SetSetting(kindsKey(r.ID), strings.Join(kinds, ",")); err != nil {
		return err
	}
	return t.received(r, a.from.By)
}

// untilAnswered repeats a transaction that may have been committed until the store
// says so, and gives up after a few seconds with the doubt. Who submits again by
// hand would make a second request of it.
func untilAnswered(ctx context.Context, commit func() error, doubt error) error {
	for wait := 100 * time.Millisecond; wait < 4*time.Second; wait *= 2 {
		select {
		case <-ctx.Done():
			return doubt
		case <-time.After(wait):
		}
		if err := commit(); !errors.Is(err, store.ErrUnavailable) {
			return err
		}
	}
	return doubt
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
func (e *Engine) rewrapNew(ctx context.Context, a *acceptance) error {
	if _, err := e.adoptKEK(ctx, "weir"); err != nil {
		return err
	}
	var err error
	a.wrapped, a.kek, err = e.vault.Rewrap(ctx, a.request.Org, a.request.ID, a.wrapped)
	return err
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
