package weir

import "time"

// OrgID is the alias under which a Salesforce org was configured, such as
// "prod-eu". It is not Salesforce's 18 character organisation id.
type OrgID string

// RequestID names a data subject request: "R-" and eight base-32 characters.
type RequestID string

// Right is what the data subject asks for.
type Right string

// The rights that weir knows. This version fulfils access and erasure.
const (
	Access        Right = "access"
	Erasure       Right = "erasure"
	Rectification Right = "rectification"
	Portability   Right = "portability"
	OptOut        Right = "opt-out"
)

// Mutates says whether fulfilling the right writes to the org, and therefore
// needs an approved plan.
func (r Right) Mutates() bool { return r == Erasure || r == Rectification || r == OptOut }

// Risk is declared by the person who submits a request; it orders lists after
// slack and right (design section 11).
type Risk string

// The declared risks.
const (
	RiskNormal Risk = "normal"
	RiskHigh   Risk = "high"
)

// Request is one data subject request. It holds no personal data: the subject
// is a keyed hash (Subject) for people to recognise, and a sealed blob in the
// vault for the machine.
type Request struct {
	ID       RequestID
	Org      OrgID
	Right    Right
	Law      string // key of the legal clock, such as "gdpr"
	Risk     Risk
	Stage    Stage
	Version  int64  // incremented by every transition; guards concurrent writers
	Subject  string // "s:" and 12 hex digits of a keyed hash
	Ref      string // the caller's own reference, such as a ticket number
	Evidence string // reference to the proof of identity; empty until verified
	Reason   string // why it is paused, stale, rejected or cancelled; a code, never free text of the org

	Recipient string // age recipient of the access package; public, not personal

	SubmittedBy string
	ReceivedAt  time.Time // when the subject asked: the legal clock starts here
	DueAt       time.Time // legal due date, extensions and pauses included
	CreatedAt   time.Time
	ClosedAt    time.Time // zero while open

	Pass     Pass   // which discovery is under way or was last completed
	PlanHash string // hash of the current plan; empty before planning
}

// Pass says why a discovery runs. The same queries find the records to plan,
// confirm right before the first write that the plan still holds, and prove at
// the end that nothing is left.
type Pass string

// The passes of discovery, in order.
const (
	PassPlan    Pass = "plan"
	PassConfirm Pass = "confirm"
	PassExecute Pass = "execute" // not a discovery: the confirmed plan is being carried out
	PassProve   Pass = "prove"
)

// Finding is one record that a discovery pass found: identity, version and the
// reason it matched, never a value.
type Finding struct {
	Object  string // API name, such as "Contact"
	Record  string // 18 character id
	Version string // SystemModstamp as Salesforce wrote it
	Why     string // such as "Contact.Email = subject" or "Case.ContactId -> Contact"
	Review  bool   // matched only weakly: shown, never erased unattended
	Shared  bool   // also belongs to another subject: unlinked and not deleted
	Deleted bool   // seen by queryAll only: it is in the recycle bin
}

// Approval is one person's consent to one plan.
type Approval struct {
	Request  RequestID
	PlanHash string
	By       string
	Note     string
	At       time.Time
	Expires  time.Time
}

// Urgency is one person's word that a request goes before all others of its
// org, and below weir's share of the daily allocation where it must; never below
// the floor.
type Urgency struct {
	Request RequestID
	By      string
	Reason  string // typed by that person; no personal data
	At      time.Time
}
