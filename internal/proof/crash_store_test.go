package proof

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/weirhq/weir/internal/pgtest"
	_ "github.com/weirhq/weir/internal/store" // the drivers "sqlite" and "pgx"
)

// cable is what joins weir to its store; pulling it makes the store unreachable
// while the process lives.
type cable interface {
	pull(ctx context.Context) error
	plug(ctx context.Context) error
}

func newCable(t *testing.T, dsn string) cable {
	t.Helper()
	open := func(driver, source string) *sql.DB {
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		return db
	}
	if path, ok := strings.CutPrefix(dsn, "sqlite://"); ok {
		return &lock{db: open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_txlock=immediate")}
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return &sessions{db: open("pgx", os.Getenv(pgtest.ServerVariable)), name: strings.TrimPrefix(u.Path, "/")}
}

// lock keeps SQLite's write lock, as a backup tool gone wrong would: weir's
// writes fail once SQLite has waited for it in vain.
type lock struct {
	db *sql.DB
	tx *sql.Tx
}

func (l *lock) pull(ctx context.Context) (err error) {
	l.tx, err = l.db.BeginTx(context.WithoutCancel(ctx), nil)
	return err
}

func (l *lock) plug(context.Context) error { return l.tx.Rollback() }

// sessions is a PostgreSQL that ends the sessions of one database and lets none in.
type sessions struct {
	db   *sql.DB
	name string
}

func (s *sessions) pull(ctx context.Context) error {
	_, first := s.db.ExecContext(ctx, `ALTER DATABASE "`+s.name+`" ALLOW_CONNECTIONS false`)
	_, second := s.db.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, s.name)
	return errors.Join(first, second)
}

func (s *sessions) plug(ctx context.Context) error {
	_, err := s.db.ExecContext(context.WithoutCancel(ctx), `ALTER DATABASE "`+s.name+`" ALLOW_CONNECTIONS true`)
	return err
}
