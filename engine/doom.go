package engine

import (
	"context"
	"fmt"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/deadletter"
	"github.com/weirhq/weir/internal/store"
)

// doomAtOnce bounds one transaction that hands steps to people: an org that is
// away for a day may doom everything that waits for it.
const doomAtOnce = 5000

// doom hands steps to people before their call was sent, because even the wait
// that the governor computed would end too late. What dooms the most urgent
// step dooms every other one that is due before that wait ends, whosever it is:
// the governor is asked once more, for the latest of them, and its answer holds
// for all. What holds urgent work holds any; the reverse is not so, and urgent
// steps are left out where another one was asked for. A closed object dooms only
// steps about it. So a person learns of an outage at once, and not call by call.
func (t *txn) doom(g *governed, ask weir.Ask, until weir.Decision) error {
	steps, err := t.ReadyBefore(g.lane.ID, wakeTime(until.Wait.Until), ask.Urgent, doomAtOnce)
	if until.Object != "" {
		steps = sameObject(steps, ask)
	}
	if err != nil || len(steps) == 0 {
		return err
	}
	for i := range steps {
		if steps[i].DueAt.After(ask.DueAt) {
			ask.DueAt = steps[i].DueAt
		}
	}
	dec, err := g.admit(ask, steps)
	if err != nil || dec.Ruling != weir.DeadLetter {
		return err
	}
	if err := t.BuryReady(ids(steps), dec.Wait.Cause); err != nil {
		return err
	}
	f := &weir.Fault{Category: dec.Wait.Cause, Scope: weir.ScopeOrg, Effect: weir.EffectNone}
	release := deadletter.For(dec.Wait.Cause, f.Category)
	letters, err := t.OpenLetters(ids(steps), dec.Wait.Cause, f.Code, release)
	if err != nil {
		return err
	}
	err = t.AddLetterEvents(letters, weir.LetterEvent{At: t.Now(), By: "weir", Act: "opened", Note: string(dec.Wait.Cause)})
	if err != nil {
		return err
	}
	of := make(map[weir.StepID]weir.LetterID, len(steps))
	for i := range steps {
		of[steps[i].ID] = letters[i]
		if steps[i].Phase == weir.PhaseWrite {
			steps[i].Phase = weir.PhaseCheck
		}
	}
	d := faultDetail(f)
	d[KeyDLQDecision] = string(release)
	return t.noteAll(steps, "step.dead", d, of)
}

// doomHeld hands over what no turn looks at: behind a closed gate a step may
// become ready that is due before the gate opens, and those of requests that the
// schedule gave up stand last in the queue, whenever they are due.
func (e *Engine) doomHeld(ctx context.Context) error {
	for _, l := range e.orgs {
		held := false
		err := e.view(ctx, func(tx *store.Tx) error {
			org, err := tx.Org(l.ID)
			if err != nil || !org.WakeAt.After(tx.Now()) {
				return err
			}
			state, err := decodeState(org.Governor)
			if err != nil {
				return err
			}
			_, _, held, err = firstDoomed(tx, l, state)
			return err
		})
		if err == nil && held {
			err = e.update(ctx, crash.Claim, func(tx *txn) error { return tx.doomFirst(l) })
		}
		if err != nil {
			return fmt.Errorf("steps held at the gate of %s: %w", l.ID, err)
		}
	}
	return nil
}

func (t *txn) doomFirst(l *lane) error {
	g, err := t.lockGovernor(l)
	if err != nil {
		return err
	}
	if err := t.WakeSteps(l.ID); err != nil {
		return err
	}
	ask, dec, dies, err := firstDoomed(t.Tx, l, g.state)
	if err != nil || !dies {
		return err
	}
	if err := t.doom(g, ask, dec); err != nil {
		return err
	}
	return g.save()
}

// firstDoomed asks for the step that is due first, of the urgent ones and of the
// others, as if no call were open: those that are open end, and say nothing about
// the gate.
func firstDoomed(tx *store.Tx, l *lane, s governor.State) (weir.Ask, weir.Decision, bool, error) {
	for _, urgent := range []bool{true, false} {
		due, ok, err := tx.EarliestDue(l.ID, urgent)
		if err != nil {
			return weir.Ask{}, weir.Decision{}, false, err
		}
		ask := l.ask(tx.Now())
		ask.DueAt, ask.Urgent = due, urgent
		if dec, dies := doomed(l.Governor, s, ask); ok && dies {
			return ask, dec, true, nil
		}
	}
	return weir.Ask{}, weir.Decision{}, false, nil
}

// doomed asks, without recording anything, whether the governor would let the
// ask's step die.
func doomed(p governor.Policy, s governor.State, ask weir.Ask) (weir.Decision, bool) {
	_, dec := governor.Admit(p, s, ask)
	return dec, dec.Ruling == weir.DeadLetter
}
