package benchmark

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/vault"
)

// program is weir as it is shipped, built once for all scenarios.
func program(t *testing.T) string {
	t.Helper()
	dir := must(builtOnce())(t)
	return filepath.Join(dir, "weir")
}

var builtOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "weir-bench-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "weir"), "github.com/weirhq/weir/cmd/weir")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build weir: %w: %s", err, out)
	}
	return dir, nil
})

// installation is a weir as somebody would set it up, for emulated orgs that
// this process serves over loopback.
type installation struct {
	t       *testing.T
	program string
	dir     string
	env     []string
}

// install makes an installation on a store; an empty one is the default file.
func install(t *testing.T, dsn string) *installation {
	t.Helper()
	w := &installation{t: t, program: program(t), dir: t.TempDir()}
	if dsn != "" {
		w.env = []string{"WEIR_STORE=" + dsn}
	}
	w.run("", "init", w.dir)
	w.configure(map[string]string{
		"listen: 127.0.0.1:7433":          "listen: 127.0.0.1:0",
		"single_operator: false":          "single_operator: true",
		"identity_verification: required": `identity_verification: "off"`,
		"settle: 30s":                     "settle: 1s",
	})
	return w
}

// connect serves an emulated org and adds it.
func (w *installation) connect(name string, o *emulator.Org) {
	w.t.Helper()
	srv := httptest.NewServer(o.Handler())
	w.t.Cleanup(srv.Close)
	creds := o.Credentials()
	secret := filepath.Join(w.t.TempDir(), "secret")
	if err := vault.WriteSecretFile(secret, pii.NewString(creds.ClientSecret)); err != nil {
		w.t.Fatal(err)
	}
	src := must(os.ReadFile("testdata/datamap.yaml"))(w.t)
	file := filepath.Join(w.dir, "datamap", name+".yaml")
	if err := os.WriteFile(file, bytes.Replace(src, []byte("org: bench"), []byte("org: "+name), 1), 0o600); err != nil {
		w.t.Fatal(err)
	}
	_, recipient, err := vault.NewIdentity()
	if err != nil {
		w.t.Fatal(err)
	}
	w.run("", "org", "add", name, "--instance-url", srv.URL, "--client-id", creds.ClientID,
		"--secret", "file:"+secret, "--recipient", recipient)
}

func (w *installation) configure(edits map[string]string) {
	w.t.Helper()
	file := filepath.Join(w.dir, "weir.yaml")
	text := string(must(os.ReadFile(file))(w.t))
	for from, to := range edits {
		if !strings.Contains(text, from) {
			w.t.Fatalf("weir.yaml has no line %q", from)
		}
		text = strings.Replace(text, from, to, 1)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *installation) args(args []string) []string {
	return append([]string{"--json", "--config", filepath.Join(w.dir, "weir.yaml")}, args...)
}

// run executes a verb and returns its document.
func (w *installation) run(stdin string, args ...string) []byte {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.program, w.args(args)...)
	cmd.Env = append(os.Environ(), w.env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &wrong
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("weir %s: %v\n%s%s", args[0], err, out.Bytes(), wrong.Bytes())
	}
	return out.Bytes()
}

// server is a running `weir serve`.
type server struct {
	t   *testing.T
	cmd *exec.Cmd
	out io.Reader
	log string
}

// serve starts weir and returns once it has said that it runs.
func (w *installation) serve() *server {
	w.t.Helper()
	s := w.start()
	s.ready()
	return s
}

// start starts weir; ready is to be called.
func (w *installation) start() *server {
	w.t.Helper()
	cmd := exec.Command(w.program, w.args([]string{"serve"})...)
	cmd.Env = append(os.Environ(), w.env...)
	log := must(os.OpenFile(filepath.Join(w.dir, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600))(w.t)
	defer func() { _ = log.Close() }() // the child has its own
	cmd.Stderr = log
	out := must(cmd.StdoutPipe())(w.t)
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	s := &server{w.t, cmd, out, log.Name()}
	w.t.Cleanup(s.kill)
	return s
}

// ready returns once weir has said that it runs.
func (s *server) ready() {
	s.t.Helper()
	if _, err := bufio.NewReader(s.out).ReadBytes('\n'); err != nil {
		s.t.Fatalf("weir serve did not start: %v\n%s", err, must(os.ReadFile(s.log))(s.t))
	}
}

// answers waits until the socket of the data directory takes a connection.
func (w *installation) answers() {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if dial(filepath.Join(w.dir, "data", "weir.sock")) == nil {
			return
		}
	}
	w.t.Fatal("nothing answers on the socket")
}

func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Signal(syscall.SIGKILL) // it may end at this very moment
		_ = s.cmd.Wait()
	}
}

// cpu is the processor time that the program has used, all its threads together:
// on a machine that others use too, it says more than the clock.
func (s *server) cpu() time.Duration {
	s.t.Helper()
	text := string(must(os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid)))(s.t))
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("weir serve ended with %v", err)
	}
}

// decode reads a document.
func decode[T any](t *testing.T, text []byte) (doc T) {
	t.Helper()
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}
