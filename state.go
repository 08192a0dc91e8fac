package weir

import (
	"errors"
	"fmt"
)

// ErrNoSuchTransition is wrapped by every refused move of a step or a request.
var ErrNoSuchTransition = errors.New("no such transition")

// StepState is where a step stands.
type StepState string

// The states of a step.
const (
	StepPlanned    StepState = "PLANNED"    // an earlier rank has not ended yet
	StepReady      StepState = "READY"      // a slot may claim it
	StepExecuting  StepState = "EXECUTING"  // claimed; a call may be under way
	StepWaiting    StepState = "WAITING"    // until WakeAt, for Cause
	StepConflicted StepState = "CONFLICTED" // its precondition failed
	StepDead       StepState = "DEAD"       // a dead letter holds it for a person
	StepEscalated  StepState = "ESCALATED"  // a person passed it on
	StepDone       StepState = "DONE"
	StepWaived     StepState = "WAIVED" // a person decided to go without
	StepCancelled  StepState = "CANCELLED"
)

// Ended says whether the step needs nothing more.
func (s StepState) Ended() bool { return s == StepDone || s == StepWaived || s == StepCancelled }

// StepStates lists every state.
func StepStates() []StepState {
	return []StepState{
		StepPlanned, StepReady, StepExecuting, StepWaiting, StepConflicted,
		StepDead, StepEscalated, StepDone, StepWaived, StepCancelled,
	}
}

// Verdict is what is to happen to a step.
type Verdict string

// The verdicts on a step.
const (
	Release  Verdict = "release"  // earlier ranks have ended
	Claim    Verdict = "claim"    // a slot takes it
	Succeed  Verdict = "succeed"  // its last phase is complete
	Yield    Verdict = "yield"    // goes on in a later call: next phase, next page, or never sent
	Defer    Verdict = "defer"    // wait until a recorded time
	Clash    Verdict = "clash"    // the precondition failed
	Bury     Verdict = "bury"     // a person must decide
	Wake     Verdict = "wake"     // its time has come, or its cause has cleared
	Refresh  Verdict = "refresh"  // take the record's new version
	Retry    Verdict = "retry"    // a person, or the cleared cause, sends it again
	Waive    Verdict = "waive"    // a person goes without
	Escalate Verdict = "escalate" // a person passes it on
	Cancel   Verdict = "cancel"   // the request was cancelled or rejected
)

// Verdicts lists every verdict.
func Verdicts() []Verdict {
	return []Verdict{
		Release, Claim, Succeed, Yield, Defer, Clash, Bury, Wake, Refresh, Retry, Waive, Escalate, Cancel,
	}
}

// stepTable lists every edge; whatever is absent is refused. A step that is
// executing cannot be cancelled: its outcome is recorded first.
var stepTable = map[StepState]map[Verdict]StepState{ //nolint:gochecknoglobals // a constant table; Go has no constant maps
	StepPlanned:    {Release: StepReady, Cancel: StepCancelled},
	StepReady:      {Claim: StepExecuting, Defer: StepWaiting, Bury: StepDead, Cancel: StepCancelled},
	StepExecuting:  {Succeed: StepDone, Yield: StepReady, Defer: StepWaiting, Clash: StepConflicted, Bury: StepDead},
	StepWaiting:    {Wake: StepReady, Bury: StepDead, Cancel: StepCancelled},
	StepConflicted: {Refresh: StepReady, Bury: StepDead, Cancel: StepCancelled},
	StepDead:       {Retry: StepReady, Waive: StepWaived, Escalate: StepEscalated, Cancel: StepCancelled},
	StepEscalated:  {Retry: StepReady, Waive: StepWaived, Cancel: StepCancelled},
}

// Next returns the state that the verdict leads to, or an error when the edge
// does not exist.
func (s StepState) Next(v Verdict) (StepState, error) {
	if to, ok := stepTable[s][v]; ok {
		return to, nil
	}
	return s, fmt.Errorf("step in state %s: verdict %q: %w", s, v, ErrNoSuchTransition)
}
