package weir

import "time"

// LetterID names a dead letter: "DL-" and a number.
type LetterID string

// LetterState is where a dead letter stands.
type LetterState string

// The states of a dead letter. A letter is never deleted: one that was sent
// again keeps its history and opens again if the step dies again.
const (
	LetterOpen     LetterState = "OPEN"
	LetterReleased LetterState = "RELEASED" // its cause cleared or a person retried it
	LetterResolved LetterState = "RESOLVED" // a person decided to go without
)

// ReleaseKind is which event lets a dead letter go by itself.
type ReleaseKind string

// The release conditions. None of them is a timer.
const (
	ReleaseByPerson     ReleaseKind = "person"      // only a person's decision
	ReleaseByAllocation ReleaseKind = "allocation"  // the daily allocation is back above the floor
	ReleaseByAuth       ReleaseKind = "credentials" // the org accepts our credentials again
)

// Letter is a dead letter: one step that needs a decision. Details that echo
// the org's text are sealed.
type Letter struct {
	ID       LetterID
	Step     StepID
	Request  RequestID
	Org      OrgID
	State    LetterState
	Cause    Category
	Code     string
	Object   string
	Record   string
	Kind     StepKind
	Attempts int
	FirstAt  time.Time
	LastAt   time.Time
	DueAt    time.Time
	Right    Right
	Risk     Risk
	Release  ReleaseKind
	Sealed   SealRef // the org's message and the payload, if any
	Times    int     // how often the step has died
}

// LetterEvent is one line of a letter's history.
type LetterEvent struct {
	Letter LetterID
	At     time.Time
	By     string // a person, or "weir"
	Act    string // opened, released, retried, waived, escalated, note
	Note   string
}

// Entry is one line of the audit ledger: ids, codes and numbers, so that it
// may outlive the shredding of a request's key.
type Entry struct {
	Seq     int64             `json:"seq"` // 0 until the sequencer numbered it
	At      time.Time         `json:"at"`
	By      string            `json:"by"`
	Act     string            `json:"act"` // such as "request.submit", "step.throttled"
	Org     OrgID             `json:"org,omitempty"`
	Request RequestID         `json:"request,omitempty"`
	Step    StepID            `json:"step,omitempty"`
	Detail  map[string]string `json:"detail,omitempty"`
}
