package ledger_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/ledger"
)

func certificate(t testing.TB, s note.Signer) (ledger.Certificate, history) {
	t.Helper()
	h := sample(t, 20, 10, s)
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	root, err := ledger.Root(20, h.stored)
	if err != nil {
		t.Fatal(err)
	}
	c := ledger.Certificate{
		Request: "R-00000003", Org: "prod", Right: weir.Erasure, Law: "gdpr", Subject: "s:0123456789ab",
		ReceivedAt: at.AddDate(0, 0, -9), DueAt: at.AddDate(0, 0, 20), CompletedAt: at,
		PlanHash: "p1", MapHash: "m1", DescribeHash: "d1",
		Approvals: []ledger.CertApproval{{By: "ann", At: at, Note: "checked <twice> & signed"}},
		Items: []ledger.CertItem{
			{Object: "Contact", Record: "003000000000001AAA", Action: weir.ActAnonymise, Outcome: ledger.OutcomeApplied, At: at, Calls: 2, Entry: 3, BeforeDigest: "b", AfterDigest: "a"},
			{Object: "Case", Record: "500000000000001AAA", Action: weir.ActWithhold, Outcome: ledger.OutcomeWithheld, At: at, Reason: "legal-hold"},
		},
		Proof: []ledger.ProofItem{
			{Object: "Contact", Query: ledger.QueryLive, At: at}, {Object: "Case", Query: ledger.QueryAll, Remaining: 1, At: at},
		},
		Unproven:  []string{"Backups of the org were not examined."},
		Residuals: []ledger.Residual{{Object: "Case", Count: 1, Reason: "legal-hold"}},
		Ledger:    ledger.LedgerProof{Size: 20, Root: root, Checkpoint: string(h.checkpoints[1])},
	}
	for _, i := range []int{2, 9, 16} { // the entries of R-00000003
		in, err := ledger.Prove(20, h.lines[i], h.stored)
		if err != nil {
			t.Fatal(err)
		}
		c.Ledger.Entries = append(c.Ledger.Entries, in)
	}
	return c, h
}

