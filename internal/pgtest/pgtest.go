package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the "pgx" driver, for the databases of the tests
)

// ServerVariable is the environment variable that holds the URL of a
// PostgreSQL server on which tests may create and drop databases.
const ServerVariable = "WEIR_TEST_POSTGRES"

// patience bounds the creation and the removal of one database. Copying the
// template takes some 50 ms on an idle machine; -race on two busy cores is far
// from idle.
const patience = time.Minute

// Each runs test as the subtests "sqlite" and "postgres", each with the URL of
// an empty store of its own that disappears when the subtest ends.
func Each(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// SQLite returns the URL of a SQLite file that does not exist yet, in a
// directory of the test.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite://" + filepath.Join(t.TempDir(), "weir.db")
}

// Postgres returns the URL of an empty database, which is dropped when the
// test ends, whoever is still connected. Without a server the test is skipped;
// `make test` counts that as a failure.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(ServerVariable)
	if server == "" {
		t.Skipf("%s is not set: `make test` starts a PostgreSQL server for the tests, and so does `scripts/with-postgres go test ./...`", ServerVariable)
	}
	name := "weir_test_" + rand.Text()
	dsn, err := on(server, name)
	if err != nil {
		t.Fatalf("%s: %v", ServerVariable, err)
	}
	if err := administer(server, `CREATE DATABASE "`+name+`"`); err != nil {
		t.Fatalf("create a database for this test: %v", err)
	}
	t.Cleanup(func() {
		if err := administer(server, `DROP DATABASE "`+name+`" WITH (FORCE)`); err != nil {
			t.Errorf("drop the database of this test: %v", err)
		}
	})
	return dsn
}

// on returns the server's URL with another database in it.
func on(server, database string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", fmt.Errorf("%q is not the scheme of a PostgreSQL URL", u.Scheme)
	}
	u.Path = "/" + database
	return u.String(), nil
}

// administer runs one statement on the server over a connection of its own.
func administer(server, statement string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer func() {
		if closing := db.Close(); err == nil {
			err = closing
		}
	}()
	_, err = db.ExecContext(ctx, statement)
	return err
}
