package proof

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// depot is a weir in front of a calm org whose disk is about to fill up.
type depot struct {
	*flock
	weir    *installation
	running *process
	where   served
}

// newDepot sets weir up with its data directory and its SQLite store wherever
// the caller wants them.
func newDepot(t *testing.T, program, data, dsn string) *depot {
	t.Helper()
	d := &depot{flock: newFlock(t, program, alias, time.Second)}
	d.weir = install(t, program, dsn, d.org, form{base: "200ms"})
	// An outcome that nobody could keep is read back when its claim has ended.
	d.weir.configure(map[string]string{"alias: " + alias + "\n": "alias: " + alias + "\n    timeout: " + shortTimeout + "\n"})
	d.weir.env = append(d.weir.env, "WEIR_DATA_DIR="+data, "WEIR_RETRY_CEILING=1s", "WEIR_RETRY_MAX_ATTEMPTS=1000")
	return d
}

func (d *depot) start(t *testing.T) {
	t.Helper()
	var err error
	if d.running, d.where, err = d.weir.serve(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, tail(d.weir.path("weir.log")))
	}
}

// tiny mounts a file system of so many bytes; taking space away and giving it
// back are the test's. It takes root.
func tiny(t *testing.T, bytes int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, sized(bytes)); err != nil {
		t.Fatalf("mount a file system of %d bytes: %v; this proof takes root, or the right to mount", bytes, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

func sized(bytes int) string { return "mode=0700,size=" + strconv.Itoa(bytes) }

func resize(t *testing.T, dir string, bytes int) {
	t.Helper()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, sized(bytes)); err != nil {
		t.Fatalf("resize %s: %v", dir, err)
	}
}

// fill takes all the space that is left, and returns how to give it back.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for piece := 64 << 10; piece > 0; piece /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, piece))
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// waiting waits until `weir why` says that the request waits for storage.
func (d *depot) waiting(t *testing.T, id string) {
	t.Helper()
	d.eventually(t, "wait for storage", func() (bool, error) {
		out, err := d.weir.output(t.Context(), "why", id)
		return strings.Contains(string(out), "our own disk is full"), err
	})
}

func (d *depot) eventually(t *testing.T, what string, ask func() (bool, error)) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; {
		done, err := ask()
		if done {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("no %s: %v\n%s", what, err, tail(d.weir.path("weir.log")))
		}
		if err := pause(t.Context(), 200*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
}

// ends waits for the end of a request, without anybody's help but an approval.
func (d *depot) ends(t *testing.T, id string) {
	t.Helper()
	approved := false
	d.eventually(t, "end of "+id, func() (bool, error) {
		var doc struct {
			Request status `json:"status"`
		}
		if err := d.weir.run(t.Context(), "", &doc, "status", id); err != nil {
			return false, err
		}
		r := doc.Request
		if len(r.Letters) > 0 {
			t.Fatalf("%s became a dead letter of a person: %v", id, r.Letters)
		}
		if r.Stage == "AWAITING_APPROVAL" && !approved {
			approved = true
			return false, unlessPassing(d.weir.run(t.Context(), "", nil, "approve", id, "--plan", r.Plan))
		}
		return r.Stage == "DELIVERED" || r.Stage == "CLOSED", nil
	})
}

// sound stops weir and looks at what the full disk has left behind.
func (d *depot) sound(t *testing.T, dirs ...string) {
	t.Helper()
	figures, err := scrape(t.Context(), d.where.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"weir_accounting_balance", "weir_journal_outcomes", "weir_dead_letters"} {
		if figures[name] != "0" {
			t.Errorf("%s is %q at the end, want 0", name, figures[name])
		}
	}
	truth := d.truth()
	for _, m := range truth.Doubled() {
		t.Errorf("doubled: %s of %s %s", m.Method, m.Object, m.ID)
	}
	private(t, dirs...)
	if err := d.running.stop(15 * time.Second); err != nil {
		t.Errorf("weir does not stop: %v", err)
	}
	d.weir.must(nil, "audit", "verify", "--key", d.weir.public)
	private(t, dirs...)
}

// private demands 0600 of every file and 0700 of every directory, and that
// nothing unfinished is left.
func private(t *testing.T, dirs ...string) {
	t.Helper()
	n := 0
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			n++
			want := fs.FileMode(0o600)
			if e.IsDir() {
				want = 0o700
			}
			if info.Mode().Perm() != want {
				t.Errorf("%s has mode %#o, want %#o", path, info.Mode().Perm(), want)
			}
			if strings.HasPrefix(e.Name(), "tmp-") {
				t.Errorf("left behind: %s", path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 5 {
		t.Errorf("only %d files and directories were looked at", n)
	}
}

// limitFiles sets how long a file of the running weir may become.
func (d *depot) limitFiles(t *testing.T, bytes uint64) {
	t.Helper()
	pid := d.running.cmd.Process.Pid
	limit := unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}
	_, _, failed := syscall.RawSyscall6(unix.SYS_PRLIMIT64, uintptr(pid), unix.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if failed != 0 {
		t.Fatalf("limit the files of weir: %v\n%s", failed, tail(d.weir.path(d.weir.log)))
	}
}

// wide puts somebody into the org whose records take so many kilobytes.
func (d *depot) wide(ctx context.Context, kilobytes int) (email string, err error) {
	email, err = d.person(ctx)
	for n := 0; err == nil && n < kilobytes; n += 30 {
		err = d.send(ctx, http.MethodPost, "/records", map[string]any{"object": "Case", "fields": map[string]any{
			"Subject": fmt.Sprintf("Long story %d", n), "Description": noise(30 << 10), "Status": "Working",
			"Origin": "Email", "SuppliedEmail": email, "Approval_Status__c": "None",
		}}, nil)
	}
	return email, err
}

// noise is text that does not shrink: an answer that does, a thousandfold, is
// refused as a bomb.
func noise(n int) string {
	b := make([]byte, n*3/4)
	_, _ = rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

// order submits a request of somebody.
func (d *depot) order(t *testing.T, right, email string) (id string) {
	t.Helper()
	var doc struct {
		Request status `json:"request"`
	}
	if err := d.weir.run(t.Context(), "email:"+email+"\n", &doc, "submit", "--org", alias, "--right", right); err != nil {
		t.Fatal(err)
	}
	return doc.Request.ID
}
