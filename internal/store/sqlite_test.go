package store_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/store"
)

// What follows is about files, so it has no counterpart on PostgreSQL.

func TestSQLiteLockFile(t *testing.T) {
	dsn := pgtest.SQLite(t)
	first, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), dsn)
	refuse(t, err, store.ErrLocked)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dsn)
}

// However many read at once, the store holds the files that it held at first.
func TestSQLiteHoldsItsFilesFromTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	s := open(t, "sqlite://"+path)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	atFirst := descriptors(t, path)
	var inside, all sync.WaitGroup
	inside.Add(4)
	for range 4 {
		all.Go(func() {
			view(t, s, noon, func(tx *store.Tx) {
				need(tx.Orgs())
				inside.Done()
				inside.Wait()
			})
		})
	}
	all.Wait()
	same(t, descriptors(t, path), atFirst)
}

// descriptors counts what this process has open of a database.
func descriptors(t *testing.T, path string) (n int) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("the open files are only known on Linux: %v", err)
	}
	for _, fd := range open {
		if file, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(file, path) {
			n++
		}
	}
	return n
}

func TestSQLiteFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "deeper", "a b?#%.db")
	s := open(t, "sqlite://"+path)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	view(t, s, noon, func(tx *store.Tx) { need(tx.Orgs()) })
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	names := ""
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", f.Name(), info.Mode())
		}
		names += f.Name() + " "
	}
	same(t, names, "a b?#%.db a b?#%.db-shm a b?#%.db-wal a b?#%.db.lock ")
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	same(t, info.Mode().Perm(), os.FileMode(0o700))
}

func TestSQLiteMakesAnOldFilePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, "sqlite://"+path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	same(t, info.Mode().Perm(), os.FileMode(0o600))
}

func TestSQLitePragmas(t *testing.T) {
	s := open(t, pgtest.SQLite(t))
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1", "busy_timeout": "10000",
	} {
		var got string
		if err := s.DB().QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
	if s.PgxPool() != nil {
		t.Error("SQLite has a pgx pool")
	}
}

// TestCheckpointLeavesNothingDeleted looks for the bytes of a shredded key in
// every file of the store.
func TestCheckpointLeavesNothingDeleted(t *testing.T) {
	dsn := pgtest.SQLite(t)
	dir := filepath.Dir(strings.TrimPrefix(dsn, "sqlite://"))
	s := open(t, dsn)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	canary := []byte(strings.Repeat(rand.Text(), 8))
	update(t, s, noon, func(tx *store.Tx) {
		seed(tx, "R-1", "o")
		ok(tx.InsertKey("R-1", "o", "kek", canary))
	})
	if occurrences(t, dir, canary) == 0 {
		t.Fatal("the key is nowhere: this test looks in the wrong place")
	}
	update(t, s, noon, func(tx *store.Tx) { ok(tx.ShredKey("R-1")) })
	view(t, s, noon, func(tx *store.Tx) {
		need(tx.Orgs())
		refuse(t, s.Checkpoint(t.Context()), store.ErrReaders)
	})
	if err := s.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := occurrences(t, dir, canary); n != 0 {
		t.Errorf("the shredded key is still there %d times", n)
	}
}

func occurrences(t *testing.T, dir string, canary []byte) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(content, canary)
	}
	return n
}

// TestUpdateEnds stands for a database that gives no answer.
func TestUpdateEnds(t *testing.T) {
	dsn := pgtest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, dsn)
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := s.Update(t.Context(), noon, func(tx *store.Tx) error {
			time.Sleep(time.Minute)
			return tx.EnsureOrg("o")
		})
		refuse(t, err, store.ErrUnavailable)
		update(t, s, noon, func(tx *store.Tx) { same(t, len(need(tx.Orgs())), 0) })
	})
}

// TestSQLiteIndexesAreUsed asks SQLite how it would run the frequent queries.
func TestSQLiteIndexesAreUsed(t *testing.T) {
	s := open(t, pgtest.SQLite(t))
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for index, query := range map[string]string{
		"step_ready":     `SELECT * FROM step WHERE org = 'o' AND state = 'READY' ORDER BY shed, due_at, request, rank, id LIMIT 1`,
		"step_open":      `SELECT rank FROM step WHERE request = 'R-1' AND ended = 0 ORDER BY rank LIMIT 1`,
		"step_waiting":   `SELECT wake_at FROM step WHERE org = 'o' AND state = 'WAITING' ORDER BY wake_at LIMIT 1`,
		"step_executing": `SELECT count(DISTINCT claim) FROM step WHERE org = 'o' AND state = 'EXECUTING'`,
		"letter_release": `SELECT count(*) FROM letter WHERE org = 'o' AND state = 'OPEN'`,
		"(seq=?)":        `SELECT * FROM entry WHERE seq IS NULL ORDER BY id LIMIT 100`,
		"request_due":    `SELECT * FROM request ORDER BY due_at, id LIMIT 50`,
	} {
		if plan := explain(t, s, query); !strings.Contains(plan, index) {
			t.Errorf("%s is not used: %s", index, plan)
		}
	}
}

func explain(t *testing.T, s *store.Store, query string) (plan string) {
	t.Helper()
	read(t, s, "EXPLAIN QUERY PLAN "+query, func(scan func(...any)) {
		var id, parent, unused int
		var detail string
		scan(&id, &parent, &unused, &detail)
		plan += detail + "; "
	})
	return plan
}
