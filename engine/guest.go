package engine

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/store"
)

// A guest is another program that shares an org's budget with weir through the
// socket: governor/transport asks for it before and after each of its calls.
// Its calls spend the org's share and keep to its floor like weir's own; see
// docs/decisions/0024-guests.md.

// admissionTime is how long a guest's call may be under way before it is taken
// for lost: as long as a call of ours (see Org.Timeout). Until then a program
// that died holds a slot.
const admissionTime = 2 * time.Minute

// maxCost bounds what a guest may say that one call costs: the dearest resource,
// composite/batch, costs 25.
const maxCost = 1000

// farDue stands in a guest's outcome for "no due date"; an outcome with neither
// cost nor due date would be the renewal of a token.
var farDue = time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // constant; Go has no constant times

// Admission is the answer to a guest.
type Admission struct {
	ID       string // names the call in its outcome; empty when it may not go
	Decision weir.Decision
}

// AdmitCall asks whether a guest's call may be sent now. By is the person whose
// program it is.
func (e *Engine) AdmitCall(ctx context.Context, org weir.OrgID, by string, a weir.Ask) (Admission, error) {
	l, err := e.lane(org)
	if err != nil {
		return Admission{}, err
	}
	var out Admission
	err = e.update(ctx, crash.Guest, func(tx *txn) error {
		out = Admission{}
		g, err := tx.lockGovernor(l)
		if err != nil {
			return err
		}
		ask := l.ask(tx.Now())
		ask.Cost, ask.DueAt = min(max(a.Cost, 1), maxCost), a.DueAt
		if ask.InFlight, err = tx.InFlight(org); err != nil {
			return err
		}
		if ask.Long, err = tx.longCalls(l); err != nil {
			return err
		}
		if out.Decision, err = g.admitGuest(ask); err != nil {
			return err
		}
		if out.Decision.Ruling == weir.Proceed {
			out.ID = e.randomID(12)
			err := tx.OpenAdmission(store.Admission{
				ID: out.ID, Org: org, Node: e.node, Holder: by, Cost: ask.Cost, Until: tx.Now().Add(admissionTime),
			})
			if err != nil {
				return err
			}
		}
		return g.save()
	})
	if err != nil {
		return Admission{}, fmt.Errorf("admit a guest's call to org %s: %w", org, err)
	}
	return out, nil
}

// ObserveCall takes the outcome of an admitted call. While its answer is open
// it stays in flight until ReleaseCall. An outcome that comes after the call was
// taken for lost still teaches; its cost has been counted.
func (e *Engine) ObserveCall(ctx context.Context, org weir.OrgID, id string, o weir.Outcome, open bool) (weir.Decision, error) {
	l, err := e.lane(org)
	if err != nil {
		return weir.Decision{}, err
	}
	var dec weir.Decision
	err = e.update(ctx, crash.Guest, func(tx *txn) error {
		g, err := tx.lockGovernor(l)
		if err != nil {
			return err
		}
		a, held, err := tx.Admission(org, id)
		if err != nil {
			return err
		}
		if dec, err = g.observeAdmitted(a, held, o); err != nil {
			return err
		}
		end := tx.CloseAdmission
		if open {
			end = tx.SpendAdmission
		}
		if err := end(org, id); err != nil {
			return err
		}
		return g.save()
	})
	if err != nil {
		return dec, fmt.Errorf("observe a guest's call to org %s: %w", org, err)
	}
	return dec, nil
}

