package weir

import "time"

// Evidence is one fact that a decision rests on: codes and numbers only.
type Evidence struct {
	Name  string `json:"name"`  // such as "retry-after", "daily", "floor", "strikes"
	Value string `json:"value"` // such as "120s", "9800/10000"
}

// Wait is a durable wait: until when, for what cause, on which evidence.
type Wait struct {
	Until    time.Time  `json:"until"`
	Cause    Category   `json:"cause"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Ruling is what the governor decides.
type Ruling string

// The rulings.
const (
	Proceed    Ruling = "proceed"    // Admit: send the call now. Observe: the outcome stands
	WaitUntil  Ruling = "wait"       // not before Wait.Until
	Reauth     Ruling = "reauth"     // renew the token once, then repeat
	DeadLetter Ruling = "deadletter" // a person must decide; Wait.Cause says why
	Reread     Ruling = "reread"     // the precondition failed: read, then plan this record again
	Restart    Ruling = "restart"    // the cursor is lost: go on from the keyset bookmark
	Readback   Ruling = "readback"   // effect unknown: not before Wait.Until, and only by reading first
)

// Decision is the governor's answer, and the whole of it: nobody else decides.
type Decision struct {
	Ruling Ruling `json:"ruling"`
	Wait   Wait   `json:"wait,omitzero"`
	Object string `json:"object,omitempty"` // what holds is this object, broken or slow for everybody
	Spared bool   `json:"spared,omitempty"` // the fault is not the step's: it spends none of its attempts
}

// Ask is the input of an admission: may this call be sent now?
type Ask struct {
	Now      time.Time `json:"now"`
	Cost     int       `json:"cost"` // API calls that the org will count
	DueAt    time.Time `json:"due_at,omitzero"`
	InFlight int       `json:"in_flight"`        // calls of this org that are open on all nodes, this one excluded
	Long     int       `json:"long,omitempty"`   // of those, open for 20 s or longer: what Salesforce's concurrency limit counts
	Likely   int       `json:"likely,omitempty"` // of those, not yet: calls about objects about which calls run long
	Urgent   bool      `json:"urgent,omitempty"` // lane below the share, with a recorded approval
	Mutates  bool      `json:"mutates,omitempty"`
	Object   string    `json:"object,omitempty"`  // API name of the object that the call's first step is about
	Quiet    bool      `json:"quiet,omitempty"`   // the org's quiet hours are now
	TurnsAt  time.Time `json:"turns_at,omitzero"` // when they next begin or end; zero when the org has none
}

// Outcome is the input of an observation: everything that one call gave. The
// jitter was drawn by the shell, so that the decision can be recomputed.
type Outcome struct {
	Now       time.Time     `json:"now"`
	SentAt    time.Time     `json:"sent_at"`
	Cost      int           `json:"cost"`
	Jitter    uint32        `json:"jitter"` // uniform in [0, 2^32), from crypto/rand
	Readings  []Reading     `json:"readings,omitempty"`
	Fault     *Fault        `json:"fault,omitempty"` // nil when the call succeeded
	Attempts  int           `json:"attempts"`        // technical failures of the step before this one
	Conflicts int           `json:"conflicts"`       // failed preconditions of the step before this one
	DueAt     time.Time     `json:"due_at,omitzero"`
	Remaining time.Duration `json:"remaining_ns,omitempty"` // work that must still fit before DueAt
	InFlight  int           `json:"in_flight"`              // calls of this org that were open when it ended, this one excluded
	Long      int           `json:"long,omitempty"`         // of those, open for 20 s or longer; told when the org refused because of open calls
	Spent     int64         `json:"spent,omitempty"`        // calls that the step's request has taken so far
	Expected  int64         `json:"expected,omitempty"`     // calls that it was expected to take in all; 0 when nobody knows yet
	Object    string        `json:"object,omitempty"`       // API name of the one object that the call, or its failed element, was about
	Answered  []string      `json:"answered,omitempty"`     // the objects for which the call did something
	Mutates   bool          `json:"mutates,omitempty"`      // it was to change them
	ReadBack  bool          `json:"read_back,omitempty"`    // the fault is what a read found of an earlier change
}
