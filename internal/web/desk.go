package web

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/ledger"
)

// LettersInput filters dead letters.
type LettersInput struct {
	Org       weir.OrgID       `json:"org,omitempty"`
	State     weir.LetterState `json:"state,omitempty"` // empty = open ones
	Cause     weir.Category    `json:"cause,omitempty"`
	Request   weir.RequestID   `json:"request,omitempty"`
	OlderThan time.Duration    `json:"older_than_ns,omitempty"`
	Limit     int              `json:"limit,omitempty"` // of one page; 0 is lettersPage
	After     weir.LetterID    `json:"after,omitempty"` // the last one of the page before
}

// lettersPage is how many letters one page has unless somebody asks for more.
const lettersPage = 200

func letters(ctx context.Context, e *engine.Engine, _ string, in LettersInput) (LettersAnswer, error) {
	f := engine.LetterFilter{
		Org: in.Org, State: in.State, Cause: in.Cause, Request: in.Request,
		Limit: cmp.Or(max(in.Limit, 0), lettersPage), After: in.After,
	}
	if f.State == "" {
		f.State = weir.LetterOpen
	}
	if in.OlderThan > 0 {
		f.OlderThan = e.Now().Add(-in.OlderThan)
	}
	all, err := e.Letters(ctx, f)
	out := LettersAnswer{Schema: "weir.letters/v1", Letters: []LetterDoc{}}
	for _, l := range all {
		out.Letters = append(out.Letters, letterDoc(l, e.Now()))
	}
	if n := len(all); n > 0 && n == f.Limit {
		out.Next = all[n-1].ID
	}
	return out, err
}

// LetterInput names a dead letter and what to do with it.
type LetterInput struct {
	ID         weir.LetterID `json:"id"`
	AfterReset bool          `json:"after_reset,omitempty"` // only when the cause has cleared
	As         string        `json:"as,omitempty"`          // waived, withheld or escalated
	Reason     string        `json:"reason,omitempty"`
}

func letter(ctx context.Context, e *engine.Engine, _ string, in LetterInput) (LetterAnswer, error) {
	d, err := e.Letter(ctx, in.ID)
	out := LetterAnswer{
		Schema: "weir.letter/v1", Letter: letterDoc(d.Letter, e.Now()), Suggest: d.Suggest,
		Actions: []string{}, History: []LetterHistoryDoc{},
	}
	for _, a := range d.Actions {
		out.Actions = append(out.Actions, string(a.Verb))
	}
	for _, h := range d.History {
		out.History = append(out.History, LetterHistoryDoc{At: h.At, By: h.By, Act: h.Act, Note: h.Note})
	}
	return out, err
}

func retry(ctx context.Context, e *engine.Engine, by string, in LetterInput) (Done, error) {
	return done(e.RetryLetter(ctx, in.ID, in.AfterReset, by))
}

func resolve(ctx context.Context, e *engine.Engine, by string, in LetterInput) (Done, error) {
	switch in.As {
	case "waived", "withheld", "escalated":
	default:
		return Done{}, fmt.Errorf("%w: resolve a letter as waived, withheld or escalated", ErrInput)
	}
	if in.Reason == "" {
		return Done{}, fmt.Errorf("%w: a reason is needed; it stands in the certificate", ErrInput)
	}
	return done(e.ResolveLetter(ctx, in.ID, in.As, in.Reason, by))
}

// OrgInput names an org.
type OrgInput struct {
	Org weir.OrgID `json:"org"`
}

// OrgTestAnswer is what a look at an org found.
type OrgTestAnswer struct {
	Schema   string       `json:"schema"`
	Org      weir.OrgID   `json:"org"`
	OrgID    string       `json:"salesforce_org_id,omitempty"`
	User     string       `json:"user,omitempty"`
	Fault    *FaultDoc    `json:"fault,omitempty"` // why the org could not be asked
	Missing  []MissingDoc `json:"missing_permissions"`
	Findings []FindingDoc `json:"map_findings"`
	Calls    int          `json:"calls"`
}

// FaultDoc is a classified failure: codes and numbers only.
type FaultDoc struct {
	Category   weir.Category         `json:"category"`
	Operator   weir.OperatorCategory `json:"operator_category"`
	Code       string                `json:"code,omitempty"`
	Status     int                   `json:"status,omitempty"`
	Retryable  bool                  `json:"retryable"`
	RetryAfter float64               `json:"retry_after_seconds,omitempty"`
}

func faultDoc(f *weir.Fault) *FaultDoc {
	if f == nil {
		return nil
	}
	return &FaultDoc{
		Category: f.Category, Operator: f.Category.Operator(), Code: f.Code, Status: f.Status,
		Retryable: f.Retryable, RetryAfter: f.RetryAfter.Seconds(),
	}
}

// MissingDoc is one permission that a mapped step would need.
type MissingDoc struct {
	Object string `json:"object"`
	Need   string `json:"need"`
	For    string `json:"for"`
}

// FindingDoc is one place where the data map does not fit the org.
type FindingDoc struct {
	At       string `json:"at"` // file:line:col
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Fix      string `json:"fix,omitempty"`
}

