package demo_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/demo"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/web"
	"github.com/weirhq/weir/vault"
)

func TestResultsCanBeOpened(t *testing.T) {
	d, out := run(t, nil)
	r := read(t, out).summary.Results

	identity, err := vault.ReadSecretFile(r.Package.Identity)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := os.Open(r.Package.File)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sealed.Close() }()
	plain, err := vault.Decrypt(identity, sealed)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zip.NewReader(bytes.NewReader(text), int64(len(text))); err != nil {
		t.Errorf("the package is no zip file: %v", err)
	}

	key, err := os.ReadFile(r.Certificate.Key)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := ledger.ParseVerifier(string(key))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(r.Certificate.File)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ledger.VerifyCertificate(doc, verifier)
	if err != nil {
		t.Fatal(err)
	}
	if c.Request != r.Certificate.Request || len(c.Items) != r.Certificate.Records {
		t.Errorf("the certificate is of %s with %d records, printed %s with %d", c.Request, len(c.Items), r.Certificate.Request, r.Certificate.Records)
	}
	if _, err := os.Stat(r.Certificate.HTML); err != nil {
		t.Error(err)
	}
	if got, err := d.Engine().Letter(t.Context(), r.Letter.ID); err != nil || got.Letter.Code != r.Letter.Code {
		t.Errorf("letter %s: %+v, %v", r.Letter.ID, got.Letter, err)
	}
}

func TestEveryFileIsPrivate(t *testing.T) {
	_, out := run(t, func(o *demo.Options) { o.Scenario, o.Erasure = "calm", 1 })
	all := read(t, out)
	if all.summary.ExitCode != web.ExitOK || all.summary.Results.Letter != nil {
		t.Errorf("a calm org left a dead letter: %+v", all.summary.Results.Letter)
	}
	err := filepath.WalkDir(all.start.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOnlyOurDirectoryIsTouched(t *testing.T) {
	opts := demo.Defaults()
	opts.Dir, opts.Speed, opts.Access, opts.Erasure = filepath.Join(t.TempDir(), "mine"), 0, 1, 0
	if err := os.Mkdir(opts.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := demo.Open(t.Context(), opts)
	var f *web.Failure
	if !errors.As(err, &f) || f.Exit != web.ExitConflict {
		t.Fatalf("somebody's directory: %v, want exit %d", err, web.ExitConflict)
	}
	opts.Dir = filepath.Join(t.TempDir(), "ours")
	for range 2 { // the second one replaces what the first one kept
		d, err := demo.Open(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(true); err != nil {
			t.Fatal(err)
		}
	}
	d, err := demo.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(opts.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory stayed: %v", err)
	}
}

// TestTold shows the same lines to a file and to a terminal.
func TestTold(t *testing.T) {
	_, out := run(t, nil)
	all := read(t, out)
	var plain, screen bytes.Buffer
	tellers := []demo.Teller{
		demo.NewTeller(&plain, "9.9.9", nil, false),
		demo.NewTeller(&screen, "9.9.9", func() int { return 100 }, true),
	}
	for _, to := range tellers {
		if err := to.Start(all.start); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(out) {
			tellLine(t, to, line)
		}
		if err := to.Summary(all.summary); err != nil {
			t.Fatal(err)
		}
	}
	if strings.ContainsRune(plain.String(), '\x1b') {
		t.Error("a file got escape codes")
	}
	for _, want := range []string{"weir 9.9.9", all.summary.Results.Certificate.Verify, all.summary.Results.Package.Open, all.summary.Results.Letter.Show} {
		if !strings.Contains(plain.String(), want) || !strings.Contains(screen.String(), want) {
			t.Errorf("%q was not told", want)
		}
	}
	if !strings.Contains(screen.String(), "\x1b[J") || !strings.Contains(screen.String(), "quota") {
		t.Error("the terminal got no board")
	}
}

func tellLine(t *testing.T, to demo.Teller, line []byte) {
	t.Helper()
	var e demo.Event
	var s demo.Status
	err := errors.Join(json.Unmarshal(line, &e), json.Unmarshal(line, &s))
	switch e.Type {
	case "event":
		err = errors.Join(err, to.Event(e))
	case "status":
		err = errors.Join(err, to.Status(s))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestClock(t *testing.T) {
	start := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	c := demo.NewClock(start, 7200)
	if got := c.Now(); !got.Equal(start) {
		t.Errorf("a clock that does not run yet shows %v", got)
	}
	c.Run()
	calls, slow := c.Slow()
	if !slow {
		t.Error("the clock does not begin slowly")
	}
	c.Hurry(calls)
	if _, slow := c.Slow(); slow {
		t.Error("the clock does not hurry")
	}
	later := start.Add(48 * time.Hour)
	c.SkipTo(later)
	c.SkipTo(start)
	if got := c.Now(); got.Before(later) {
		t.Errorf("the clock went back to %v", got)
	}
}
