package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/internal/store"
)

// settleAll observes the call once, and once more for each element of a
// composite that failed by itself: each decision has the readings of the
// response in its input.
func (t *txn) settleAll(g *governed, s *settlement) error {
	t.noteClamped(s)
	steps, err := t.heldSteps(s)
	if err != nil {
		return err
	}
	if s.inFlight, err = t.InFlight(s.Org); err != nil {
		return err
	}
	s.inFlight = max(s.inFlight-1, 0) // this call has ended
	asked := worst(steps)
	if s.shared() {
		asked = latest(steps)
	}
	whole, err := t.outcome(s, s.Fault, s.Jitter, asked, s.Calls)
	if err != nil {
		return err
	}
	about(&whole, s, steps)
	dec, err := g.observe(whole, heldIDs(s.Steps))
	if err != nil {
		return err
	}
	s.renew = dec.Ruling == weir.Reauth
	if s.Fault != nil {
		return t.settleFailedCall(g, s, steps, dec)
	}
	for i, r := range s.Results {
		st := steps[i]
		if st == nil {
			if err := t.noteStale(s, i); err != nil {
				return err
			}
			continue
		}
		rd := dec
		if r.Fault != nil {
			one, err := t.outcome(s, r.Fault, r.Jitter, *st, 0)
			if err != nil {
				return err
			}
			aboutOne(&one, st, r)
			if rd, err = g.observe(one, []weir.StepID{st.ID}); err != nil {
				return err
			}
		}
		if err := t.settle(g, st, r, rd); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) settleFailedCall(g *governed, s *settlement, steps []*weir.Step, dec weir.Decision) error {
	for i, st := range steps {
		if st == nil {
			if err := t.noteStale(s, i); err != nil {
				return err
			}
			continue
		}
		var r result
		if i < len(s.Results) {
			r = s.Results[i]
		}
		r.Fault = s.Fault
		if s.Carried && blames(s.Fault) && s.Fault.Effect == weir.EffectNone && dec.Ruling == weir.DeadLetter {
			if err := t.withoutRiders(st, r); err != nil {
				return err
			}
			continue
		}
		if s.shared() && alone(*st, dec) {
			if err := t.apart(st, result{}); err != nil {
				return err
			}
			continue
		}
		if err := t.settle(g, st, r, dec); err != nil {
			return err
		}
		if dec.Wait.Cause == weir.AuthConfig && dec.Ruling == weir.DeadLetter {
			dec.Ruling = weir.Reauth // one letter tells a person about the credentials; the others wait at the gate
		}
		if dec.Object != "" && dec.Ruling == weir.DeadLetter && dec.Wait.Cause != weir.DeadlineRisk {
			dec.Ruling = weir.WaitUntil // and one about a broken object
		}
	}
	return nil
}

// heldSteps loads the claimed steps; nil stands for one that was taken away in
// the meantime (its epoch moved), whose outcome must change no state.
func (t *txn) heldSteps(s *settlement) ([]*weir.Step, error) {
	steps := make([]*weir.Step, len(s.Steps))
	found, err := t.StepsByID(heldIDs(s.Steps))
	if err != nil {
		return nil, err
	}
	for i, h := range s.Steps {
		st, ok := found[h.ID]
		if !ok {
			return nil, fmt.Errorf("read step %s: %w", h.ID, store.ErrNotFound)
		}
		if st.Epoch == h.Epoch && st.State == weir.StepExecuting {
			steps[i] = &st
		} else {
			s.stale = true
		}
	}
	return steps, nil
}

// noteStale keeps the outcome of a claim that was lost as evidence only.
func (t *txn) noteStale(s *settlement, i int) error {
	d := map[string]string{"epoch": strconv.FormatInt(s.Steps[i].Epoch, 10)}
	if s.Fault != nil {
		d[KeyClass] = string(s.Fault.Category)
	} else if i < len(s.Results) {
		d[KeyOutcome] = s.Results[i].Outcome
	}
	return t.note(weir.Entry{Act: "step.stale", Org: s.Org, Request: cmp.Or(s.Steps[i].Request, s.Request), Step: s.Steps[i].ID, Detail: d})
}

// outcome is the governor's view of a call, or of one element of it: the
// readings of the whole response are in the input of every decision it causes.
func (t *txn) outcome(s *settlement, f *weir.Fault, jitter uint32, st weir.Step, cost int) (weir.Outcome, error) {
	o := weir.Outcome{
		Now: s.At, SentAt: s.SentAt, Cost: cost, Jitter: jitter, Readings: s.Readings, Fault: f,
		Attempts: st.Attempts, Conflicts: st.Conflicts, DueAt: st.DueAt, InFlight: s.inFlight,
	}
	l, err := t.e.lane(s.Org)
	if err != nil {
		return o, err
	}
	if o.Long, err = t.longAtRefusal(l, f); err != nil {
		return o, err
	}
	if f == nil || s.Request == "" {
		return o, nil
	}
	request := cmp.Or(st.Request, s.Request)
	open, err := t.OpenSteps(request)
	if err != nil {
		return o, err
	}
	w, err := t.Workload(request)
	left := max(int64(open), w.Expected-w.Calls) // a step that reads may take many calls
	o.Remaining = time.Duration(left) * callPace // what must still fit before the due date
	o.Spent, o.Expected = w.Calls, w.Expected
	return o, err
}

// worst is the step whose budget is nearest to its end: a failed call is
// decided once, for all that shared it.
func worst(steps []*weir.Step) weir.Step {
	var w weir.Step
	for _, s := range steps {
		if s == nil {
			continue
		}
		if w.ID == "" || s.DueAt.Before(w.DueAt) {
			w.ID, w.DueAt = s.ID, s.DueAt
		}
		w.Attempts = max(w.Attempts, s.Attempts)
		w.Conflicts = max(w.Conflicts, s.Conflicts)
	}
	return w
}

// settle moves one step by its result and the governor's decision.
func (t *txn) settle(g *governed, st *weir.Step, r result, dec weir.Decision) error {
	if err := t.keep(st, r); err != nil {
		return err
	}
	if r.Alone {
		return t.apart(st, r)
	}
	if r.Fault == nil {
		return t.settleResult(g, st, r)
	}
	switch dec.Ruling {
	case weir.Proceed: // such as a record that is gone, when the step wanted it gone
		return t.finish(st, "gone")
	case weir.WaitUntil, weir.Readback:
		return t.wait(st, r, dec)
	case weir.Reauth:
		return t.again(st, r)
	case weir.Reread:
		return t.conflict(st, r, dec)
	case weir.Restart:
		return t.restart(st)
	case weir.DeadLetter:
		return t.bury(st, r, dec)
	}
	return fmt.Errorf("step %s: ruling %q is not known: %w", st.ID, dec.Ruling, r.Fault)
}

// keep stores what the call gave besides the verdict.
func (t *txn) keep(st *weir.Step, r result) error {
	if len(r.Rows) > 0 {
		if err := t.gather(st, r); err != nil {
			return err
		}
	}
	if r.Blob != nil {
		b := *r.Blob
		b.At = t.Now()
		if err := t.PutBlob(b); err != nil {
			return err
		}
	}
	if state := intentState(st, r); state != "" {
		t.CloseOpenIntent(st.ID, state)
	}
	return nil
}

// gather adds what a query found to the findings of its pass.
func (t *txn) gather(st *weir.Step, r result) error {
	l, err := t.e.lane(st.Org)
	if err != nil {
		return err
	}
	req, err := t.Request(st.Request)
	if err != nil {
		return err
	}
	about := mentioned(r.Rows)
	have, err := t.FindingsAbout(st.Request, req.Pass, about)
	if err != nil {
		return err
	}
	var known []weir.Finding
	if st.Shape == aheadShape() { // its answer may be in before that about the parents
		if known, err = t.FindingsAbout(st.Request, weir.PassPlan, about); err != nil {
			return err
		}
	}
	return t.AddFindings(st.Request, req.Pass, plan.Gather(l.Map, have, known, *r.Find, r.Rows))
}

// mentioned lists the records that rows are about or refer to.
func mentioned(rows []plan.Row) []string {
	seen := make(map[string]bool, 2*len(rows))
	for _, row := range rows {
		seen[row.Record] = true
		for _, id := range row.Lookups {
			seen[id] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// intentState says how the result closes the step's intent: as the work said,
// or as not applied when the org surely did nothing with the write. An unknown
// effect, and a read-back that failed, leave it open.
func intentState(st *weir.Step, r result) weir.IntentState {
	if r.Intent == "" && r.Fault != nil && st.Phase == weir.PhaseWrite && r.Fault.Effect == weir.EffectNone {
		return weir.IntentNotApplied
	}
	return r.Intent
}

func (t *txn) settleResult(g *governed, st *weir.Step, r result) error {
	set := func(s *weir.Step) {
		if r.Args != nil {
			s.Args = r.Args
		}
		if r.Phase != "" {
			if r.Fresh {
				s.Attempts = 0
			}
			s.Phase = r.Phase
		} else if r.Verdict == weir.Yield { // a page was read, and what failed before it is over
			s.Attempts = 0
		}
		s.Cause, s.WakeAt = "", time.Time{}
	}
	switch r.Verdict { //nolint:exhaustive // work gives three of the verdicts; the others are the engine's own
	case weir.Succeed:
		if r.Args == nil {
			set = nil
		}
		return t.finishWith(st, r.Outcome, set)
	case weir.Yield:
		return t.AdvanceStep(st, weir.Yield, set)
	case weir.Defer:
		return t.waitForBin(g, st, r)
	}
	return fmt.Errorf("step %s: verdict %q without a fault", st.ID, r.Verdict)
}

// callPace is what one call takes end to end, commits included, when nothing
// limits it.
const callPace = 2 * time.Second

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

func heldIDs(hs []held) []weir.StepID {
	out := make([]weir.StepID, len(hs))
	for i, h := range hs {
		out[i] = h.ID
	}
	return out
}
