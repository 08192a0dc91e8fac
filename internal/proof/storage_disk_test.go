package proof

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStorage takes the disk away from a real weir in every way that a machine
// can, and gives it back: the work waits for storage meanwhile, nothing is torn,
// doubled or given up, and it goes on by itself. Mounting small file systems
// takes root.
func TestStorage(t *testing.T) {
	program := build(t)
	rounds := 2
	if os.Getenv(formVariable) == "long" {
		rounds = 24
	}
	for name, prove := range map[string]func(t *testing.T, program string){
		"a data directory of 256 KiB":         dataOf256KiB,
		"full in the middle of a page":        fullInAPage,
		"the disk of store and vault is full": fullForBoth,
		"files may not grow":                  func(t *testing.T, program string) { filesMayNotGrow(t, program, rounds) },
		"unsafe places":                       unsafePlaces,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prove(t, program)
		})
	}
}

// own makes a directory for weir alone.
func own(t *testing.T, parts ...string) string {
	t.Helper()
	dir := filepath.Join(append([]string{t.TempDir()}, parts...)...)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// dataOf256KiB: what is to be fetched is not even asked for while there is no
// room for it.
func dataOf256KiB(t *testing.T, program string) {
	data, place := tiny(t, 256<<10), own(t, "store")
	d := newDepot(t, program, data, "sqlite://"+filepath.Join(place, "weir.db"))
	email, err := d.wide(t.Context(), 300)
	if err != nil {
		t.Fatal(err)
	}
	d.start(t)
	id := d.order(t, access, email)
	d.waiting(t, id)
	before := d.truth().Calls
	if err := pause(t.Context(), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	d.waiting(t, id)
	if after := d.truth().Calls; fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("calls were spent although there was no room: %v, then %v", before, after)
	}
	resize(t, data, 32<<20)
	d.ends(t, id)
	d.sound(t, data, place)
}

// fullInAPage: the room that was there is used up while a page is sealed.
func fullInAPage(t *testing.T, program string) {
	data, place := tiny(t, 6<<20), own(t, "store")
	d := newDepot(t, program, data, "sqlite://"+filepath.Join(place, "weir.db"))
	email, err := d.wide(t.Context(), 8<<10)
	if err != nil {
		t.Fatal(err)
	}
	d.start(t)
	id := d.order(t, access, email)
	d.waiting(t, id)
	resize(t, data, 64<<20)
	d.ends(t, id)
	d.sound(t, data, place)
}

// fullForBoth: the disk is full for whatever weir wants to keep, in the middle
// of an erasure's writes.
func fullForBoth(t *testing.T, program string) {
	disk := tiny(t, 48<<20)
	data := filepath.Join(disk, "data")
	d := newDepot(t, program, data, "sqlite://"+filepath.Join(data, "weir.db"))
	d.start(t)
	for n := range 3 {
		email, err := d.person(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		id := d.order(t, erasure, email)
		writes := len(d.truth().Mutations)
		var empty func()
		d.eventually(t, "write", func() (bool, error) {
			if len(d.truth().Mutations) > writes || n == 0 {
				empty = fill(t, disk)
				return true, nil
			}
			return false, d.consent(t, id)
		})
		if err := pause(t.Context(), 4*time.Second); err != nil {
			t.Fatal(err)
		}
		empty()
		d.ends(t, id)
	}
	log, err := os.ReadFile(d.weir.path("weir.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(log, []byte("full")) {
		t.Error("weir never noticed that the disk was full: nothing was proven")
	}
	d.sound(t, data)
}

// consent approves a plan if one waits.
func (d *depot) consent(t *testing.T, id string) error {
	t.Helper()
	var doc struct {
		Request status `json:"status"`
	}
	if err := d.weir.run(t.Context(), "", &doc, "status", id); err != nil {
		return err
	}
	if doc.Request.Stage != "AWAITING_APPROVAL" {
		return nil
	}
	return unlessPassing(d.weir.run(t.Context(), "", nil, "approve", id, "--plan", doc.Request.Plan))
}

// filesMayNotGrow limits how long the files of a running weir may become
// (RLIMIT_FSIZE), a little further each time, while it works.
func filesMayNotGrow(t *testing.T, program string, rounds int) {
	data := own(t, "data")
	d := newDepot(t, program, data, "sqlite://"+filepath.Join(data, "weir.db"))
	d.start(t)
	somebody, err := d.person(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.ends(t, d.order(t, access, somebody)) // its queue runs: a weir that cannot begin to work ends
	refused := 0
	for n := range rounds {
		email, err := d.person(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		id := d.order(t, []string{erasure, access}[n%2], email)
		d.limitFiles(t, uint64(n)*3000)
		if err := pause(t.Context(), 2*time.Second); err != nil {
			t.Fatal(err)
		}
		if err := d.weir.run(t.Context(), "email:x@example.org\n", nil, "submit", "--org", alias, "--right", access); err != nil {
			refused++
		}
		d.limitFiles(t, 1<<62)
		d.ends(t, id)
	}
	if refused == 0 {
		t.Error("no limit ever bit: nothing was proven")
	}
	t.Logf("%d limits, %d of them refused a submission; all work resumed", rounds, refused)
	d.sound(t, data)
}

// unsafePlaces: `weir serve` opens nothing where others may plant files, and
// says what to do.
func unsafePlaces(t *testing.T, program string) {
	d := newDepot(t, program, "", "sqlite://"+filepath.Join(own(t, "unused"), "weir.db"))
	for name, c := range map[string]struct {
		plant func(dir string) error
		want  string
	}{
		"link as vault":          {func(dir string) error { return os.Symlink(t.TempDir(), filepath.Join(dir, "vault")) }, "symbolic link"},
		"link as store":          {func(dir string) error { return os.Symlink("/etc/hostname", filepath.Join(dir, "weir.db")) }, "planted"},
		"link as WAL":            {func(dir string) error { return os.Symlink("/etc/hostname", filepath.Join(dir, "weir.db-wal")) }, "planted"},
		"directory of everyone":  {func(dir string) error { return os.Chmod(dir, 0o777) }, "chmod"},
		"parent of everyone":     {func(dir string) error { return os.Chmod(filepath.Dir(dir), 0o777) }, "chmod o-w"},
		"directory of a foreign": {func(dir string) error { return os.Chown(dir, 65534, 65534) }, "belongs to user 65534"},
	} {
		dir := own(t, "parent", "data")
		if err := c.plant(dir); err != nil {
			t.Fatal(err)
		}
		d.weir.env = []string{"WEIR_DATA_DIR=" + dir, "WEIR_STORE=sqlite://" + filepath.Join(dir, "weir.db")}
		err := d.weir.run(t.Context(), "", nil, "serve")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: weir serve says %v, want %q and the place", name, err, c.want)
		}
	}
}
