package vault_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/weirhq/weir/vault"
)

func TestOpenRefusesUnsafeDirectories(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(t *testing.T, p place)
		want    []string
	}{
		"others may list it": {func(t *testing.T, p place) {
			check(t, os.MkdirAll(p.dir, 0o700))
			check(t, os.Chmod(p.dir, 0o755))
		}, []string{"0755", "chmod 700"}},
		"others may write to it": {func(t *testing.T, p place) {
			check(t, os.MkdirAll(p.dir, 0o700))
			check(t, os.Chmod(p.dir, 0o777))
		}, []string{"0777"}},
		"a link": {func(t *testing.T, p place) {
			check(t, os.MkdirAll(filepath.Join(p.base, "real"), 0o700))
			check(t, os.MkdirAll(filepath.Dir(p.dir), 0o700))
			check(t, os.Symlink(filepath.Join(p.base, "real"), p.dir))
		}, []string{"symbolic link"}},
		"a file": {func(t *testing.T, p place) {
			check(t, os.MkdirAll(filepath.Dir(p.dir), 0o700))
			check(t, os.WriteFile(p.dir, nil, 0o600))
		}, []string{"not a directory"}},
		"a parent is everyone's": {func(t *testing.T, p place) {
			check(t, os.MkdirAll(filepath.Dir(p.dir), 0o700))
			check(t, os.Chmod(filepath.Dir(p.dir), 0o777))
		}, []string{"writable by everyone", "chmod o-w"}},
		"its parent is somebody else's": {func(t *testing.T, p place) {
			check(t, os.MkdirAll(filepath.Dir(p.dir), 0o700))
			giveAway(t, filepath.Dir(p.dir))
		}, []string{"belongs to user"}},
		"blobs is a planted link": {func(t *testing.T, p place) {
			check(t, os.MkdirAll(p.dir, 0o700))
			check(t, os.MkdirAll(filepath.Join(p.dir, "out"), 0o700))
			check(t, os.Symlink("out", filepath.Join(p.dir, "blobs"))) // stays inside the root
		}, []string{"blobs", "symbolic link"}},
		"journal is open to the group": {func(t *testing.T, p place) {
			check(t, os.MkdirAll(filepath.Join(p.dir, "journal"), 0o700))
			check(t, os.Chmod(filepath.Join(p.dir, "journal"), 0o770))
		}, []string{"journal", "0770"}},
		"the keys are readable": {func(t *testing.T, p place) {
			p.open(t)
			check(t, os.Chmod(filepath.Join(p.dir, "keys"), 0o644))
		}, []string{"keys", "0644"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			c.prepare(t, p)
			opts, err := p.options()
			check(t, err)
			_, err = vault.Open(t.Context(), opts)
			refused(t, name, err, c.want...)
		})
	}
}

func TestOpenRefusesForeignOwner(t *testing.T) {
	p := newPlace(t)
	opts, err := p.options()
	check(t, err)
	if os.Geteuid() == 0 {
		check(t, os.MkdirAll(p.dir, 0o700))
		check(t, os.Chown(p.dir, foreign, -1))
	} else {
		opts.Dir = "/root" // root's, 0700 wherever Debian's defaults stand
	}
	_, err = vault.Open(t.Context(), opts)
	refused(t, "foreign owner", err)
}

// giveAway makes a directory somebody else's, which takes root.
func giveAway(t *testing.T, dir string) {
	t.Helper()
	if err := os.Chown(dir, foreign, -1); err != nil {
		t.Fatal(err)
	}
}

func TestOpenAcceptsStickyParent(t *testing.T) {
	p := newPlace(t)
	check(t, os.MkdirAll(filepath.Dir(p.dir), 0o700))
	check(t, os.Chmod(filepath.Dir(p.dir), 0o777|os.ModeSticky))
	p.open(t)
}

// TestPlantedTargets: a link under the name of a blob, a delivery or a
// temporary file never makes weir write to where it points.
func TestPlantedTargets(t *testing.T) {
	v, p := newVault(t)
	victim := filepath.Join(p.base, "victim")
	check(t, os.WriteFile(victim, []byte("untouched"), 0o600))
	k := newKey(t, v, org, request)
	ref := sealed(t, k, page, []byte("x"))
	blob := filepath.Join(p.dir, "blobs", ref.Name)
	check(t, os.Remove(blob))
	check(t, os.Symlink(victim, blob))
	if _, err := opened(t.Context(), k, page, ref); err == nil {
		t.Error("a link that leaves the vault was followed")
	}
	ref = sealed(t, k, page, []byte("y"))
	if b, err := opened(t.Context(), k, page, ref); err != nil || string(b) != "y" {
		t.Errorf("%q, %v", b, err)
	}
	check(t, os.Symlink(victim, filepath.Join(p.dir, "out", "d.age")))
	_, err := v.Place("d.age", writer([]byte("z")))
	check(t, err)
	if b, err := os.ReadFile(victim); err != nil || string(b) != "untouched" {
		t.Errorf("the victim was overwritten: %v", err)
	}
}

func TestTwoProcessesMakeOneSetOfKeys(t *testing.T) {
	p := newPlace(t)
	a, b := p.open(t), p.open(t)
	if a.Index("k", []byte("x")) != b.Index("k", []byte("x")) {
		t.Error("two openings of one vault disagree about its keys")
	}
}
