package engine

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/plan"
)

// confirm compares the world with the approved plan right before the first
// write. Any difference stops the execution with nothing sent; where the pass asked
// ahead, a pass by level comes first.
func (t *txn) confirm(r *weir.Request, askedAhead bool) error {
	approved, err := t.Plan(r.ID, r.PlanHash)
	if err != nil {
		return err
	}
	now, err := t.e.build(t.Tx, r, weir.PassConfirm)
	if err != nil && refusal(err) == "" {
		return err
	}
	if err == nil && now.Hash == approved.Hash {
		if err := t.EditRequest(r, func(r *weir.Request) { r.Pass = weir.PassExecute }); err != nil {
			return err
		}
		return t.addExecution(r, approved)
	}
	if askedAhead {
		return t.startAt(r, weir.PassConfirm, 0) // a difference is named after a whole pass only
	}
	diffs, err := t.drift(r, approved, now)
	if err != nil {
		return err
	}
	doc, err := json.Marshal(diffs)
	if err != nil {
		return fmt.Errorf("encode the plan's differences: %w", err)
	}
	if err := t.SetSetting(driftKey(r.ID), string(doc)); err != nil {
		return err
	}
	return t.moveBy(r, weir.EventDrift, "weir", func(r *weir.Request) { r.Reason = reasonStale },
		map[string]string{KeyPlan: approved.Hash, "differences": strconv.Itoa(len(diffs)), KeyOutcome: "nothing sent"})
}

// drift names what changed: records and rules from the two plans, attributes of
// the describe from the schemas kept with the approved one.
func (t *txn) drift(r *weir.Request, approved, now weir.Plan) ([]plan.Difference, error) {
	diffs := plan.Compare(approved, now)
	if approved.DescribeHash == now.DescribeHash {
		return diffs, nil
	}
	kept, err := setting(t.Tx, schemasKey(r.ID))
	if err != nil || kept == "" {
		return diffs, err
	}
	var before map[string]weir.ObjectSchema
	if err := json.Unmarshal([]byte(kept), &before); err != nil {
		return nil, fmt.Errorf("decode the plan's schemas: %w", err)
	}
	after, _, err := t.Schemas(r.Org)
	if err != nil {
		return nil, err
	}
	return append(diffs, plan.CompareSchemas(before, after)...), nil
}

func schemasKey(id weir.RequestID) string { return "schemas:" + string(id) }

// keepSchemas remembers on which describe a plan rests, so that a drift can be
// named and not only noticed.
func (t *txn) keepSchemas(r *weir.Request) error {
	l, err := t.e.lane(r.Org)
	if err != nil {
		return err
	}
	all, _, err := t.Schemas(r.Org)
	if err != nil {
		return err
	}
	mapped := map[string]weir.ObjectSchema{}
	for _, name := range l.Map.ObjectNames() {
		mapped[name] = all[name]
	}
	doc, err := json.Marshal(mapped)
	if err != nil {
		return fmt.Errorf("encode schemas: %w", err)
	}
	return t.SetSetting(schemasKey(r.ID), string(doc))
}

// reasonStale stands on a request whose approved plan no longer holds.
const reasonStale = "plan_stale"

func driftKey(id weir.RequestID) string { return "drift:" + string(id) }

func kindsKey(id weir.RequestID) string { return "kinds:" + string(id) }

// addExports turns a plan that only reads into steps.
func (t *txn) addExports(r *weir.Request, p weir.Plan) error {
	var steps []weir.Step
	for _, x := range plan.Exports(p) {
		bounds, err := t.SureBounds(r.ID, weir.PassPlan, x.Object, x.Part())
		if err != nil {
			return err
		}
		steps = append(steps, x.Steps(p, bounds)...)
	}
	if len(steps) == 0 {
		return nil
	}
	return t.add(r, steps, weir.StepReady)
}

