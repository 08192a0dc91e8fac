package weir

import "time"

// StepID names a step: "S-" and twelve base-32 characters.
type StepID string

// StepKind is what a step does. One kind is one shape of Salesforce call.
type StepKind string

// The kinds of step.
const (
	StepDescribe StepKind = "describe" // read the describe of every mapped object
	StepFind     StepKind = "find"     // one query of a discovery pass
	StepExport   StepKind = "export"   // one keyset page of one object into the vault
	StepErase    StepKind = "erase"    // one record: anonymise, delete or unlink
	StepPurge    StepKind = "purge"    // one record out of the recycle bin
)

// StepKinds lists every kind.
func StepKinds() []StepKind {
	return []StepKind{StepDescribe, StepFind, StepExport, StepErase, StepPurge}
}

// Phase divides the step of a mutation into calls. Steps that only read stay
// in PhaseRead.
type Phase string

// The phases of a step. A mutation checks, writes and confirms; whatever
// interrupts it after the write is resumed at PhaseConfirm, so that nothing is
// ever sent twice blindly.
const (
	PhaseRead    Phase = "read"
	PhaseCheck   Phase = "check"
	PhaseWrite   Phase = "write"
	PhaseConfirm Phase = "confirm"
)

// Action is what the plan does to a record.
type Action string

// The actions of a plan.
const (
	ActExport    Action = "export"
	ActAnonymise Action = "anonymise"
	ActDelete    Action = "delete"
	ActUnlink    Action = "unlink"
	ActWithhold  Action = "withhold" // nothing is sent; the reason stands in plan and certificate
)

// Step is one unit of work against an org.
type Step struct {
	ID      StepID
	Request RequestID
	Org     OrgID
	Kind    StepKind
	Phase   Phase
	State   StepState
	Epoch   int64  // incremented by each claim: the fencing token of the commit
	Shape   string // steps of one request and shape may share a call
	Object  string
	Record  string // empty for describe and find
	Rank    int    // steps of a lower rank of the same request end first
	Args    []byte // JSON owned by the engine; identifiers and field names, never values

	Attempts  int // technical attempts that failed, of the current phase
	Conflicts int // preconditions that failed; own small budget

	DueAt  time.Time // the request's due date: urgency
	WakeAt time.Time // zero unless waiting
	Cause  Category  // why it waits or died
	Node   string    // who claimed it
	Until  time.Time // the claim's end
}

// IntentState says what is known about a mutation that may have been sent.
type IntentState string

// The states of an intent. Open means: a call may be under way, or its
// acknowledgement was lost. Only a read-back closes an open intent.
const (
	IntentOpen       IntentState = "OPEN"
	IntentApplied    IntentState = "APPLIED"
	IntentNotApplied IntentState = "NOT_APPLIED"
	IntentConflict   IntentState = "CONFLICT"
)

// Rung is how a mutation is guarded against lost updates; see the ladder in
// design section 6.
type Rung string

// The rungs of the precondition ladder, strongest first.
const (
	RungIfMatch     Rung = "if-match"
	RungUnmodified  Rung = "if-unmodified-since"
	RungReadCompare Rung = "read-compare"
)

// Intent is the write-ahead record of one mutation. It is committed before the
// call is sent. At most one is open per record of an org.
type Intent struct {
	Step         StepID
	Request      RequestID
	Org          OrgID
	Object       string
	Record       string
	Action       Action
	Epoch        int64
	Rung         Rung
	Precondition string // the ETag, the date or the SystemModstamp that was expected
	BeforeDigest string // keyed digest of the fields about to change, as read before
	AfterDigest  string // keyed digest of the intended values
	State        IntentState
	OpenedAt     time.Time
	ClosedAt     time.Time
}

// SealRef points at one sealed blob in the vault. Name is an HMAC, never an id.
type SealRef struct {
	Name   string // 64 hex digits
	Size   int64  // bytes of ciphertext
	Digest string // SHA-256 in hex: of a sealed blob's header, which no other has; of a package, of all its bytes
}
