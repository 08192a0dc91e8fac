package proof

import (
	"archive/zip"
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/vault"
)

// verdict is what the org's truth, weir's certificates and weir's ledger say
// about a siege.
type verdict struct {
	doubled int // writes accepted although the same had been accepted before
	missing int // records of a closed erasure that still hold the person, or whose certificate has no write behind it
	foreign int // writes to records of people who did not ask for an erasure
	between int // kills between an intent and its outcome
	adopted int // steps that a dead weir left behind
	writes  int // mutations that the org accepted from weir
	calls   int
	faults  map[emulator.Fault]int
}

func (v verdict) String() string {
	return fmt.Sprintf("%d accepted mutations, %d doubled, %d missing, %d foreign; %d orphaned steps", v.writes, v.doubled, v.missing, v.foreign, v.adopted)
}

// judge asks everybody who knows and fails the test where a promise is broken.
func judge(t *testing.T, c *customer, s *siege) verdict {
	t.Helper()
	v := judgeOrders(t, c)
	judgeLedger(t, c.weir, s.held, &v)
	judgeAccounts(t, s)
	judgeLocks(t, s.dsn)
	return v
}

// judgeOrders compares what people got with what the org really holds.
func judgeOrders(t *testing.T, c *customer) verdict {
	t.Helper()
	truth := c.org.truth()
	v := verdict{faults: truth.Faults}
	for _, n := range truth.Calls {
		v.calls += n
	}
	for _, m := range truth.Mutations {
		if !m.Foreign {
			v.writes++
		}
	}
	doubled := truth.Doubled()
	v.doubled = len(doubled)
	for _, m := range doubled {
		t.Errorf("doubled: %s of %s %s", m.Method, m.Object, m.ID)
	}
	judgeForeign(t, c, truth, &v)
	for _, o := range c.orders {
		cert := certificateOf(t, c.weir, o)
		if o.right == erasure {
			judgeErasure(t, c.org, o, cert, truth, &v)
		} else {
			judgeAccess(t, c.weir, o, cert)
		}
	}
	return v
}

// judgeForeign allows writes to the records of those who asked for an erasure.
func judgeForeign(t *testing.T, c *customer, truth emulator.Truth, v *verdict) {
	t.Helper()
	allowed := map[string]bool{}
	for _, o := range c.orders {
		if o.right == erasure {
			for _, id := range o.person.IDs() {
				allowed[id] = true
			}
		}
	}
	outside := truth.TouchedOutside(allowed)
	v.foreign = len(outside)
	for _, m := range outside {
		t.Errorf("foreign: %s of %s %s", m.Method, m.Object, m.ID)
	}
}

// certificate is what weir signed about a request.
type certificate struct {
	Items []certItem `json:"items"`
	Proof []struct {
		Remaining int `json:"remaining"`
	} `json:"proof"`
}

type certItem struct {
	Object  string `json:"object"`
	Record  string `json:"record"`
	Count   int    `json:"count"`
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
}

// certificateOf fetches a request's certificate and checks it offline with the
// key that `weir init` printed.
func certificateOf(t *testing.T, w *installation, o *order) certificate {
	t.Helper()
	file := w.path(o.ref + ".certificate")
	w.must(nil, "certificate", o.id, "-o", file)
	var doc struct {
		OK          bool        `json:"ok"`
		Certificate certificate `json:"certificate"`
	}
	w.must(&doc, "certificate", "verify", file, "--key", w.public)
	if !doc.OK {
		t.Errorf("the certificate of %s does not verify", o.id)
	}
	return doc.Certificate
}

// judgeErasure compares a certificate with what the org accepted and holds.
func judgeErasure(t *testing.T, org *org, o *order, cert certificate, truth emulator.Truth, v *verdict) {
	t.Helper()
	missing := func(object, id, why string) {
		v.missing++
		t.Errorf("missing: %s %s of %s: %s", object, id, o.id, why)
	}
	outcome := map[string]string{}
	for _, it := range cert.Items {
		outcome[it.Record] = it.Outcome
		if why := unbacked(it, truth.Records[it.Record]); why != "" {
			missing(it.Object, it.Record, why)
		}
	}
	for object, ids := range o.person.Records {
		for _, id := range ids {
			switch outcome[id] {
			case "withheld", "waived":
				continue
			case "":
				missing(object, id, "not in the certificate")
			}
			if why := left(org, o.person, object, id); why != "" {
				missing(object, id, why)
			}
		}
	}
	for _, p := range cert.Proof {
		if p.Remaining > 0 {
			missing("", "", "the proof found what is left")
		}
	}
}

