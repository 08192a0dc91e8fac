package ledger

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/weirhq/weir"
)

// CertificateSchema names the form of a certificate.
const CertificateSchema = "weir.certificate/v1"

// Certificate says what was done for one request and what proves it. It holds
// ids, codes, counts and keyed digests: it may be kept after the subject's data
// and its key are gone.
type Certificate struct {
	Schema  string         `json:"schema"`
	Request weir.RequestID `json:"request"`
	Org     weir.OrgID     `json:"org"`
	Right   weir.Right     `json:"right"`
	Law     string         `json:"law"`
	Subject string         `json:"subject"` // keyed hash

	ReceivedAt  time.Time `json:"received_at"`
	DueAt       time.Time `json:"due_at"`
	CompletedAt time.Time `json:"completed_at"`

	PlanHash     string `json:"plan_hash,omitempty"`
	MapHash      string `json:"map_hash,omitempty"`
	DescribeHash string `json:"describe_hash,omitempty"`

	Approvals []CertApproval `json:"approvals,omitempty"`
	Items     []CertItem     `json:"items,omitempty"`
	Proof     []ProofItem    `json:"proof,omitempty"`
	Package   *PackageRef    `json:"package,omitempty"` // of an access request
	Unproven  []string       `json:"unproven"`          // what could not be proven, in sentences
	Residuals []Residual     `json:"residuals,omitempty"`

	Ledger LedgerProof `json:"ledger"`
}

// CertApproval is one person's consent to the plan.
type CertApproval struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Note string    `json:"note,omitempty"`
}

// CertOutcome is how one record ended.
type CertOutcome string

// The outcomes of a record.
const (
	OutcomeApplied  CertOutcome = "applied"  // weir changed it and read it back
	OutcomeAlready  CertOutcome = "already"  // it was in the intended state before weir wrote
	OutcomeWithheld CertOutcome = "withheld" // kept, for the reason given
	OutcomeUnlinked CertOutcome = "unlinked" // shared with others: only the link to the subject was cut
	OutcomeWaived   CertOutcome = "waived"   // a person decided to go without
	OutcomeExported CertOutcome = "exported" // it is in the access package
)

// CertOutcomes lists every outcome.
func CertOutcomes() []CertOutcome {
	return []CertOutcome{
		OutcomeApplied, OutcomeAlready, OutcomeWithheld, OutcomeUnlinked, OutcomeWaived, OutcomeExported,
	}
}

// CertItem is one record and what became of it, or the records of a group of the
// plan, which all ended alike.
type CertItem struct {
	Object       string      `json:"object"`
	Record       string      `json:"record,omitempty"`
	Count        int         `json:"count,omitempty"`  // records of a group
	Digest       string      `json:"digest,omitempty"` // of a group: the plan's
	Action       weir.Action `json:"action"`
	Outcome      CertOutcome `json:"outcome"`
	At           time.Time   `json:"at"`
	Calls        int         `json:"calls,omitempty"` // API calls that it took
	Entry        int64       `json:"entry,omitempty"` // number of the ledger entry that recorded it
	BeforeDigest string      `json:"before_digest,omitempty"`
	AfterDigest  string      `json:"after_digest,omitempty"`
	Reason       string      `json:"reason,omitempty"`
}

// Records is how many records the item is about.
func (it CertItem) Records() int {
	if it.Record == "" {
		return it.Count
	}
	return 1
}

// QueryKind is how the end state was asked for.
type QueryKind string

// The kinds of proving query.
const (
	QueryLive QueryKind = "query"    // live records
	QueryAll  QueryKind = "queryAll" // with the recycle bin and archived records
)

// ProofItem is one query that was sent to prove the end state.
type ProofItem struct {
	Object    string    `json:"object"`
	Query     QueryKind `json:"query"`
	Remaining int       `json:"remaining"` // records that still matched the subject
	At        time.Time `json:"at"`
}

// Residual is something that is known to be left, and why.
type Residual struct {
	Object string `json:"object"`
	Count  int    `json:"count"`
	Reason string `json:"reason"`
}

// PackageRef names the access package that was delivered.
type PackageRef struct {
	SHA256  string `json:"sha256"` // of the file as delivered
	Size    int64  `json:"size"`
	Records int64  `json:"records"`
}

// LedgerProof ties the certificate to the log.
type LedgerProof struct {
	Size       int64       `json:"size"`
	Root       tlog.Hash   `json:"root"`
	Checkpoint string      `json:"checkpoint"` // the signed note
	Entries    []Inclusion `json:"entries,omitempty"`
}

// ErrCertificate is wrapped by every refusal of a certificate.
var ErrCertificate = errors.New("ledger: not a valid certificate")

// check refuses a certificate that says something this version has no word for.
func (c Certificate) check() error {
	if c.Schema != CertificateSchema {
		return fmt.Errorf("%w: schema %q is not %q", ErrCertificate, c.Schema, CertificateSchema)
	}
	if c.Request == "" || c.Org == "" || c.Right == "" || c.CompletedAt.IsZero() {
		return fmt.Errorf("%w: request, org, right and completion are required", ErrCertificate)
	}
	for i, it := range c.Items {
		if !it.Outcome.known() {
			return fmt.Errorf("%w: item %d has the outcome %q", ErrCertificate, i+1, it.Outcome)
		}
		if it.Count < 0 || it.Count > 0 && it.Record != "" {
			return fmt.Errorf("%w: item %d is neither a record nor a group", ErrCertificate, i+1)
		}
		if it.Entry < 0 || it.Entry > c.Ledger.Size {
			return fmt.Errorf("%w: item %d names entry %d of %d", ErrCertificate, i+1, it.Entry, c.Ledger.Size)
		}
	}
	for i, p := range c.Proof {
		if p.Remaining < 0 || p.Query != QueryLive && p.Query != QueryAll {
			return fmt.Errorf("%w: proof %d is malformed", ErrCertificate, i+1)
		}
	}
	return nil
}

func (o CertOutcome) known() bool {
	switch o {
	case OutcomeApplied, OutcomeAlready, OutcomeWithheld, OutcomeUnlinked, OutcomeWaived, OutcomeExported:
		return true
	}
	return false
}
