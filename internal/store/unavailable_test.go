package store_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/store"
)

// testUnavailable takes the database away in the middle of a transaction, and
// gives it back.
func testUnavailable(t *testing.T, s *store.Store) {
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	take, back := `PRAGMA max_page_count = 1`, `PRAGMA max_page_count = 1000000` // a full disk
	if s.Dialect() == store.Postgres {
		take, back = `SELECT pg_terminate_backend(pg_backend_pid())`, `SELECT 1` // a restart of the server
	}
	err := s.Update(t.Context(), noon, func(tx *store.Tx) error {
		if _, err := tx.SQL().ExecContext(t.Context(), take); err != nil {
			return err
		}
		return tx.SetSetting("big", strings.Repeat("x", 1<<20))
	})
	refuse(t, err, store.ErrUnavailable)
	if _, err := s.DB().ExecContext(t.Context(), back); err != nil {
		t.Fatal(err)
	}
	update(t, s, noon, func(tx *store.Tx) { ok(tx.SetSetting("big", "small")) })
}

// TestASilentTransactionLosesItsLocks stands for a node that is stopped, or whose
// machine freezes, in the middle of a transaction: the others go on, and when it
// wakes it learns that nothing of it was done.
func TestASilentTransactionLosesItsLocks(t *testing.T) {
	dsn := pgtest.Postgres(t)
	s, others := open(t, dsn), open(t, dsn)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	update(t, s, noon, func(tx *store.Tx) { ok(tx.EnsureOrg("o")) })
	held, goOn, over := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		over <- s.Update(t.Context(), noon, func(tx *store.Tx) error {
			org, err := tx.LockOrg("o")
			close(held)
			<-goOn
			org.WakeAt = noon.Add(time.Hour)
			return errors.Join(err, tx.SaveOrg(org))
		})
	}()
	<-held
	began := time.Now()
	update(t, others, noon, func(tx *store.Tx) { need(tx.LockOrg("o")) })
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the others waited %s", took)
	}
	close(goOn)
	refuse(t, <-over, store.ErrUnavailable)
	update(t, s, noon, func(tx *store.Tx) { same(t, need(tx.Org("o")).WakeAt.IsZero(), true) })
}

// TestACommitThatNobodyAnswers may have been carried out. Whoever holds an outcome
// must keep it, so that it is known as the database's absence.
func TestACommitThatNobodyAnswers(t *testing.T) {
	d := pgtest.StartDeaf(t, pgtest.Postgres(t))
	s := open(t, d.DSN)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.Every(1)
	refuse(t, s.Update(t.Context(), noon, func(tx *store.Tx) error { return tx.SetSetting("k", "kept") }), store.ErrUnavailable)
	d.Every(0)
	if n := d.Lost(); n != 1 {
		t.Errorf("%d answers were lost", n)
	}
	view(t, s, noon, func(tx *store.Tx) { same(t, need(tx.Setting("k")), "kept") })
}

// testAMistakeIsNotUnavailable: a statement that the database refuses must not
// end in the journal, from which it would be refused for ever.
func testAMistakeIsNotUnavailable(t *testing.T, s *store.Store) {
	err := s.Update(t.Context(), noon, func(tx *store.Tx) error {
		ok(tx.EnsureOrg("o"))
		ok(tx.InsertRequest(request("R-1", "o"), ""))
		return tx.InsertRequest(request("R-1", "o"), "")
	})
	if err == nil || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("error is %v", err)
	}
	view(t, s, noon, func(tx *store.Tx) {
		_, err := tx.Request("R-1")
		refuse(t, err, store.ErrNotFound)
	})
}

func TestOpenRefuses(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	notADatabase := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(notADatabase, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dsn := range map[string]string{
		"nothing":        "",
		"scheme":         "mysql://u:hunter2@h/db",
		"no path":        "sqlite://",
		"directory":      "sqlite://" + t.TempDir(),
		"not a database": "sqlite://" + notADatabase,
		"no port":        "postgres://u:hunter2@h:port/db",
		"nobody there":   "postgres://u:hunter2@" + closed + "/db",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := store.Open(t.Context(), dsn)
			if err == nil {
				t.Fatal("opened")
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password stands in the error: %v", err)
			}
			if unreachable := name == "nobody there" || name == "not a database"; errors.Is(err, store.ErrUnavailable) != unreachable {
				t.Errorf("unavailable should be %t: %v", unreachable, err)
			}
		})
	}
}
