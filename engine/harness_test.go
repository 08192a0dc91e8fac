package engine_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/salesforce"
	"github.com/weirhq/weir/vault"
)

const acme weir.OrgID = "acme"

// world is an engine in front of an emulated org, joined without a socket.
type world struct {
	t        *testing.T
	org      *emulator.Org
	engine   *engine.Engine
	subjects []person
	identity pii.Secret // of the access packages' recipient
	reader   string     // the recipient
	options  engine.Options
	dir      string // holds data, store and keys
}

// setup says what a test's world is like; the zero value is a calm small org.
type setup struct {
	dsn    string
	org    emulator.Options
	policy func(*engine.Policy)
	gov    func(*governor.Policy)
	now    func() time.Time
	steady func() time.Duration
	log    *slog.Logger
	random io.Reader
	people int    // seeded subjects; 6 when zero
	dir    string // for data, store and keys; the test's own when empty
}

func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	dir := s.dir
	if dir == "" {
		dir = t.TempDir()
	}
	w := &world{t: t, dir: dir}
	if s.dsn == "" {
		s.dsn = "sqlite://" + filepath.Join(dir, "weir.db")
	}
	if s.org.Profile.Name == "" {
		s.org.Profile = emulator.Calm()
	}
	s.org.InstanceURL = "https://acme.my.salesforce.com"
	w.org = emulator.New(s.org)
	w.subjects = seedPeople(w.org, cmp.Or(s.people, 6))
	var err error
	if w.identity, w.reader, err = vault.NewIdentity(); err != nil {
		t.Fatal(err)
	}
	kekFile := filepath.Join(dir, "kek")
	if err := vault.CreateKEKFile(kekFile); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.FileKEK(kekFile, data)
	if err != nil {
		t.Fatal(err)
	}
	skey, _, err := ledger.GenerateKey("weir-test", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	policy := engine.DefaultPolicy()
	policy.SingleOperator = true
	policy.IdentityVerification = false
	if s.policy != nil {
		s.policy(&policy)
	}
	gov := governor.DefaultPolicy()
	if s.gov != nil {
		s.gov(&gov)
	}
	creds := w.org.Credentials()
	w.options = engine.Options{
		DataDir: data, DSN: s.dsn, KEK: kek, SigningKey: pii.NewString(skey), Policy: policy, Now: s.now, Steady: s.steady, Log: s.log, Random: s.random,
		Orgs: []engine.Org{{
			ID: acme, InstanceURL: s.org.InstanceURL, APIVersion: "66.0",
			Auth:      &salesforce.ClientCredentials{ID: creds.ClientID, Secret: pii.NewString(creds.ClientSecret)},
			Transport: w.org.Transport(), Map: testMap(t), Governor: gov, Recipients: []string{w.reader}, Timeout: 30 * time.Second,
		}},
	}
	w.open()
	return w
}

func testMap(t *testing.T) *datamap.Map {
	t.Helper()
	m, err := datamap.Parse("datamap.yaml", mapSource(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mapSource(t *testing.T) []byte {
	t.Helper()
	src, err := os.ReadFile("testdata/datamap.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// open starts an engine on what earlier ones left; at most one is open.
func (w *world) open() {
	w.t.Helper()
	e, err := engine.Open(w.t.Context(), w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := e.Beat(w.t.Context()); err != nil { // as one that runs: tests take turns by hand
		w.t.Fatal(err)
	}
	if w.engine == nil {
		w.t.Cleanup(func() {
			if err := w.engine.Close(); err != nil {
				w.t.Error(err)
			}
		})
	}
	w.engine = e
}

// submit asks for a right of the i-th seeded subject.
func (w *world) submit(right weir.Right, i int) weir.Request {
	w.t.Helper()
	return w.submitAs(right, "email:"+w.subjects[i].Email)
}

// submitAs submits a request of whoever has these identifiers.
func (w *world) submitAs(right weir.Right, identifiers ...string) weir.Request {
	w.t.Helper()
	var ids []engine.Identifier
	for _, text := range identifiers {
		id, err := engine.ParseIdentifier(pii.NewString(text))
		if err != nil {
			w.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	r, err := w.engine.Submit(w.t.Context(), engine.Submission{Org: acme, Right: right, Law: "gdpr", By: "kim", Identifiers: ids})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// settle works until nothing is due now. It does not pass time.
func (w *world) settle() {
	w.t.Helper()
	ctx := w.t.Context()
	for range 10_000 {
		if err := w.engine.Control(ctx); err != nil {
			w.t.Fatal(err)
		}
		due, err := w.engine.Due(ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		worked := false
		for _, org := range due {
			did, err := w.engine.Turn(ctx, org)
			if err != nil {
				w.t.Fatal(err)
			}
			worked = worked || did
		}
		if !worked {
			return
		}
	}
	w.t.Fatal("10,000 turns and still work to do: something spins")
}

// until works and passes time, in a synctest bubble, until the request has left
// the stages of a machine at work or the given time is over.
func (w *world) until(id weir.RequestID, limit time.Duration, stages ...weir.Stage) weir.Request {
	w.t.Helper()
	end := time.Now().Add(limit)
	for {
		w.settle()
		r, err := w.engine.Request(w.t.Context(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		if slices.Contains(stages, r.Stage) {
			return r
		}
		if !time.Now().Before(end) {
			w.t.Fatalf("%s is %s (%s) after %s, want %v\n%s", id, r.Stage, r.Reason, limit, stages, w.story(id))
		}
		w.pass()
	}
}

// pass sleeps until the next wake-up, at least a second and at most an hour.
func (w *world) pass() {
	w.t.Helper()
	next, ok, err := w.engine.NextWake(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	d := time.Hour
	if ok {
		d = min(max(time.Until(next), time.Second), time.Hour)
	}
	time.Sleep(d)
}

// certificate is what weir signed about a request, verified.
func (w *world) certificate(id weir.RequestID) ledger.Certificate {
	w.t.Helper()
	doc, err := w.engine.Certificate(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := w.engine.VerifyCertificate(doc)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// story tells what happened to a request, for failures.
func (w *world) story(id weir.RequestID) string {
	entries, err := w.engine.History(context.Background(), id)
	if err != nil {
		return err.Error()
	}
	out := ""
	for i, n := range entries {
		if i >= 20 && i < len(entries)-20 {
			continue
		}
		out += n.At.Format(time.RFC3339) + " " + n.Act + " " + string(n.Step)
		for k, v := range n.Detail {
			out += " " + k + "=" + v
		}
		out += "\n"
	}
	return out
}
