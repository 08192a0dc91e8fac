package engine

import (
	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/deadletter"
)

// doomAtOnce bounds one transaction that hands steps to people: an org that is
// away for a day may doom everything that waits for it.
const doomAtOnce = 5000

// doom hands steps to people before their call was sent, because even the wait
// that the governor computed would end too late. What dooms the most urgent
// step dooms every other one that is due before that wait ends, whosever it is:
// the governor is asked once more, for the latest of them, and its answer holds
// for all. So a person learns of an outage at once, and not call by call.
func (t *txn) doom(g *governed, ask weir.Ask, until weir.Decision) error {
	steps, err := t.ReadyBefore(g.lane.ID, wakeTime(until.Wait.Until), doomAtOnce)
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
	entries := make([]weir.Entry, len(steps))
	for i := range steps {
		d := faultDetail(f)
		d[KeyLetter], d[KeyDLQDecision] = string(letters[i]), string(release)
		if steps[i].Phase == weir.PhaseWrite {
			steps[i].Phase = weir.PhaseCheck
		}
		entries[i] = t.entryOf(&steps[i], "step.dead", d)
	}
	return t.note(entries...)
}

// doomed asks, without recording anything, whether the governor would let the
// ask's step die.
func doomed(p governor.Policy, s governor.State, ask weir.Ask) (weir.Decision, bool) {
	_, dec := governor.Admit(p, s, ask)
	return dec, dec.Ruling == weir.DeadLetter
}
