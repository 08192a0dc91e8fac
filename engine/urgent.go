package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// ErrReason is wrapped when a person must say why, and did not.
var ErrReason = errors.New("a reason is needed")

// Urgent says how a request stands after a person spoke of its urgency.
type Urgent struct {
	Request weir.Request
	Urgency weir.Urgency // zero when it is not urgent
	Changed bool         // false: it stood like that already
}

// MarkUrgent records a person's word that a request goes before all others of
// its org, and below weir's share of the day where it must; never below the floor.
// It fails with ErrReason without a reason, with ErrFourEyes for the person who
// submitted the request, with weir.ErrNoSuchTransition when nothing is left to
// do, and with ErrText and ErrNotFound. A second mark changes nothing.
func (e *Engine) MarkUrgent(ctx context.Context, id weir.RequestID, reason, by string) (Urgent, error) {
	if reason == "" {
		return Urgent{}, fmt.Errorf("%w: why is %s urgent? It stands in the ledger", ErrReason, id)
	}
	return e.rush(ctx, id, reason, func(tx *txn, u *Urgent) error {
		r := &u.Request
		if by == r.SubmittedBy && !e.policy.SingleOperator {
			return fmt.Errorf("%w: %s submitted %s; another person marks it as urgent, or policy.single_operator allows it", ErrFourEyes, by, r.ID)
		}
		if u.Urgency.Request != "" {
			return nil
		}
		mark := weir.Urgency{Request: r.ID, By: by, Reason: reason, At: tx.Now()}
		detail := map[string]string{"reason": reason}
		if by == r.SubmittedBy {
			detail["single_operator"] = "true"
		}
		var err error
		if u.Changed, err = tx.MarkUrgent(mark); err != nil || !u.Changed {
			return err
		}
		u.Urgency = mark
		return tx.note(weir.Entry{By: by, Act: "request.urgent", Org: r.Org, Request: r.ID, Detail: detail})
	})
}

// UnmarkUrgent takes the mark of a request back; whoever may act on requests
// may do so, because it spares the org's calls. The reason may be empty. It
// fails with weir.ErrNoSuchTransition when nothing is left to do, and with ErrText
// and ErrNotFound.
func (e *Engine) UnmarkUrgent(ctx context.Context, id weir.RequestID, reason, by string) (Urgent, error) {
	return e.rush(ctx, id, reason, func(tx *txn, u *Urgent) (err error) {
		r := &u.Request
		if u.Changed, err = tx.UnmarkUrgent(r.ID); err != nil || !u.Changed {
			return err
		}
		detail := map[string]string{}
		if reason != "" {
			detail["reason"] = reason
		}
		u.Urgency = weir.Urgency{}
		return tx.note(weir.Entry{By: by, Act: "request.not_urgent", Org: r.Org, Request: r.ID, Detail: detail})
	})
}

// rush runs a person's act on the urgency of a request that still needs calls.
// The org is woken: what it waits for may not hold the request any more, which
// a row of an older version does not say.
func (e *Engine) rush(ctx context.Context, id weir.RequestID, reason string, fn func(*txn, *Urgent) error) (Urgent, error) {
	if err := oneLine("the reason", reason); err != nil {
		return Urgent{}, err
	}
	var u Urgent
	err := e.update(ctx, crash.Urgent, func(tx *txn) error {
		u = Urgent{}
		r, err := tx.hold(id)
		if err != nil {
			return err
		}
		if err := tx.WakeOrg(r.Org, tx.Now()); err != nil {
			return err
		}
		if r.Stage.Ended() || r.Stage == weir.Delivered {
			return fmt.Errorf("%s is %s and needs no more calls: %w", id, r.Stage, weir.ErrNoSuchTransition)
		}
		if u.Urgency, _, err = tx.Urgency(id); err != nil {
			return err
		}
		u.Request = r
		return fn(tx, &u)
	})
	return u, err
}

// askFor is the question whether one call for the steps may be sent now. The most
// urgent of them comes first, and speaks for those that share its call.
func (t *txn) askFor(g *governed, steps []weir.Step, inFlight int) (weir.Ask, error) {
	l := g.lane
	a := l.ask(t.Now())
	a.DueAt, a.InFlight = steps[0].DueAt, inFlight
	a.Mutates, a.Object = writes(steps[0]), steps[0].Object
	var err error
	if a.Long, err = t.longCalls(l); err != nil {
		return a, err
	}
	if a.Likely, err = t.likelyLong(g, a); err != nil {
		return a, err
	}
	_, a.Urgent, err = t.Urgency(steps[0].Request)
	return a, err
}

// hold lets the org's work wait as the governor decided. Urgent work may go
// where other work must not: only an answer of its own holds it.
func (g *governed) hold(a weir.Ask, dec weir.Decision) {
	g.org.WakeAt, g.org.LetsUrgent = wakeTime(dec.Wait.Until), !a.Urgent
}

// cleared lists the open letters of one release condition that may go now:
// all, or, while there is room for urgent work only, those of urgent requests.
func (t *txn) cleared(l *lane, state governor.State, kind weir.ReleaseKind) ([]weir.Letter, error) {
	f := store.LetterFilter{Org: l.ID, State: weir.LetterOpen, Release: kind, Limit: releaseAtOnce}
	if !governor.Cleared(l.policyAt(t.Now()), state, kind, t.Now()) {
		if !governor.Cleared(l.Governor.Urgent(), state, kind, t.Now()) {
			return nil, nil
		}
		f.Urgent = true
	}
	return t.Letters(f)
}
