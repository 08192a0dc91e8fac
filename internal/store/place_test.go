package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/internal/store"
)

// TestSQLiteRefusesUnsafePlaces plants what an attacker on the same machine
// may plant; the victim of a link stays as it was.
func TestSQLiteRefusesUnsafePlaces(t *testing.T) {
	const other = 65534 // nobody
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		plant func(t *testing.T, dir, victim string)
		want  string
	}{
		"link for the store":     {func(t *testing.T, dir, victim string) { must(t, os.Symlink(victim, dir+"/weir.db")) }, "planted"},
		"link for its lock":      {func(t *testing.T, dir, victim string) { must(t, os.Symlink(victim, dir+"/weir.db.lock")) }, "planted"},
		"link for its WAL":       {func(t *testing.T, dir, victim string) { must(t, os.Symlink(victim, dir+"/weir.db-wal")) }, "planted"},
		"link for its index":     {func(t *testing.T, dir, victim string) { must(t, os.Symlink(victim, dir+"/weir.db-shm")) }, "planted"},
		"directory of everyone":  {func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o777)) }, "chmod go-w"},
		"directory of the group": {func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o770)) }, "chmod go-w"},
		"parent of everyone":     {func(t *testing.T, dir, _ string) { must(t, os.Chmod(filepath.Dir(dir), 0o777)) }, "chmod o-w"},
		"foreign directory":      {func(t *testing.T, dir, _ string) { must(t, os.Chown(dir, other, other)) }, "belongs to user 65534"},
		"foreign store": {func(t *testing.T, dir, _ string) {
			must(t, os.WriteFile(dir+"/weir.db", nil, 0o600))
			must(t, os.Chown(dir+"/weir.db", other, other))
		}, "belongs to user 65534"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "foreign") && os.Geteuid() != 0 {
				t.Fatal("giving a file to somebody else takes root")
			}
			base := t.TempDir()
			dir, victim := filepath.Join(base, "parent", "store"), filepath.Join(base, "victim")
			must(t, os.MkdirAll(dir, 0o700))
			must(t, os.WriteFile(victim, []byte("untouched"), 0o644))
			c.plant(t, dir, victim)
			_, err := store.Open(t.Context(), "sqlite://"+filepath.Join(dir, "weir.db"))
			refuse(t, err, store.ErrUnsafe)
			if err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v does not say %q", err, c.want)
			}
			text, err := os.ReadFile(victim)
			must(t, err)
			info, err := os.Stat(victim)
			must(t, err)
			if string(text) != "untouched" || info.Mode().Perm() != 0o644 {
				t.Errorf("the victim is %q with mode %v", text, info.Mode())
			}
		})
	}
}
