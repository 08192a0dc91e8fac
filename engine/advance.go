package engine

import (
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/internal/store"
)

// errNotHeld is a mistake of ours: see txn.
var errNotHeld = errors.New("its org is not held")

// advance moves a request as far as it can go by itself: it releases the next
// rank of steps, adds the next level of a discovery, or takes the next stage.
// It runs inside the transaction that ended a step, so that no finished work
// can be forgotten.
func (t *txn) advance(id weir.RequestID) error {
	for {
		r, err := t.Request(id)
		if err != nil {
			return err
		}
		if t.holds != r.Org {
			return fmt.Errorf("advance %s: %w", id, errNotHeld)
		}
		if r.Stage.Ended() {
			_, err := t.abandon(id, "weir")
			return err
		}
		if _, open, err := t.ReleaseNextRank(id); err != nil || open {
			return err
		}
		moved, err := t.next(&r)
		if err != nil {
			return fmt.Errorf("advance %s from %s: %w", id, r.Stage, err)
		}
		if !moved {
			return nil
		}
	}
}

// next takes one move of a request that has no open step. It says whether
// another look is worthwhile.
func (t *txn) next(r *weir.Request) (bool, error) {
	switch r.Stage {
	case weir.Verified:
		return t.deepen(r, weir.EventDiscover)
	case weir.Discovered:
		if !r.Right.Mutates() {
			return false, nil // any number of records: planned apart, see planReads
		}
		return true, t.plan(r)
	case weir.Planned:
		return t.askOrStart(r)
	case weir.Executing:
		if r.Pass == weir.PassConfirm {
			return t.deepen(r, "")
		}
		return true, t.executed(r)
	case weir.Verifying:
		return t.proved(r)
	case weir.Received, weir.AwaitingApproval, weir.Sealing, weir.Delivered,
		weir.Closed, weir.Paused, weir.Rejected, weir.Cancelled:
		return false, nil
	}
	return false, fmt.Errorf("stage %q is not known", r.Stage)
}

// add inserts steps behind everything the request has done so far: their ranks
// count from the highest rank in use.
func (t *txn) add(r *weir.Request, steps []weir.Step, lowest weir.StepState) error {
	first := 0
	for i, s := range steps {
		if i == 0 || s.Rank < first {
			first = s.Rank
		}
	}
	for i := range steps {
		steps[i].State = weir.StepPlanned
		if steps[i].Rank == first {
			steps[i].State = lowest
		}
	}
	base, err := t.opening(r)
	if err != nil {
		return err
	}
	return t.insert(r, base, steps)
}

// opening prepares the insertion of steps, and returns the rank behind
// everything the request has done so far.
func (t *txn) opening(r *weir.Request) (base int, err error) {
	if err := t.WakeOrg(r.Org, t.Now()); err != nil { // the org comes before the counters: see txn
		return 0, err
	}
	return t.NextRank(r.ID)
}

// insert gives steps what they have of their request, and their ranks from the
// base on.
func (t *txn) insert(r *weir.Request, base int, steps []weir.Step) error {
	for i := range steps {
		s := &steps[i]
		s.ID = weir.StepID("S-" + t.e.randomID(12))
		s.Request, s.Org, s.DueAt = r.ID, r.Org, r.DueAt
		s.Rank += base
	}
	return t.InsertSteps(steps)
}

// move takes a request along one edge and notes it.
func (t *txn) move(r *weir.Request, ev weir.Event, set func(*weir.Request)) error {
	return t.moveBy(r, ev, "weir", set, nil)
}

func (t *txn) moveBy(r *weir.Request, ev weir.Event, by string, set func(*weir.Request), detail map[string]string) error {
	if set == nil {
		set = func(*weir.Request) {}
	}
	if err := t.MoveRequest(r, ev, set); err != nil {
		return err
	}
	d := map[string]string{KeyStage: string(r.Stage)}
	maps.Copy(d, detail)
	return t.note(weir.Entry{By: by, Act: "request." + string(ev), Org: r.Org, Request: r.ID, Detail: d})
}

// plan builds the plan of a request that changes something.
func (t *txn) plan(r *weir.Request) error {
	p, err := t.e.build(t.Tx, r, weir.PassPlan)
	return t.keepPlan(r, p, err)
}

// keepPlan saves what was built from the findings. What forbids a plan is shown
// to a person as the request's reason; nothing was changed.
func (t *txn) keepPlan(r *weir.Request, p weir.Plan, err error) error {
	reason := refusal(err)
	if err != nil && reason == "" {
		return err
	}
	if reason != "" {
		if err := t.move(r, weir.EventPlan, func(r *weir.Request) { r.Reason, r.PlanHash = reason, "" }); err != nil {
			return err
		}
		return t.move(r, weir.EventAsk, nil)
	}
	if err := t.SavePlan(p); err != nil {
		return err
	}
	if r.Right.Mutates() { // nothing else is compared with the describe later
		if err := t.keepSchemas(r); err != nil {
			return err
		}
	}
	if err := t.ExpectCalls(r.ID, p.Calls); err != nil {
		return err
	}
	return t.moveBy(r, weir.EventPlan, "weir", func(r *weir.Request) { r.PlanHash, r.Reason = p.Hash, "" },
		map[string]string{KeyPlan: p.Hash, "records": strconv.Itoa(p.Records()), KeyCalls: strconv.Itoa(p.Calls)})
}

// refusal is the reason code of a plan that the core refused to build.
func refusal(err error) string {
	switch {
	case errors.Is(err, plan.ErrNoMatch):
		return "no_match"
	case errors.Is(err, plan.ErrTooMany):
		return "too_many_records"
	case errors.Is(err, plan.ErrUndecided):
		return "data_map_undecided"
	case errors.Is(err, plan.ErrBlocked):
		return "data_map_blocked"
	}
	return ""
}

func (e *Engine) build(tx *store.Tx, r *weir.Request, pass weir.Pass) (weir.Plan, error) {
	l, err := e.lane(r.Org)
	if err != nil {
		return weir.Plan{}, err
	}
	schemas, _, err := tx.Schemas(r.Org)
	if err != nil {
		return weir.Plan{}, err
	}
	kinds, err := setting(tx, kindsKey(r.ID))
	if err != nil {
		return weir.Plan{}, err
	}
	return plan.Build(plan.Input{
		Request: *r, Map: l.Map, Schemas: schemas, Findings: tx.EachFinding(r.ID, pass), Kinds: splitKinds(kinds), Now: tx.Now(),
		Policy: plan.Policy{TTL: e.policy.PlanTTL, MaxRecords: e.policy.MaxRecords, AllowUndecided: e.policy.AllowUndecided},
	})
}

// askOrStart waits for a person where the right mutates, and goes on at once
// where it only reads.
func (t *txn) askOrStart(r *weir.Request) (bool, error) {
	if r.Right.Mutates() {
		return false, t.move(r, weir.EventAsk, nil)
	}
	if err := t.move(r, weir.EventStart, func(r *weir.Request) { r.Pass = weir.PassExecute }); err != nil {
		return false, err
	}
	if err := t.promise(r); err != nil {
		return false, err
	}
	p, err := t.Plan(r.ID, r.PlanHash)
	if err != nil {
		return false, err
	}
	return true, t.addExports(r, p)
}
