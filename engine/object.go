package engine

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/store"
)

// Whatever is asked of one object may fail while the rest of the org works. The
// governor closes it then (governor/object.go); here its steps step aside, so that
// the others do not stand behind them. See decision 33.

// writes says whether the call of a step is to change the step's object.
func writes(s weir.Step) bool { return s.Phase == weir.PhaseWrite || s.Kind == weir.StepPurge }

// together returns which of the steps go in one call. A closed object is asked by one
// step, each time by another one: a record that fails by itself must not speak for
// the rest. Steps about a closed object do not ride along in calls about others, nor do
// those about a slow one, for which the others would wait.
func (t *txn) together(g *governed, steps []weir.Step) ([]weir.Step, error) {
	first := steps[0]
	if governor.Barred(g.state, first.Object, writes(first)) {
		if governor.ClosedUntil(g.state, first.Object, writes(first)).After(t.Now()) {
			return steps[:1], nil // nobody asks now, and a long queue need not be read for who
		}
		asker, err := t.Asker(first, writes(first))
		return []weir.Step{asker}, err
	}
	long := governor.RunsLong(g.state, first.Object, writes(first))
	kept := steps[:0:0]
	for _, s := range steps {
		if mate := s.Object == first.Object; mate || !long && !governor.Apart(g.state, s.Object, writes(s)) {
			kept = append(kept, s)
		}
	}
	return kept, nil
}

// holdObject lets the steps about a closed object, or a slow one, wait. It says whether
// any did: the org has other work then, or none. Who would be late because the object
// is closed does not wait, and dies; who is late already waits for a slow one like all.
func (t *txn) holdObject(l *lane, state governor.State, a weir.Ask, dec weir.Decision) (bool, error) {
	until, sparing := wakeTime(dec.Wait.Until), time.Time{}
	if governor.Barred(state, dec.Object, a.Mutates) {
		sparing = until
	}
	n, err := t.HoldObject(l.ID, dec.Object, a.Mutates, until, dec.Wait.Cause, sparing)
	t.noteObject(l.ID, dec, n)
	return n > 0, err
}

// about tells the governor of which objects a call speaks: of one, when its steps are
// about no other, and of those for which it did something.
func about(o *weir.Outcome, s *settlement, steps []*weir.Step) {
	several := false
	for i, st := range steps {
		if st == nil {
			continue
		}
		several = several || o.Object != "" && o.Object != st.Object
		o.Object, o.Mutates = st.Object, writes(*st)
		did := s.Fault == nil && i < len(s.Results) && s.Results[i].Fault == nil && !s.Results[i].Alone
		if did && st.Object != "" && !slices.Contains(o.Answered, st.Object) {
			o.Answered = append(o.Answered, st.Object)
		}
	}
	if several {
		o.Object = ""
	}
	for _, r := range s.Riders {
		if !o.Mutates && r.Object != "" && !slices.Contains(o.Answered, r.Object) {
			o.Answered = append(o.Answered, r.Object) // a reading call's riders read, too
		}
	}
}

// aboutOne does so for the failed element of a call.
func aboutOne(o *weir.Outcome, st *weir.Step, r result) {
	o.Object, o.Mutates = st.Object, writes(*st)
	o.ReadBack = r.Phase == weir.PhaseWrite // a read-back found nothing done: see confirmed
}

// sameObject keeps those steps that wait for what the ask waits for.
func sameObject(steps []weir.Step, a weir.Ask) []weir.Step {
	return slices.DeleteFunc(steps, func(s weir.Step) bool { return s.Object != a.Object || writes(s) != a.Mutates })
}

// diesAgain says whether a step that is sent again would die before its call: at the
// gate, or behind its object. A change is preceded by a read.
func diesAgain(p governor.Policy, s governor.State, ask weir.Ask, d weir.Letter) bool {
	ask.Object = d.Object
	if _, dies := doomed(p, s, ask); dies {
		return true
	}
	ask.Mutates = d.Kind == weir.StepErase || d.Kind == weir.StepPurge
	_, dies := doomed(p, s, ask)
	return dies
}

// heldBy says what keeps a step's object from being asked; empty when nothing does.
func (e *Engine) heldBy(tx *store.Tx, s weir.Step) (string, error) {
	l, known := e.orgs[s.Org]
	if !known || s.State != weir.StepReady && s.State != weir.StepWaiting {
		return "", nil
	}
	org, err := tx.Org(s.Org)
	if err != nil {
		return "", err
	}
	state, err := decodeState(org.Governor)
	if err != nil {
		return "", err
	}
	for _, o := range governor.Look(l.Governor, state, tx.Now()).Objects {
		if o.Name == s.Object && o.Writes == writes(s) {
			return " " + governor.ExplainObject(o), nil
		}
	}
	return "", nil
}