func testOrg(ctx context.Context, e *engine.Engine, _ string, in OrgInput) (OrgTestAnswer, error) {
	r, err := e.TestOrg(ctx, in.Org)
	out := OrgTestAnswer{
		Schema: "weir.org-test/v1", Org: in.Org, OrgID: r.Identity.OrgID, User: r.Identity.Username, Fault: faultDoc(r.Fault),
		Missing: []MissingDoc{}, Findings: []FindingDoc{}, Calls: r.Calls,
	}
	for _, m := range r.Missing {
		out.Missing = append(out.Missing, MissingDoc{m.Object, m.Need, m.For})
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, FindingDoc{f.Pos.String(), string(f.Severity), f.Code, f.Message, f.Fix})
	}
	return out, err
}

// AuditInput may carry a checkpoint that was saved earlier.
type AuditInput struct {
	Held string `json:"checkpoint,omitempty"`
}

// AuditAnswer is the verdict on the ledger.
type AuditAnswer struct {
	Schema    string        `json:"schema"`
	OK        bool          `json:"ok"`
	PublicKey string        `json:"public_key"`
	Report    ledger.Report `json:"report"`
}

func auditVerify(ctx context.Context, e *engine.Engine, _ string, in AuditInput) (AuditAnswer, error) {
	var held []byte // nil = none was given; an empty one would be a forged one
	if in.Held != "" {
		held = []byte(in.Held)
	}
	rep, err := e.VerifyLedger(ctx, held)
	return AuditAnswer{Schema: "weir.audit/v1", OK: rep.OK(), PublicKey: e.PublicKey(), Report: rep}, err
}

// TextAnswer carries a document that is text of its own: a checkpoint, log
// lines, a signed certificate.
type TextAnswer struct {
	Schema string `json:"schema"`
	Text   string `json:"text"`
}

func checkpoint(ctx context.Context, e *engine.Engine, _ string, _ None) (TextAnswer, error) {
	note, err := e.Checkpoint(ctx)
	return TextAnswer{Schema: "weir.checkpoint/v1", Text: string(note)}, err
}

// AuditExportInput asks for the page of the log behind a number, of an export of
// so many entries; zero for both is its first page.
type AuditExportInput struct {
	After int64 `json:"after,omitempty"`
	Size  int64 `json:"size,omitempty"`
}

// AuditExportAnswer is a page of the log. It is the last one when Last is Size.
type AuditExportAnswer struct {
	TextAnswer

	Last int64 `json:"last"`
	Size int64 `json:"size"`
}

func auditExport(ctx context.Context, e *engine.Engine, _ string, in AuditExportInput) (AuditExportAnswer, error) {
	page, err := e.LedgerPage(ctx, in.After, in.Size)
	return AuditExportAnswer{TextAnswer{Schema: "weir.audit-export/v1", Text: string(page.Lines)}, page.Last, page.Size}, err
}

// CertificateAnswer carries a signed certificate, byte for byte, and its
// readable page.
type CertificateAnswer struct {
	Schema string `json:"schema"`
	Signed string `json:"signed"`
	HTML   string `json:"html"`
}

func certificate(ctx context.Context, e *engine.Engine, _ string, in IDInput) (CertificateAnswer, error) {
	doc, err := e.Certificate(ctx, weir.RequestID(in.ID))
	if err != nil {
		return CertificateAnswer{}, err
	}
	c, err := e.VerifyCertificate(doc)
	if err != nil {
		return CertificateAnswer{}, err
	}
	page, err := ledger.HTML(c)
	return CertificateAnswer{Schema: "weir.certificate-file/v1", Signed: string(doc), HTML: string(page)}, err
}

// PackageAnswer says where a delivered package lies on this machine.
type PackageAnswer struct {
	Schema    string    `json:"schema"`
	Path      string    `json:"path"`
	SHA256    string    `json:"sha256"`
	Size      int64     `json:"size"`
	CreatedAt time.Time `json:"created_at"`
}

func accessPackage(ctx context.Context, e *engine.Engine, by string, in IDInput) (PackageAnswer, error) {
	b, path, err := e.Package(ctx, weir.RequestID(in.ID), by)
	return PackageAnswer{Schema: "weir.package-file/v1", Path: path, SHA256: b.Ref.Digest, Size: b.Ref.Size, CreatedAt: b.At}, err
}

// TotalsAnswer counts the whole store.
type TotalsAnswer struct {
	Schema   string                 `json:"schema"`
	Requests map[weir.Stage]int     `json:"requests"`
	Steps    map[weir.StepState]int `json:"steps"`
	Accepted int64                  `json:"accepted"`
	Done     int64                  `json:"done"`
	Waiting  int64                  `json:"waiting"`
	Dead     int64                  `json:"dead"`
	Cancel   int64                  `json:"cancelled"`
	Letters  int                    `json:"dead_letters"`
	Sealed   int                    `json:"sealed_payloads"`
	Journal  int                    `json:"journal"`
}

func totals(ctx context.Context, e *engine.Engine, _ string, _ None) (TotalsAnswer, error) {
	t, err := e.Totals(ctx)
	a := t.StepSums
	return TotalsAnswer{
		Schema: "weir.totals/v1", Requests: t.Requests, Steps: t.Steps,
		Accepted: a.Accepted, Done: a.Done, Waiting: a.Waiting, Dead: a.Dead, Cancel: a.Cancelled,
		Letters: t.Letters, Sealed: t.Sealed, Journal: t.Journal,
	}, err
}