// unbacked says what the org's truth lacks, or has too much of, for what a
// certificate says about a record.
func unbacked(it certItem, did emulator.RecordTruth) string {
	ours := map[string]int{}
	for _, m := range did.Writes {
		if !m.Foreign {
			ours[m.Method]++
		}
	}
	want := map[string]bool{}
	switch {
	case it.Outcome == "withheld" || it.Outcome == "waived" || it.Outcome == "already":
	case it.Action == "delete":
		want["delete"], want["purge"] = true, true
	default:
		want["update"] = true
	}
	for _, method := range []string{"update", "delete", "purge", "create", "cascade"} {
		if want[method] != (ours[method] > 0) {
			return fmt.Sprintf("certified %s (%s), and the org accepted %v", it.Outcome, it.Action, ours)
		}
	}
	return ""
}

// left says what a record still tells about the person, without telling it.
func left(org *org, p emulator.Subject, object, id string) string {
	rec, found := org.record(object, id)
	if !found {
		return ""
	}
	if object != "Contact" && object != "Donation__c" {
		return "not deleted and purged"
	}
	for field, value := range rec {
		text, ok := value.(string)
		if ok && object == "Contact" && (strings.EqualFold(text, p.Email) || (text != "" && strings.Contains(p.Name, text))) {
			return "not erased: " + field
		}
	}
	if link, ok := rec["Contact__c"].(string); ok && slices.Contains(p.Records["Contact"], link) {
		return "not unlinked"
	}
	return ""
}

// judgeAccess checks that the package holds exactly the person's records, and
// that the certificate counts as many.
func judgeAccess(t *testing.T, w *installation, o *order, cert certificate) {
	t.Helper()
	file := w.path(o.ref + ".age")
	w.must(nil, "export", "get", o.id, "-o", file)
	got, want, counted := packed(t, w, file), o.person.IDs(), 0
	for _, it := range cert.Items {
		counted += it.Count
	}
	if !slices.Equal(got, want) || counted != len(want) {
		t.Errorf("%s holds %d records and its certificate %d, want the %d of the person", o.id, len(got), counted, len(want))
	}
}

// packed opens a package and lists the ids of its records, in order.
func packed(t *testing.T, w *installation, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	plain, err := vault.Decrypt(w.reader, f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, entry := range z.File {
		if !strings.HasPrefix(entry.Name, "data/") || !strings.HasSuffix(entry.Name, ".json") {
			continue
		}
		r, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		var rows []struct{ ID string }
		if err := json.NewDecoder(r).Decode(&rows); err != nil {
			t.Fatalf("%s: %v", entry.Name, err)
		}
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// judgeLedger verifies the log as a whole, against the checkpoint that was saved
// half-way, and reads from it what the kills hit.
func judgeLedger(t *testing.T, w *installation, held string, v *verdict) {
	t.Helper()
	var audit struct {
		OK bool `json:"ok"`
	}
	w.must(&audit, "audit", "verify", "--key", w.public, "--checkpoint", held)
	if !audit.OK {
		t.Error("the ledger does not verify")
	}
	file := w.path("ledger.jsonl")
	w.must(nil, "audit", "export", "-o", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	hit := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		var entry struct {
			Act    string            `json:"act"`
			Detail map[string]string `json:"detail"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Act != "step.adopted" {
			continue
		}
		n, err := strconv.Atoi(entry.Detail["count"])
		if err != nil {
			t.Fatal(err)
		}
		v.adopted += n
		if entry.Detail["phase"] == "write" {
			hit[entry.Detail["from"]] = true
		}
	}
	v.between = len(hit)
}

// judgeAccounts reads from the metrics that no step is lost and no outcome is
// left in the journal.
func judgeAccounts(t *testing.T, s *siege) {
	t.Helper()
	figures, err := scrape(t.Context(), s.where.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"weir_accounting_balance", "weir_journal_outcomes", "weir_dead_letters"} {
		if figures[name] != "0" {
			t.Errorf("%s is %q at the end, want 0", name, figures[name])
		}
	}
	if figures["weir_snapshot_success"] != "1" {
		t.Errorf("the figures were not read at %s", time.Now().UTC().Format(time.RFC3339))
	}
}

// judgeLocks asks PostgreSQL whether transactions ever stopped each other. The
// store runs such a transaction again, so nothing is lost by it, but each one
// costs a second, and two transactions that disagree about the order of their
// locks will do it again.
func judgeLocks(t *testing.T, dsn string) {
	t.Helper()
	if strings.HasPrefix(dsn, "sqlite:") {
		return // it has one writer
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	var deadlocks int
	err = db.QueryRowContext(t.Context(), `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&deadlocks)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if deadlocks > 0 {
		t.Errorf("%d deadlocks between transactions", deadlocks)
	}
}
