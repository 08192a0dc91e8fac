package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/vault"
)

// alias is the org's name in weir.yaml and in the data map.
const alias = "proof"

// installation is a weir as somebody would set it up: a directory made by
// `weir init`, an org added by `weir org add`, and a store.
type installation struct {
	t       *testing.T
	program string
	dir     string
	env     []string
	armed   []string   // further environment of `weir serve` alone
	host    []string   // command that the served program runs under; nil = none
	log     string     // file name of the served program's log
	public  string     // the ledger's public key, as printed by init
	reader  pii.Secret // whom access packages are encrypted to
}

// install sets weir up for an org. A password may not stand in weir.yaml, so
// the store's URL travels in the environment.
func install(t *testing.T, program, dsn string, o *org, f form) *installation {
	t.Helper()
	w := &installation{t: t, program: program, dir: t.TempDir(), log: "weir.log", env: []string{"WEIR_STORE=" + dsn}}
	var made struct {
		PublicKey string `json:"public_key"`
	}
	w.must(&made, "init", w.dir)
	w.public = made.PublicKey
	datamap, err := os.ReadFile("testdata/datamap.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.path("datamap", alias+".yaml"), datamap, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, recipient, err := vault.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	w.reader = reader
	w.configure(map[string]string{
		"listen: 127.0.0.1:7433":          "listen: 127.0.0.1:0",
		"single_operator: false":          "single_operator: true",
		"identity_verification: required": `identity_verification: "off"`,
		"settle: 30s":                     "settle: 1s",
		"base: 2s":                        "base: " + f.base,
	})
	w.must(nil, "org", "add", alias, "--instance-url", o.api, "--client-id", o.client, "--secret", "file:"+o.secret, "--recipient", recipient)
	w.lucky("org", "test", alias)
	w.lucky("map", "check", alias)
	return w
}

// lucky runs a verb that calls the rude org without a retry of its own.
func (w *installation) lucky(args ...string) {
	w.t.Helper()
	var err error
	for range 10 {
		if err = w.run(w.t.Context(), "", nil, args...); err == nil {
			return
		}
		if err := pause(w.t.Context(), time.Second); err != nil {
			break
		}
	}
	w.t.Fatal(err)
}

func (w *installation) path(parts ...string) string {
	return filepath.Join(append([]string{w.dir}, parts...)...)
}

// configure edits weir.yaml as a person would.
func (w *installation) configure(edits map[string]string) {
	w.t.Helper()
	file := w.path("weir.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	for from, to := range edits {
		if !bytes.Contains(text, []byte(from)) {
			w.t.Fatalf("weir.yaml has no line %q", from)
		}
		text = bytes.Replace(text, []byte(from), []byte(to), 1)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// refused is a verb that failed, as its document says.
type refused struct {
	verb string
	exit int
	code string
	text string
}

func (r *refused) Error() string {
	return fmt.Sprintf("weir %s: exit %d, %s: %s", r.verb, r.exit, r.code, r.text)
}

// exitStore is the exit code of a verb that met no weir and no store: it was
// killed in the middle, or another process holds the store at this moment.
const exitStore = 12

// exitConflict is the exit code of a verb that came too late or too early.
const exitConflict = 6

// exitThrottled is the exit code of a verb that would have to wait for the org.
const exitThrottled = 9

func failedWith(err error, exit int) bool {
	var r *refused
	return errors.As(err, &r) && r.exit == exit
}

// run executes one verb as a process of its own and decodes its document.
func (w *installation) run(ctx context.Context, stdin string, into any, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.program, append([]string{"--json", "--config", w.path("weir.yaml")}, args...)...)
	cmd.Env = append(os.Environ(), w.env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &wrong
	err := cmd.Run()
	if err != nil {
		return w.refusal(ctx, args, err, out.Bytes(), wrong.Bytes())
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		return fmt.Errorf("weir %s printed no document: %w", args[0], err)
	}
	return nil
}

func (w *installation) refusal(ctx context.Context, args []string, err error, out, wrong []byte) error {
	var failed *exec.ExitError
	if ctx.Err() != nil || !errors.As(err, &failed) {
		return fmt.Errorf("weir %s: %w", args[0], errors.Join(err, ctx.Err()))
	}
	r := &refused{verb: args[0], exit: failed.ExitCode()}
	var doc struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	for _, text := range [][]byte{out, wrong} {
		if json.Unmarshal(text, &doc) == nil && doc.Code != "" {
			r.code, r.text = doc.Code, doc.Message
			return r
		}
	}
	r.text = string(out) + string(wrong)
	return r
}

// must is run for what may not fail while no weir is being killed.
func (w *installation) must(into any, args ...string) {
	w.t.Helper()
	if err := w.run(w.t.Context(), "", into, args...); err != nil {
		w.t.Fatal(err)
	}
}

// patience is how long a verb is repeated while weir is being killed.
const patience = 30 * time.Second

// persist runs a verb until it meets a weir or its store. It is for verbs that
// may be repeated.
func (w *installation) persist(ctx context.Context, into any, args ...string) error {
	for end := time.Now().Add(patience); ; {
		err := w.run(ctx, "", into, args...)
		if !failedWith(err, exitStore) || time.Now().After(end) {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// served is what `weir serve` says about itself.
type served struct {
	Node    string `json:"node"`
	Metrics string `json:"metrics"`
}

// serve starts weir. A verb that happens to hold an embedded store at this
// moment makes it refuse to start, and it is started again, as systemd would.
func (w *installation) serve(ctx context.Context) (*process, served, error) {
	var doc served
	for end := time.Now().Add(patience); ; {
		line := append(slices.Clip(w.host), w.program, "--json", "--config", w.path("weir.yaml"), "serve")
		p := launch(w.t, w.path(w.log), slices.Concat(w.env, w.armed), line[0], line[1:]...)
		err := p.ready(&doc)
		if err == nil {
			return p, doc, nil
		}
		p.kill()
		if p.cmd.ProcessState.ExitCode() != exitStore || time.Now().After(end) {
			return nil, doc, err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return nil, doc, err
		}
	}
}
