package store_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/store"
)

// TestMigrations goes up, all the way down, and up again, one step at a time.
func TestMigrations(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		dialect := goose.DialectSQLite3
		if s.Dialect() == store.Postgres {
			dialect = goose.DialectPostgres
		}
		provider, err := goose.NewProvider(dialect, s.DB(), os.DirFS("migration/"+string(s.Dialect())),
			goose.WithTableName("weir_migration"), goose.WithDisableGlobalRegistry(true))
		if err != nil {
			t.Fatal(err)
		}
		first := columns(t, s)
		if _, err := provider.DownTo(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if left := columns(t, s); len(left) != 0 {
			t.Errorf("the way down leaves %v", left)
		}
		for range provider.ListSources() {
			if _, err := provider.UpByOne(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		same(t, columns(t, s), first)
		if err := s.Migrate(t.Context()); err != nil {
			t.Errorf("a second time: %v", err)
		}
	})
}

// TestSchemasAreEqual compares the tables of both stores column by column.
func TestSchemasAreEqual(t *testing.T) {
	schemas := map[store.Dialect][]string{}
	each(t, func(t *testing.T, s *store.Store) { schemas[s.Dialect()] = columns(t, s) })
	if len(schemas) < 2 {
		return // no server: the subtest above was skipped and said so
	}
	if diff := cmp.Diff(schemas[store.SQLite], schemas[store.Postgres]); diff != "" {
		t.Errorf("schemas differ (-sqlite +postgres):\n%s", diff)
	}
	if len(schemas[store.SQLite]) < 100 {
		t.Errorf("only %d columns were compared", len(schemas[store.SQLite]))
	}
}

// TestMigrateTogether starts several nodes on one empty database.
func TestMigrateTogether(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		errs := make(chan error)
		for range 3 {
			go func() { errs <- s.Migrate(t.Context()) }()
		}
		for range 3 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

// TestInTurn lets several nodes do what only one may do at a time.
func TestInTurn(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		nodes := 3
		if s.Dialect() == store.SQLite {
			nodes = 1 // only one process can hold it
		}
		var inside, ran atomic.Int32
		errs := make(chan error)
		for range nodes {
			go func() {
				errs <- s.InTurn(t.Context(), func(context.Context) error {
					if inside.Add(1) > 1 {
						t.Error("two at once")
					}
					time.Sleep(20 * time.Millisecond)
					inside.Add(-1)
					ran.Add(1)
					return nil
				})
			}()
		}
		for range nodes {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		same(t, int(ran.Load()), nodes)
	})
}

// columns describes every column of ours in words that both stores share.
func columns(t *testing.T, s *store.Store) []string {
	t.Helper()
	query := `
		SELECT m.name, c.name, c.type, c."notnull" FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'weir_migration'
		ORDER BY m.name, c.name`
	if s.Dialect() == store.Postgres {
		query = `
			SELECT table_name, column_name, data_type, CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'weir_migration'
			ORDER BY table_name COLLATE "C", column_name COLLATE "C"`
	}
	kinds := strings.NewReplacer("bigint", "INTEGER", "text", "TEXT", "bytea", "BLOB")
	var all []string
	read(t, s, query, func(scan func(...any)) {
		var table, column, kind string
		var filled bool
		scan(&table, &column, &kind, &filled)
		all = append(all, fmt.Sprintf("%s.%s %s filled=%t", table, column, kinds.Replace(kind), filled))
	})
	return append(all, indexes(t, s)...)
}

// indexes names every index that a migration made for both stores. SQLite needs
// none for the entries without a number: its unique index of numbers has them.
func indexes(t *testing.T, s *store.Store) (all []string) {
	t.Helper()
	query := `SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name`
	if s.Dialect() == store.Postgres {
		query = `
			SELECT tablename, indexname FROM pg_indexes
			WHERE schemaname = current_schema() AND indexname NOT LIKE '%_key' AND indexname NOT LIKE '%_pkey'
			ORDER BY indexname COLLATE "C"`
	}
	read(t, s, query, func(scan func(...any)) {
		var table, index string
		scan(&table, &index)
		if index == "entry_unnumbered" {
			return
		}
		all = append(all, table+" is indexed by "+index)
	})
	return all
}
