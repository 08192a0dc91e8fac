package engine

import (
	"slices"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/plan"
)

// Riders are steps whose turn comes next and whose question rides in a call that is
// made anyway: the first queries of a discovery in that of the describe, the checks of
// the next rank in that of the last writes of a rank, behind them. They are not
// claimed, and a call that fails is none of theirs: it goes again without them. What it
// says of them is taken up in the transaction that ends the steps before them; when it
// does not, or somebody was faster, it is dropped, and they ask by themselves.

// rider is what a call gave for a step that it was not made for.
type rider struct {
	Step   held   `json:"step"`
	Object string `json:"object,omitempty"` // that the step is about
	Result result `json:"result"`
}

// riders lists the steps that ride in a job's call. What asks about a closed object does
// not ride along; see together.
func (t *txn) riders(j *job, state governor.State) (next []weir.Step, err error) {
	failed := slices.ContainsFunc(j.steps, func(s weir.Step) bool { return s.Attempts > 0 })
	if len(j.steps) == 0 || failed || len(j.others) > 0 {
		return nil, nil
	}
	switch first := j.steps[0]; {
	case first.Kind == weir.StepDescribe:
		next, err = t.queriesBehind(j)
	case first.Kind == weir.StepErase && first.Phase == weir.PhaseWrite:
		next, err = t.checksBehind(j)
	}
	return slices.DeleteFunc(next, func(s weir.Step) bool { return governor.Apart(state, s.Object, false) }), err
}

func (t *txn) queriesBehind(j *job) ([]weir.Step, error) {
	a, err := decodeDescribe(j.steps[0])
	if err != nil {
		return nil, err
	}
	next, err := t.PlannedNext(j.request.ID, plan.Riders(len(a.Objects)))
	if err != nil || len(next) == 0 || next[0].Kind != weir.StepFind {
		return nil, err
	}
	return next, nil
}

// checksBehind lists the checks for which a call of writes has room, where nothing but
// these writes stands before them.
func (t *txn) checksBehind(j *job) ([]weir.Step, error) {
	if busy, err := t.OthersUnderWay(j.request.ID, j.claim); err != nil || busy {
		return nil, err
	}
	writes, err := writesOf(j.steps)
	if err != nil {
		return nil, err
	}
	next, err := t.PlannedNext(j.request.ID, plan.QueryIDs)
	if err != nil {
		return nil, err
	}
	room := plan.CheckRoom(writes)
	var riders []weir.Step
	asked := map[string]bool{} // objects
	for _, s := range next {
		if s.Kind != weir.StepErase || byRow(s) || !asked[s.Object] && len(asked) >= room {
			continue
		}
		asked[s.Object] = true
		riders = append(riders, s)
	}
	return riders, nil
}

// carry keeps what the call gave for its riders; a fault is for the call that they make
// by themselves.
func (s *settlement) carry(riders []weir.Step, results []result) {
	for i, r := range results {
		if r.Fault == nil && !r.Alone {
			s.Riders = append(s.Riders, rider{held{ID: riders[i].ID, Epoch: riders[i].Epoch, Request: riders[i].Request}, riders[i].Object, r})
		}
	}
}

// withoutRiders sends a step back whose call the org refused, perhaps because of its
// riders. That it has failed keeps them from the next one.
func (t *txn) withoutRiders(st *weir.Step, r result) error {
	wrote := writes(*st)
	if wrote {
		t.CloseOpenIntent(st.ID, weir.IntentNotApplied)
	}
	code := r.Fault.Code
	err := t.AdvanceStep(st, weir.Yield, func(s *weir.Step) {
		s.Attempts++
		if r.Args != nil {
			s.Args = r.Args
		}
		if wrote {
			s.Phase = weir.PhaseCheck
		}
	})
	if err != nil {
		return err
	}
	return t.noteStep(st, "step.apart", map[string]string{KeyCode: code})
}

// settleRiders takes up what a call gave for its riders, once its own steps have ended
// and made them ready.
func (t *txn) settleRiders(g *governed, s *settlement) error {
	if len(s.Riders) == 0 || s.stale {
		return nil
	}
	ids := make([]weir.StepID, len(s.Riders))
	for i, r := range s.Riders {
		ids[i] = r.Step.ID
	}
	found, err := t.StepsByID(ids)
	if err != nil {
		return err
	}
	var ready []weir.Step
	given := map[weir.StepID]result{}
	for _, r := range s.Riders {
		if st := found[r.Step.ID]; st.State == weir.StepReady && st.Epoch == r.Step.Epoch {
			ready, given[st.ID] = append(ready, st), r.Result
		}
	}
	claimed, err := t.ClaimSteps(ready, s.Claim, t.e.node, t.Now())
	if err != nil {
		return err
	}
	for _, st := range claimed {
		if err := t.settle(g, &st, given[st.ID], weir.Decision{}); err != nil {
			return err
		}
	}
	return t.advance(s.Request)
}
