package web_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/internal/web"
	"github.com/weirhq/weir/salesforce"
	"github.com/weirhq/weir/vault"
)

// open makes an engine in front of a calm emulated org, without working it.
func open(t *testing.T) (*engine.Engine, string) {
	t.Helper()
	dir := t.TempDir()
	org := emulator.New(emulator.Options{Profile: emulator.Calm(), InstanceURL: "https://acme.my.salesforce.com"})
	emulator.SeedSmall(org)
	if err := vault.CreateKEKFile(filepath.Join(dir, "kek")); err != nil {
		t.Fatal(err)
	}
	// A path that is too long for a socket's address must work too.
	data := filepath.Join(dir, strings.Repeat("long", 25))
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.FileKEK(filepath.Join(dir, "kek"), data)
	if err != nil {
		t.Fatal(err)
	}
	signing, _, err := ledger.GenerateKey("weir-test", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m, err := datamap.Parse("starter.yaml", datamap.Starter("acme"))
	if err != nil {
		t.Fatal(err)
	}
	creds := org.Credentials()
	e, err := engine.Open(t.Context(), engine.Options{
		DataDir: data, DSN: "sqlite://" + filepath.Join(data, "weir.db"), KEK: kek, SigningKey: pii.NewString(signing), Policy: engine.DefaultPolicy(),
		Orgs: []engine.Org{{
			ID: "acme", InstanceURL: "https://acme.my.salesforce.com", APIVersion: "66.0", Map: m, Transport: org.Transport(),
			Auth: &salesforce.ClientCredentials{ID: creds.ClientID, Secret: pii.NewString(creds.ClientSecret)}, Governor: governor.DefaultPolicy(),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, data
}

// serve answers on the socket until the test ends.
func serve(t *testing.T, e *engine.Engine, dir string) *web.Remote {
	t.Helper()
	s, err := web.NewServer(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, e) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(filepath.Join(dir, web.SocketName)); err == nil {
			t.Error("the socket is still there")
		}
	})
	for range 200 {
		r, err := web.Dial(ctx, dir)
		if err != nil {
			t.Fatal(err)
		}
		if r != nil {
			return r
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the socket does not answer")
	return nil
}

// TestBothWaysAreOne submits and then asks every operation that only reads in
// this process and through the socket.
func TestBothWaysAreOne(t *testing.T) {
	e, dir := open(t)
	if r, err := web.Dial(t.Context(), dir); r != nil || err != nil {
		t.Fatalf("Dial without a socket = %v, %v", r, err)
	}
	remote, local := serve(t, e, dir), web.Local{Engine: e, By: "kim"}
	info, err := os.Stat(filepath.Join(dir, web.SocketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("socket mode %v, %v", info.Mode(), err)
	}
	var submitted web.RequestAnswer
	in := web.SubmitInput{Org: "acme", Right: weir.Erasure, Law: "gdpr", Identifiers: []string{"email:someone@example.test"}}
	if err := remote.Call(t.Context(), "submit", in, &submitted); err != nil {
		t.Fatal(err)
	}
	if want := web.Person(os.Getuid()); submitted.Request.SubmittedBy != want {
		t.Errorf("submitted by %q, want the user of this process, %q", submitted.Request.SubmittedBy, want)
	}
	id := web.IDInput{ID: string(submitted.Request.ID)}
	inputs := map[string]any{
		"ping": web.None{}, "requests": web.RequestsInput{}, "status": id, "plan": id, "why": id, "history": id,
		"events": web.EventsInput{}, "letters": web.LettersInput{}, "letter": web.LetterInput{ID: "DL-9"},
		"limits": web.OrgInput{Org: "acme"}, "forecast": web.OrgInput{Org: "acme"}, "checkpoint": web.None{}, "audit-verify": web.AuditInput{}, "audit-export": web.AuditExportInput{},
		"certificate": id, "package": id, "totals": web.None{}, "nonsense": web.None{},
		"admit": web.AdmitInput{Org: "acme"}, "observe": web.ObserveInput{Org: "acme", Admission: "gone"},
		"release": web.ReleaseInput{Org: "nowhere"},
		"keys":    web.None{}, "keys-rewrap": web.None{}, "keys-rotate": web.None{},
		"keys-destroy": web.KEKInput{ID: "nobody"}, "keys-reshred": web.ReshredInput{},
		"verify": web.VerifyInput{ID: submitted.Request.ID}, "approve": web.ApproveInput{ID: submitted.Request.ID, Plan: "00000000"},
		"resolve": web.LetterInput{ID: "DL-9", As: "forgotten"}, "retry": web.LetterInput{ID: "DL-9"}, "replan": web.IDInput{ID: "R-NOBODY"},
		"submit": web.SubmitInput{Org: "acme", Right: weir.Access, Law: "gdpr", Identifiers: []string{"nonsense"}},
		"urgent": web.UrgentInput{ID: submitted.Request.ID, Off: true},
		"reject": web.EndInput{ID: "R-NOBODY"}, "cancel": web.EndInput{ID: "R-NOBODY"}, "test-org": web.OrgInput{Org: "nowhere"},
	}
	for name := range web.Operations() {
		if _, ok := inputs[name]; !ok {
			t.Errorf("operation %s is not compared", name)
		}
	}
	for name, in := range inputs {
		here, there := answer(t, local, name, in), answer(t, remote, name, in)
		if diff := cmp.Diff(here, there); diff != "" {
			t.Errorf("%s differs between process and socket:\n%s", name, diff)
		}
	}
}

// answer calls an operation and returns its document or its failure.
func answer(t *testing.T, c web.Caller, name string, in any) map[string]any {
	t.Helper()
	doc := map[string]any{}
	err := c.Call(t.Context(), name, in, &doc)
	if err == nil {
		if schema, _ := doc["schema"].(string); !strings.HasPrefix(schema, "weir.") {
			t.Errorf("%s: a document without schema", name)
		}
		// The clock went on between the two calls.
		scrub(doc, "forecast_finish", "slack_seconds", "age_seconds", "admission", "p10", "p50", "p90", "p95")
		return doc
	}
	var f *web.Failure
	if !errors.As(err, &f) || f.Exit == 0 || f.Code == "" || f.Message == "" || f.Schema != "weir.error/v1" {
		t.Errorf("%s: %v is no failure that people and scripts can read", name, err)
		return nil
	}
	return map[string]any{"exit": f.Exit, "code": f.Code, "message": f.Message, "hint": f.Hint}
}

func scrub(doc any, keys ...string) {
	switch v := doc.(type) {
	case map[string]any:
		for k, e := range v {
			if slices.Contains(keys, k) {
				delete(v, k)
			}
			scrub(e, keys...)
		}
	case []any:
		for _, e := range v {
			scrub(e, keys...)
		}
	}
}

func TestRemoteGivesUpWithItsCaller(t *testing.T) {
	e, dir := open(t)
	remote := serve(t, e, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var f *web.Failure
	if err := remote.Call(ctx, "ping", web.None{}, &web.PingAnswer{}); !errors.As(err, &f) || f.Exit != web.ExitInterrupted {
		t.Errorf("Call = %v, want an interruption", err)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		err  error
		exit int
		code string
	}{
		{engine.ErrStale, web.ExitConflict, "plan_stale"},
		{engine.ErrFourEyes, web.ExitAuth, "four_eyes"},
		{engine.ErrReason, web.ExitUsage, "reason"},
		{engine.ErrNotFound, web.ExitNotFound, "not_found"},
		{engine.ErrLocked, web.ExitStore, "store_locked"},
		{engine.ErrMismatch, web.ExitIntegrity, "decision_mismatch"},
		{engine.ErrIdentifier, web.ExitUsage, "identifier"},
		{weir.ErrNoSuchTransition, web.ExitConflict, "not_in_that_state"},
		{context.DeadlineExceeded, web.ExitFailure, "timeout"},
		{context.Canceled, web.ExitInterrupted, "interrupted"},
		{errors.New("odd"), web.ExitFailure, "unexpected"},
	} {
		f := web.AsFailure(fmt.Errorf("while testing: %w", c.err))
		if f.Exit != c.exit || f.Code != c.code {
			t.Errorf("%v: exit %d %s, want %d %s", c.err, f.Exit, f.Code, c.exit, c.code)
		}
		if doc, err := json.Marshal(f); err != nil || strings.Contains(string(doc), "\n") {
			t.Errorf("%v: the document is not one line: %v", c.err, err)
		}
		if web.AsFailure(f) != f {
			t.Errorf("%v: a failure does not stay itself", c.err)
		}
	}
}
