package pgtest_test

import (
	"database/sql"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/weirhq/weir/internal/pgtest"
)

// TestEachGivesAnEmptyStoreOfItsOwn writes the same table in every store: a
// store that was shared or left over would refuse the second CREATE TABLE.
func TestEachGivesAnEmptyStoreOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		pgtest.Each(t, func(t *testing.T, dsn string) {
			if seen[dsn] {
				t.Fatal("this store was given to another test before")
			}
			seen[dsn] = true
			db := open(t, dsn)
			if _, err := db.ExecContext(t.Context(), `CREATE TABLE mark (id INTEGER)`); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestPostgresDisappears looks for the database of a subtest after its end.
func TestPostgresDisappears(t *testing.T) {
	var name string
	pgtest.Each(t, func(t *testing.T, dsn string) {
		if path, ok := strings.CutPrefix(dsn, "sqlite://"); ok {
			if !strings.HasSuffix(path, "/weir.db") {
				t.Errorf("SQLite file is %s", path)
			}
			return
		}
		if err := open(t, dsn).QueryRowContext(t.Context(), `SELECT current_database()`).Scan(&name); err != nil {
			t.Fatal(err)
		}
	})
	if name == "" {
		return // no server: the subtest above was skipped and said so
	}
	t.Run("postgres", func(t *testing.T) {
		var left int
		row := open(t, pgtest.Postgres(t)).QueryRowContext(t.Context(),
			`SELECT count(*) FROM pg_database WHERE datname = $1`, name)
		if err := row.Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left != 0 {
			t.Errorf("database %s is still there", name)
		}
	})
	t.Run("sqlite", func(t *testing.T) {
		if a, b := pgtest.SQLite(t), pgtest.SQLite(t); a == b {
			t.Errorf("two calls gave the same file %s", a)
		}
	})
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	driver, source := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite://"); ok {
		driver, source = "sqlite", path
	}
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