// observeAdmitted asks the governor about a guest's outcome. Clock, dice and
// count of open calls are ours, and so is the cost, unless nothing was sent.
func (g *governed) observeAdmitted(a store.Admission, held bool, o weir.Outcome) (weir.Decision, error) {
	open, err := g.tx.InFlight(g.lane.ID)
	if err != nil {
		return weir.Decision{}, err
	}
	long, err := g.tx.longAtRefusal(g.lane, o.Fault)
	if err != nil {
		return weir.Decision{}, err
	}
	now := g.tx.Now()
	if held && a.Until.After(now) {
		open--
	}
	if o.SentAt.Before(a.At) || o.SentAt.After(now) {
		o.SentAt = a.At
	}
	cost := a.Cost
	if o.Cost <= 0 {
		cost = 0
	}
	return g.observeGuest(weir.Outcome{
		Now: now, SentAt: o.SentAt, Cost: cost, Jitter: g.tx.e.jitter(), Readings: clean(o.Readings), Fault: cleanFault(o.Fault),
		Attempts: max(o.Attempts, 0), DueAt: farDue, InFlight: max(open, 0), Long: long,
	})
}

// ReleaseCall says that the answer of an observed call has been read.
func (e *Engine) ReleaseCall(ctx context.Context, org weir.OrgID, id string) error {
	if _, err := e.lane(org); err != nil {
		return err
	}
	return e.update(ctx, crash.Guest, func(tx *txn) error { return tx.CloseAdmission(org, id) })
}

// endAdmissions takes calls for lost whose program has not reported in time:
// the org may have counted them, so they count.
func (e *Engine) endAdmissions(ctx context.Context) error {
	var ended []store.Admission
	err := e.view(ctx, func(tx *store.Tx) (err error) {
		ended, err = tx.EndedAdmissions()
		return err
	})
	if err != nil {
		return fmt.Errorf("end admissions: %w", err)
	}
	for _, a := range ended {
		l, err := e.lane(a.Org)
		if err != nil {
			continue // an org that is no longer configured
		}
		err = e.update(ctx, crash.Guest, func(tx *txn) error {
			g, err := tx.lockGovernor(l)
			if err != nil {
				return err
			}
			a, held, err := tx.Admission(a.Org, a.ID)
			if err != nil || !held {
				return err // another node was faster
			}
			if a.Cost > 0 {
				lost := &weir.Fault{Category: weir.UnknownOutcome, Scope: weir.ScopeCall, Effect: weir.EffectUnknown}
				if _, err := g.observeAdmitted(a, held, weir.Outcome{SentAt: a.At, Cost: a.Cost, Fault: lost}); err != nil {
					return err
				}
			}
			if err := tx.CloseAdmission(a.Org, a.ID); err != nil {
				return err
			}
			return g.save()
		})
		if err != nil {
			return fmt.Errorf("end admission %s of org %s: %w", a.ID, a.Org, err)
		}
	}
	return nil
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_.\-]{1,80}$`)

// clean keeps of a guest's readings what has the shape of names and numbers:
// they enter the replay log, where no value of a person may be.
func clean(readings []weir.Reading) []weir.Reading {
	var out []weir.Reading
	for _, r := range readings {
		for _, word := range []*string{&r.Name, &r.App, &r.Source} {
			if !plainWord.MatchString(*word) {
				*word = ""
			}
		}
		if len(out) < 20 {
			out = append(out, r)
		}
	}
	return out
}

func cleanFault(f *weir.Fault) *weir.Fault {
	if f == nil {
		return nil
	}
	out := &weir.Fault{
		Category: f.Category, Code: f.Code, Status: f.Status, Scope: f.Scope, Effect: f.Effect, Retryable: f.Retryable, RetryAfter: f.RetryAfter,
	}
	if !slices.Contains(weir.Categories(), f.Category) {
		out.Category = weir.UnknownClient
	}
	if !plainWord.MatchString(f.Code) {
		out.Code = ""
	}
	if !slices.Contains([]weir.Scope{weir.ScopeOrg, weir.ScopeUser, weir.ScopeObject, weir.ScopeRecord, weir.ScopeCall}, f.Scope) {
		out.Scope = weir.ScopeCall
	}
	if !slices.Contains([]weir.Effect{weir.EffectNone, weir.EffectApplied, weir.EffectUnknown}, f.Effect) {
		out.Effect = weir.EffectUnknown
	}
	return out
}
