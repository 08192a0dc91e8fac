package engine

import (
	"maps"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/deadletter"
)

// finish ends a step well; outcome says how: applied, already, gone, read.
func (t *txn) finish(st *weir.Step, outcome string) error { return t.finishWith(st, outcome, nil) }

// finishWith also sets what the step's last call taught; nil sets nothing.
func (t *txn) finishWith(st *weir.Step, outcome string, set func(*weir.Step)) error {
	err := t.AdvanceStep(st, weir.Succeed, func(s *weir.Step) {
		if set != nil {
			set(s)
		}
		s.Cause = ""
	})
	if err != nil {
		return err
	}
	return t.noteStep(st, "step.done", map[string]string{KeyOutcome: outcome})
}

// wait parks a step until the decided time. A write whose effect is unknown
// goes on with its read-back; one that was surely not applied reads its
// precondition anew, because the record may change while it waits.
func (t *txn) wait(st *weir.Step, r result, dec weir.Decision) error {
	err := t.AdvanceStep(st, weir.Defer, func(s *weir.Step) {
		s.WakeAt, s.Cause = wakeTime(dec.Wait.Until), dec.Wait.Cause
		attempts := s.Attempts
		if r.goOn(s); dec.Spared {
			s.Attempts = attempts
		}
	})
	if err != nil {
		return err
	}
	return t.noteStep(st, "step.wait", waitDetail(r.Fault, dec, st.Attempts))
}

// wakeTime rounds a decided time up to what the store keeps: a step may wake a
// millisecond late, and never early.
func wakeTime(until time.Time) time.Time {
	return until.Add(time.Millisecond - time.Nanosecond).Truncate(time.Millisecond)
}

// again sends a step back to the queue at once: the token was not accepted,
// which says nothing about the step and costs it no attempt.
func (t *txn) again(st *weir.Step, r result) error {
	if err := t.AdvanceStep(st, weir.Yield, r.goOn); err != nil {
		return err
	}
	return t.noteStep(st, "step.reauth", faultDetail(r.Fault))
}

// goOn sets how a step continues after a fault: its attempts, the arguments
// that the work learnt, and the phase.
func (r result) goOn(s *weir.Step) {
	if governor.Counts(r.Fault.Category) {
		s.Attempts++
	}
	if r.Args != nil {
		s.Args = r.Args
	}
	switch {
	case r.Phase != "":
		s.Phase = r.Phase
	case s.Phase == weir.PhaseWrite && r.Fault.Effect == weir.EffectNone:
		s.Phase = weir.PhaseCheck
	case s.Phase == weir.PhaseWrite:
		s.Phase = weir.PhaseConfirm
	}
}

// conflict re-reads a record whose precondition failed: conflicted, then ready
// again with the check phase first.
func (t *txn) conflict(st *weir.Step, r result, dec weir.Decision) error {
	if err := t.AdvanceStep(st, weir.Clash, func(s *weir.Step) { s.Cause = weir.Conflict }); err != nil {
		return err
	}
	if err := t.noteStep(st, "step.conflict", waitDetail(r.Fault, dec, st.Attempts)); err != nil {
		return err
	}
	return t.AdvanceStep(st, weir.Refresh, func(s *weir.Step) {
		s.Conflicts++
		r.goOn(s)
	})
}

// restart sends a read back to its last keyset bookmark.
func (t *txn) restart(st *weir.Step) error {
	if err := t.AdvanceStep(st, weir.Yield, func(s *weir.Step) { s.Attempts++ }); err != nil {
		return err
	}
	return t.noteStep(st, "step.restart", nil)
}

// bury hands a step to a person: the dead letter holds it, sealed, with the
// condition under which it may go by itself.
func (t *txn) bury(st *weir.Step, r result, dec weir.Decision) error {
	f := r.Fault
	if err := t.AdvanceStep(st, weir.Bury, func(s *weir.Step) {
		s.Cause, s.WakeAt = dec.Wait.Cause, dec.Wait.Until
		r.goOn(s)
	}); err != nil {
		return err
	}
	req, err := t.Request(st.Request)
	if err != nil {
		return err
	}
	letter, err := t.OpenLetter(weir.Letter{
		Step: st.ID, Request: st.Request, Org: st.Org, State: weir.LetterOpen,
		Cause: dec.Wait.Cause, Code: f.Code, Object: st.Object, Record: st.Record, Kind: st.Kind,
		Attempts: st.Attempts + st.Conflicts, FirstAt: t.Now(), LastAt: t.Now(), DueAt: st.DueAt,
		Right: req.Right, Risk: req.Risk, Release: deadletter.For(dec.Wait.Cause, f.Category), Sealed: r.Sealed,
	})
	if err != nil {
		return err
	}
	if err := t.AddLetterEvent(weir.LetterEvent{Letter: letter.ID, At: t.Now(), By: "weir", Act: "opened", Note: string(dec.Wait.Cause)}); err != nil {
		return err
	}
	d := faultDetail(f)
	d[KeyLetter] = string(letter.ID)
	d[KeyDLQDecision] = string(letter.Release)
	d[KeySealRef] = r.Sealed.Name
	return t.noteStep(st, "step.dead", d)
}

func (t *txn) noteStep(st *weir.Step, act string, detail map[string]string) error {
	return t.note(t.entryOf(st, act, detail))
}

func (t *txn) entryOf(st *weir.Step, act string, detail map[string]string) weir.Entry {
	d := map[string]string{KeyOutcome: "", KeyObject: st.Object, KeyRecord: st.Record, "kind": string(st.Kind), "phase": string(st.Phase)}
	maps.Copy(d, detail)
	for k, v := range d {
		if v == "" {
			delete(d, k)
		}
	}
	return weir.Entry{Act: act, Org: st.Org, Request: st.Request, Step: st.ID, Detail: d}
}

func faultDetail(f *weir.Fault) map[string]string {
	return map[string]string{
		KeyCategory: string(f.Category.Operator()), KeyClass: string(f.Category),
		KeyScope: string(f.Scope), KeyCode: f.Code,
	}
}

func waitDetail(f *weir.Fault, dec weir.Decision, attempt int) map[string]string {
	d := faultDetail(f)
	d[KeyAttempt] = strconv.Itoa(attempt)
	if !dec.Wait.Until.IsZero() {
		d[KeyWaitUntil] = stamp(dec.Wait.Until)
	}
	return d
}
