package benchmark

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
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

// world is an engine in front of emulated orgs, joined without sockets.
type world struct {
	t       *testing.T
	orgs    map[weir.OrgID]*emulator.Org
	engine  *engine.Engine
	options engine.Options
}

// newWorld makes an engine on a store for orgs of so many people each.
func newWorld(t *testing.T, dsn string, orgs, people int, latency time.Duration) *world {
	t.Helper()
	w := &world{t: t, orgs: map[weir.OrgID]*emulator.Org{}}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := vault.CreateKEKFile(filepath.Join(dir, "kek")); err != nil {
		t.Fatal(err)
	}
	skey, _, err := ledger.GenerateKey("weir-bench", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	policy := engine.DefaultPolicy()
	policy.SingleOperator, policy.IdentityVerification = true, false
	policy.ProofLag = time.Second
	w.options = engine.Options{
		DataDir: data, DSN: dsn, KEK: must(vault.FileKEK(filepath.Join(dir, "kek"), data))(t),
		SigningKey: pii.NewString(skey), Policy: policy,
	}
	_, reader, err := vault.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for i := range orgs {
		id := weir.OrgID(fmt.Sprintf("org-%d", i))
		url := fmt.Sprintf("https://org-%d.my.salesforce.com", i)
		o := emulator.New(emulator.Options{
			Seed: uint64(i), Profile: emulator.Calm(), InstanceURL: url, Latency: latency, RecycleLag: -1,
			Limits: emulator.Limits{DailyAPI: 10_000_000},
		})
		seed(o, people)
		w.orgs[id] = o
		creds := o.Credentials()
		w.options.Orgs = append(w.options.Orgs, engine.Org{
			ID: id, InstanceURL: url, APIVersion: "66.0", Transport: o.Transport(), Timeout: 30 * time.Second,
			Auth: &salesforce.ClientCredentials{ID: creds.ClientID, Secret: pii.NewString(creds.ClientSecret)},
			Map:  dataMap(t), Governor: calmPolicy(), Recipients: []string{reader},
		})
	}
	w.open()
	t.Cleanup(func() {
		if err := w.engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) open() {
	w.t.Helper()
	w.engine = must(engine.Open(w.t.Context(), w.options))(w.t)
}

// calmPolicy is the default without what only passes time: the org's own
// latency is what is waited for here.
func calmPolicy() governor.Policy {
	p := governor.DefaultPolicy()
	p.Settle = 100 * time.Millisecond
	return p
}

func dataMap(t *testing.T) *datamap.Map {
	t.Helper()
	src := must(os.ReadFile("testdata/datamap.yaml"))(t)
	return must(datamap.Parse("datamap.yaml", src))(t)
}

// recordsOf is how many records each person of seed has.
const recordsOf = 68

// seed gives the org people with 68 records each: a contact, twenty cases, an
// e-mail on each, and tasks.
func seed(o *emulator.Org, people int) {
	for i := range people {
		contact := o.Put("Contact", map[string]any{"LastName": "Doe", "Email": address(i), "Phone": "+49 30 1234567"})
		for j := range 20 {
			ticket := o.Put("Case", map[string]any{"ContactId": contact, "Subject": "Return", "Description": fmt.Sprint("parcel ", j)})
			o.Put("EmailMessage", map[string]any{"ParentId": ticket, "Subject": "Re: Return", "FromAddress": address(i)})
		}
		for range recordsOf - 41 {
			o.Put("Task", map[string]any{"WhoId": contact, "Subject": "Call back"})
		}
	}
}

func address(i int) string { return fmt.Sprintf("doe%d@example.org", i) }

func (w *world) submit(org weir.OrgID, right weir.Right, i int) weir.RequestID {
	w.t.Helper()
	id := must(engine.ParseIdentifier(pii.NewString("email:" + address(i))))(w.t)
	r := must(w.engine.Submit(w.t.Context(), engine.Submission{
		Org: org, Right: right, Law: "gdpr", By: "kim", Identifiers: []engine.Identifier{id},
	}))(w.t)
	return r.ID
}

func (w *world) stage(id weir.RequestID) weir.Request {
	w.t.Helper()
	return must(w.engine.Request(w.t.Context(), id))(w.t)
}

// await polls until every request has reached a stage.
func (w *world) await(ids []weir.RequestID, stage weir.Stage, within time.Duration) {
	w.t.Helper()
	end := time.Now().Add(within)
	for _, id := range ids {
		for w.stage(id).Stage != stage {
			if time.Now().After(end) {
				r := w.stage(id)
				w.t.Fatalf("%s is %s (%s) after %s, want %s", id, r.Stage, r.Reason, within, stage)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// running runs the engine until the returned function is called.
func (w *world) running() (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.engine.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	}
}