// addExecution turns a plan that changes something into steps.
func (t *txn) addExecution(r *weir.Request, p weir.Plan) error {
	l, err := t.e.lane(r.Org)
	if err != nil {
		return err
	}
	steps := plan.Steps(p)
	for i := range steps {
		s := &steps[i]
		switch s.Kind {
		case weir.StepErase:
			var a eraseArgs
			if err := json.Unmarshal(s.Args, &a.EraseArgs); err != nil {
				return fmt.Errorf("decode planned erasure: %w", err)
			}
			a.Match = waysTo(l.Map, s.Object)
			s.Args, err = json.Marshal(a)
		case weir.StepPurge:
			s.Phase = weir.PhaseRead
		case weir.StepDescribe, weir.StepFind, weir.StepExport:
		}
		if err != nil {
			return fmt.Errorf("encode planned step: %w", err)
		}
	}
	if len(steps) == 0 {
		return nil
	}
	return t.add(r, steps, weir.StepReady)
}

// waysTo lists every way in which a record of the object could have been found.
func waysTo(m *datamap.Map, object string) []plan.Find {
	var ways []plan.Find
	for _, f := range plan.Finds(m, 0, []string{datamap.KindEmail, datamap.KindPhone, datamap.KindID}, nil) {
		if f.Object == object {
			ways = append(ways, plan.Find{Object: object, By: f.By, Fields: f.Fields})
		}
	}
	o, ok := m.Object(object)
	if !ok {
		return ways
	}
	for _, l := range o.Links {
		w := plan.Find{Object: object, By: plan.ByParent, Fields: []string{l.Field.Text}}
		for _, p := range l.Parents {
			w.Parents = append(w.Parents, p.Text)
		}
		ways = append(ways, w)
	}
	return ways
}

// executed begins the proof of an erasure; an access request has nothing to
// prove and is sealed at once.
func (t *txn) executed(r *weir.Request) error {
	if err := t.move(r, weir.EventExecuted, func(r *weir.Request) { r.Pass = weir.PassProve }); err != nil {
		return err
	}
	if !r.Right.Mutates() {
		return t.move(r, weir.EventProved, nil)
	}
	return t.addProof(r)
}

// addProof asks whether the subject can still be found, by query and queryAll,
// and whether what was deleted is really gone.
func (t *txn) addProof(r *weir.Request) error {
	l, err := t.e.lane(r.Org)
	if err != nil {
		return err
	}
	if err := t.ClearFindings(r.ID, weir.PassProve); err != nil {
		return err
	}
	kinds, err := setting(t.Tx, kindsKey(r.ID))
	if err != nil {
		return err
	}
	var args []findArgs
	for _, f := range plan.Finds(l.Map, 0, splitKinds(kinds), nil) {
		f.Select = nil
		if !f.Review {
			args = append(args, findArgs{Find: f}, findArgs{Find: f, All: true}) // a plain query sees what users see; queryAll sees the bin
		}
	}
	p, err := t.Plan(r.ID, r.PlanHash)
	if err != nil {
		return err
	}
	deleted := map[string][]string{}
	var objects []string
	for _, it := range p.Items {
		if it.Action != weir.ActDelete {
			continue
		}
		if deleted[it.Object] == nil {
			objects = append(objects, it.Object)
		}
		deleted[it.Object] = append(deleted[it.Object], it.Record)
	}
	for _, o := range objects {
		for _, ids := range chunks(deleted[o], plan.FindIDs) {
			args = append(args, findArgs{Find: plan.Find{Object: o, By: byRecord}, IDs: ids, All: true})
		}
	}
	steps := make([]weir.Step, len(args))
	for i, a := range args {
		doc, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("encode proof: %w", err)
		}
		steps[i] = weir.Step{Kind: weir.StepFind, Phase: weir.PhaseRead, Object: a.Find.Object, Args: doc, Shape: shape(weir.StepFind, weir.PassProve, 0)}
	}
	return t.add(r, steps, weir.StepReady)
}
