package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migration/sqlite/*.sql migration/postgres/*.sql
var migrations embed.FS

// migrationTable is where goose notes what it has run. River has its own.
const migrationTable = "weir_migration"

// Migrate brings our tables up to date; nodes that start together take turns.
// River's tables are its own affair: see InTurn.
func (s *Store) Migrate(ctx context.Context) error {
	provider, err := s.provider()
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", Unavailable(err))
	}
	return nil
}

// InTurn runs fn while no other node runs one. It is for migrations that do not
// order themselves, such as River's: of six nodes that started together on an
// empty database up to five failed on a type that another had just made. An
// embedded store has one process.
func (s *Store) InTurn(ctx context.Context, fn func(context.Context) error) (err error) {
	if s.dialect == SQLite {
		return fn(ctx)
	}
	locker, err := turns()
	if err != nil {
		return err
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connection for the migration lock: %w", Unavailable(err))
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := locker.SessionLock(ctx, conn); err != nil {
		return fmt.Errorf("wait for the migrations of other nodes: %w", Unavailable(err))
	}
	err = fn(ctx)
	return errors.Join(err, locker.SessionUnlock(context.WithoutCancel(ctx), conn))
}

func turns() (lock.SessionLocker, error) {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, fmt.Errorf("make the migration lock: %w", err)
	}
	return locker, nil
}

func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migration/"+string(s.dialect))
	if err != nil {
		return nil, fmt.Errorf("find migrations: %w", err)
	}
	opts := []goose.ProviderOption{goose.WithTableName(migrationTable), goose.WithDisableGlobalRegistry(true)}
	dialect := goose.DialectSQLite3
	if s.dialect == Postgres {
		dialect = goose.DialectPostgres
		locker, err := turns()
		if err != nil {
			return nil, err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, s.writer, files, opts...)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}
