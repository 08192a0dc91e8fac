package weir

import "fmt"

// Stage is how far a request has come. The names say what is reached.
type Stage string

// The stages of a request. Who leaves each one:
const (
	Received         Stage = "RECEIVED"          // left by Verify
	Verified         Stage = "VERIFIED"          // discovery is under way
	Discovered       Stage = "DISCOVERED"        // findings are complete; planning is next
	Planned          Stage = "PLANNED"           // a plan exists; approval or execution is next
	AwaitingApproval Stage = "AWAITING_APPROVAL" // left by a person
	Executing        Stage = "EXECUTING"         // the plan is confirmed, then carried out
	Verifying        Stage = "VERIFYING"         // proving that nothing is left
	Sealing          Stage = "SEALING"           // package or certificate is being made
	Delivered        Stage = "DELIVERED"         // handed over; key retention runs
	Closed           Stage = "CLOSED"            // ended; key shredded
	Paused           Stage = "PAUSED"            // by a person, where the law stops the clock
	Rejected         Stage = "REJECTED"          // ended by a person: not approved
	Cancelled        Stage = "CANCELLED"         // ended by a person
)

// Ended says whether no further transition exists.
func (s Stage) Ended() bool { return s == Closed || s == Rejected || s == Cancelled }

// Event moves a request from stage to stage.
type Event string

// The events of a request.
const (
	EventVerify   Event = "verify"   // identity evidence was recorded
	EventDiscover Event = "discover" // the planning pass is complete
	EventPlan     Event = "plan"     // a plan was built
	EventAsk      Event = "ask"      // the plan needs a person's approval
	EventStart    Event = "start"    // approved, or needs no approval
	EventDrift    Event = "drift"    // the world no longer matches the plan: nothing was sent
	EventReplan   Event = "replan"   // a person asks for a fresh plan
	EventExecuted Event = "executed" // every step of the plan has ended
	EventProved   Event = "proved"   // the end state was proven
	EventSealed   Event = "sealed"   // package or certificate exists
	EventClose    Event = "close"    // retention is over, the key is shredded
	EventPause    Event = "pause"
	EventReject   Event = "reject"
	EventCancel   Event = "cancel"
)

// stageTable lists every edge; whatever is absent is refused. Resuming a pause
// is not here because it returns to a remembered stage.
var stageTable = map[Stage]map[Event]Stage{ //nolint:gochecknoglobals // a constant table; Go has no constant maps
	Received:         {EventVerify: Verified, EventPause: Paused, EventReject: Rejected, EventCancel: Cancelled},
	Verified:         {EventDiscover: Discovered, EventReplan: Verified, EventPause: Paused, EventReject: Rejected, EventCancel: Cancelled},
	Discovered:       {EventPlan: Planned, EventCancel: Cancelled},
	Planned:          {EventAsk: AwaitingApproval, EventStart: Executing, EventReplan: Verified, EventReject: Rejected, EventCancel: Cancelled},
	AwaitingApproval: {EventStart: Executing, EventReplan: Verified, EventPause: Paused, EventReject: Rejected, EventCancel: Cancelled},
	Executing:        {EventDrift: AwaitingApproval, EventExecuted: Verifying, EventCancel: Cancelled},
	Verifying:        {EventProved: Sealing, EventCancel: Cancelled},
	Sealing:          {EventSealed: Delivered, EventReplan: Verified}, // anew when what was fetched no longer opens
	Delivered:        {EventClose: Closed},
	Paused:           {EventReject: Rejected, EventCancel: Cancelled},
}

// Next returns the stage that the event leads to, or an error when the edge
// does not exist.
func (s Stage) Next(e Event) (Stage, error) {
	if to, ok := stageTable[s][e]; ok {
		return to, nil
	}
	return s, fmt.Errorf("request in stage %s: event %q: %w", s, e, ErrNoSuchTransition)
}

// Stages lists every stage in the order of a request's life.
func Stages() []Stage {
	return []Stage{
		Received, Verified, Discovered, Planned, AwaitingApproval, Executing,
		Verifying, Sealing, Delivered, Closed, Paused, Rejected, Cancelled,
	}
}

// Events lists every event.
func Events() []Event {
	return []Event{
		EventVerify, EventDiscover, EventPlan, EventAsk, EventStart, EventDrift, EventReplan,
		EventExecuted, EventProved, EventSealed, EventClose, EventPause, EventReject, EventCancel,
	}
}
