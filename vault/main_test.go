package vault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/vault"
)

const (
	org     = weir.OrgID("acme")
	request = weir.RequestID("R-7QK2M9XA")
	canary  = "Zoë.O'Canary+dsr@example.invalid"
)

// childVar makes the test binary play a process that is limited or killed.
const childVar = "WEIR_VAULT_TEST_CHILD"

func TestMain(m *testing.M) {
	play, ok := map[string]func() error{
		"full": childFull, "journal": childJournal, "seal": childSeal, "reexec": childReexec, "harden": childHarden,
	}[os.Getenv(childVar)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child starts the test binary in a role.
func child(t *testing.T, role string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), childVar+"="+role), env...)
	return cmd
}

// place is a vault's directory with its key beside it.
type place struct{ base, dir, kek string }

func newPlace(t *testing.T) place {
	t.Helper()
	base := t.TempDir()
	p := place{base, filepath.Join(base, "data", "vault"), filepath.Join(base, "etc", "kek")}
	check(t, vault.CreateKEKFile(p.kek))
	return p
}

func (p place) options() (vault.Options, error) {
	kek, err := vault.FileKEK(p.kek, filepath.Dir(p.dir))
	return vault.Options{Dir: p.dir, KEK: kek}, err
}

func (p place) open(t *testing.T) *vault.Vault {
	t.Helper()
	opts, err := p.options()
	check(t, err)
	v, err := vault.Open(t.Context(), opts)
	check(t, err)
	t.Cleanup(func() { check(t, v.Close()) })
	return v
}

func newVault(t *testing.T) (*vault.Vault, place) {
	t.Helper()
	p := newPlace(t)
	return p.open(t), p
}

func newKey(t *testing.T, v *vault.Vault, o weir.OrgID, r weir.RequestID) *vault.Key {
	t.Helper()
	wrapped, _, err := v.NewKey(t.Context(), o, r)
	check(t, err)
	k, err := v.Key(t.Context(), o, r, wrapped)
	check(t, err)
	t.Cleanup(k.Close)
	return k
}

func sealed(t *testing.T, k *vault.Key, id vault.BlobID, plain []byte) weir.SealRef {
	t.Helper()
	ref, err := k.Seal(t.Context(), id, writer(plain))
	check(t, err)
	return ref
}

func writer(plain []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(plain)
		return err
	}
}

// opened reads a blob to its end.
func opened(ctx context.Context, k *vault.Key, id vault.BlobID, ref weir.SealRef) ([]byte, error) {
	r, err := k.Open(ctx, id, ref)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	return b, err
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// files lists every file below dir.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	}))
	return out
}

func forge(t *testing.T, p place, ref weir.SealRef, content []byte) weir.SealRef {
	t.Helper()
	check(t, os.WriteFile(filepath.Join(p.dir, "blobs", ref.Name), content, 0o600))
	return refOf(ref.Name, content)
}

// roleVault opens the vault and a request key that the parent names.
func roleVault() (*vault.Vault, *vault.Key, error) {
	p := place{dir: os.Getenv("DIR"), kek: os.Getenv("KEK")}
	opts, err := p.options()
	if err != nil {
		return nil, nil, err
	}
	v, err := vault.Open(context.Background(), opts)
	if err != nil {
		return nil, nil, err
	}
	var wrapped []byte
	if err := json.Unmarshal([]byte(os.Getenv("WRAPPED")), &wrapped); err != nil {
		return nil, nil, err
	}
	k, err := v.Key(context.Background(), org, request, wrapped)
	return v, k, err
}

// firstWrite tells when a process has begun to print.
type firstWrite struct {
	text  bytes.Buffer // not embedded: io.Copy would go round Write
	once  sync.Once
	began chan struct{}
}

func (w *firstWrite) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.began) })
	return w.text.Write(p)
}

// killedOutput runs a role, kills it d after its first line and returns what
// it had printed.
func killedOutput(t *testing.T, cmd *exec.Cmd, d time.Duration) []byte {
	t.Helper()
	out := firstWrite{began: make(chan struct{})}
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	check(t, cmd.Start())
	select {
	case <-out.began:
	case <-time.After(20 * time.Second):
	}
	time.Sleep(d)
	check(t, cmd.Process.Kill())
	_ = cmd.Wait() // killed: that is the point
	if errs.Len() > 0 {
		t.Fatal(errs.String())
	}
	return out.text.Bytes()
}

func roleEnv(t *testing.T, p place) (wrapped []byte, env []string) {
	t.Helper()
	v := p.open(t)
	wrapped, _, err := v.NewKey(t.Context(), org, request)
	check(t, err)
	j, err := json.Marshal(wrapped)
	check(t, err)
	return wrapped, []string{"DIR=" + p.dir, "KEK=" + p.kek, "WRAPPED=" + string(j)}
}

func secret(s string) pii.Secret { return pii.NewString(s) }