func sign(t testing.TB, c ledger.Certificate, s note.Signer) []byte {
	t.Helper()
	doc, err := ledger.Sign(c, s)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestCertificateRoundTrip(t *testing.T) {
	s, v := keys(t, "log")
	c, _ := certificate(t, s)
	doc := sign(t, c, s)
	got, err := ledger.VerifyCertificate(doc, v)
	if err != nil {
		t.Fatal(err)
	}
	c.Schema = ledger.CertificateSchema
	if d := cmp.Diff(c, got); d != "" {
		t.Error(d)
	}
	if !bytes.Equal(doc, sign(t, c, s)) {
		t.Error("the same certificate has two documents")
	}
}

// The signed bytes stand in the document, so that any tool can check them.
func TestCertificateIsANote(t *testing.T) {
	s, v := keys(t, "log")
	c, _ := certificate(t, s)
	var doc struct {
		Certificate json.RawMessage
		Signature   string
	}
	if err := json.Unmarshal(sign(t, c, s), &doc); err != nil {
		t.Fatal(err)
	}
	msg := string(doc.Certificate) + "\n\n" + doc.Signature + "\n"
	if _, err := note.Open([]byte(msg), note.VerifierList(v)); err != nil {
		t.Error(err)
	}
}

func TestEveryByteOfACertificateCounts(t *testing.T) {
	s, v := keys(t, "log")
	c, _ := certificate(t, s)
	doc := sign(t, c, s)
	for i := range len(doc) - 1 { // the last newline is no part of it
		bad := bytes.Clone(doc)
		bad[i] ^= 1 << (i % 7) // every kind of flip, letter case among them
		if _, err := ledger.VerifyCertificate(bad, v); !errors.Is(err, ledger.ErrCertificate) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for name, bad := range map[string]string{
		"cut":            string(doc[:len(doc)-2]),
		"formatted anew": strings.Replace(string(doc), ":", ": ", 1),
		"second member":  `{"certificate":{},` + string(doc[1:]),
		"unknown member": strings.Replace(string(doc), `,"signature"`, `,"x":1,"signature"`, 1),
		"trailing":       string(doc) + "{}",
		"no signature":   doc2(t, doc, ""),
		"empty":          "",
	} {
		if _, err := ledger.VerifyCertificate([]byte(bad), v); !errors.Is(err, ledger.ErrCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, other := keys(t, "other")
	if _, err := ledger.VerifyCertificate(doc, other); !errors.Is(err, ledger.ErrCertificate) {
		t.Errorf("another key: %v", err)
	}
}

func doc2(t testing.TB, doc []byte, signature string) string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(doc, &m); err != nil {
		t.Fatal(err)
	}
	return `{"certificate":` + string(m["certificate"]) + `,"signature":"` + signature + `"}`
}

// A certificate is refused when the key holder signed one whose log does not
// support it.
func TestCertificateMustFitItsLog(t *testing.T) {
	s, v := keys(t, "log")
	forger, _ := keys(t, "forger")
	for name, spoil := range map[string]func(*ledger.Certificate, history){
		"other root":       func(c *ledger.Certificate, _ history) { c.Ledger.Root[0] ^= 1 },
		"other size":       func(c *ledger.Certificate, _ history) { c.Ledger.Size++ },
		"older checkpoint": func(c *ledger.Certificate, h history) { c.Ledger.Checkpoint = string(h.checkpoints[0]) },
		"foreign checkpoint": func(c *ledger.Certificate, h history) {
			c.Ledger.Checkpoint = string(checkpoint(t, h.stored, 20, forger))
		},
		"no checkpoint":       func(c *ledger.Certificate, _ history) { c.Ledger.Checkpoint = "" },
		"altered entry":       func(c *ledger.Certificate, _ history) { c.Ledger.Entries[0].Entry = edited(t, 3) },
		"malformed entry":     func(c *ledger.Certificate, _ history) { c.Ledger.Entries[0].Entry = []byte("{}") },
		"proof of another":    func(c *ledger.Certificate, _ history) { c.Ledger.Entries[0].Proof = c.Ledger.Entries[1].Proof },
		"another request's":   func(c *ledger.Certificate, _ history) { c.Request = "R-00000004" },
		"another org's entry": func(c *ledger.Certificate, _ history) { c.Org = "other" },
	} {
		c, h := certificate(t, s)
		spoil(&c, h)
		if _, err := ledger.VerifyCertificate(sign(t, c, s), v); !errors.Is(err, ledger.ErrCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignRefusesUnknownWords(t *testing.T) {
	s, _ := keys(t, "log")
	for name, spoil := range map[string]func(*ledger.Certificate){
		"outcome":    func(c *ledger.Certificate) { c.Items[0].Outcome = "fine" },
		"entry":      func(c *ledger.Certificate) { c.Items[0].Entry = 21 },
		"two in one": func(c *ledger.Certificate) { c.Items[0].Count = 2 },
		"less":       func(c *ledger.Certificate) { c.Items[0].Record, c.Items[0].Count = "", -2 },
		"query":      func(c *ledger.Certificate) { c.Proof[0].Query = "guess" },
		"remaining":  func(c *ledger.Certificate) { c.Proof[0].Remaining = -1 },
		"request":    func(c *ledger.Certificate) { c.Request = "" },
		"completion": func(c *ledger.Certificate) { c.CompletedAt = time.Time{} },
	} {
		c, _ := certificate(t, s)
		spoil(&c)
		if _, err := ledger.Sign(c, s); !errors.Is(err, ledger.ErrCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, o := range ledger.CertOutcomes() {
		c, _ := certificate(t, s)
		c.Items[0].Outcome = o
		if _, err := ledger.Sign(c, s); err != nil {
			t.Errorf("%s: %v", o, err)
		}
	}
}

func TestCertificatePage(t *testing.T) {
	s, _ := keys(t, "log")
	c, _ := certificate(t, s)
	c.Items[0].Reason = `<script>alert(1)</script>`
	c.Package = &ledger.PackageRef{SHA256: "abc", Size: 12, Records: 3}
	c.CompletedAt = c.DueAt.Add(time.Hour)
	c.Items = append(c.Items, ledger.CertItem{
		Object: "Task", Count: 1_000_000, Digest: "d1ce", Action: weir.ActExport, Outcome: ledger.OutcomeExported, At: c.CompletedAt,
	})
	page, err := ledger.HTML(c)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, want := range []string{
		"R-00000003", "after the due date", "legal-hold", "Backups of the org", "&lt;script&gt;", "checked &lt;twice&gt; &amp; signed",
		"1 applied. 1 withheld. 1000000 exported.", "1000000 records, SHA-256 <code>d1ce</code>", "default-src 'none'", "@media print", "-scheme: dark", c.Ledger.Root.String()[:20],
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "http://", "https://", "src=", "href=", "ZgotmplZ"} {
		if strings.Contains(text, never) {
			t.Errorf("the page holds %q", never)
		}
	}
	if _, err := ledger.HTML(ledger.Certificate{}); err != nil {
		t.Errorf("empty certificate: %v", err)
	}
}
