package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Dialect is which database a store runs on.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound: no such row.
	ErrNotFound = errors.New("not found")
	// ErrMovedElsewhere: the state, epoch or version is no longer the expected
	// one. Nothing was changed.
	ErrMovedElsewhere = errors.New("moved elsewhere in the meantime")
	// ErrShredded: the request's key was destroyed.
	ErrShredded = errors.New("the key was shredded")
	// ErrOldKEK: the key-encryption key no longer wraps.
	ErrOldKEK = errors.New("the key-encryption key was rotated away")
	// ErrKEKInUse: the key-encryption key is needed.
	ErrKEKInUse = errors.New("the key-encryption key is still needed")
	// ErrLocked: another process holds the file; see Hold.
	ErrLocked = errors.New("in use by another process")
	// ErrUnavailable: the database is gone, full or unreachable. Whoever holds
	// an outcome keeps it elsewhere until the store is back.
	ErrUnavailable = errors.New("the store is unavailable")
	// ErrInDoubt, with ErrUnavailable: a commit was sent and nobody answered, so
	// that the transaction may stand or not.
	ErrInDoubt = errors.New("nobody has said whether it was committed")
	// ErrExists: there is such a row already. Nothing was changed.
	ErrExists = errors.New("exists already")
	// ErrReaders: a checkpoint could not finish because a reader was active.
	ErrReaders = errors.New("readers keep the journal from being emptied")
)

// Store is an open database.
type Store struct {
	dialect Dialect
	writer  *sql.DB
	reader  *sql.DB       // SQLite: a pool of its own; PostgreSQL: the writer pool
	pgx     *pgxpool.Pool // PostgreSQL only: for River's listener
	lock    *os.File      // SQLite only: held while the store is open

	writes, reads *statements // SQLite only
}

// Open opens the store that dsn names: sqlite:///absolute/path.db,
// sqlite://relative/path.db or postgres://…. It does not migrate. On SQLite a
// second Open of the same file fails with ErrLocked.
func Open(ctx context.Context, dsn string) (*Store, error) {
	scheme, rest, _ := strings.Cut(dsn, "://")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, rest)
	case "postgres", "postgresql":
		return openPostgres(ctx, dsn)
	}
	// The scheme only: the rest of a DSN may hold a password.
	return nil, fmt.Errorf("open store: unknown scheme %q, want sqlite or postgres", scheme)
}

// Dialect says which database the store runs on.
func (s *Store) Dialect() Dialect { return s.dialect }

// DB is the writer pool, which River shares. On SQLite it has one connection:
// inside a transaction use only the transaction, or wait for ever.
func (s *Store) DB() *sql.DB { return s.writer }

// PgxPool is the pool for River's listener; nil on SQLite.
func (s *Store) PgxPool() *pgxpool.Pool { return s.pgx }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.writer.PingContext(ctx); err != nil {
		return fmt.Errorf("ping store: %w", Unavailable(err))
	}
	return nil
}

// Close closes every connection, then gives the lock file free.
func (s *Store) Close() error {
	var errs []error
	if s.pgx != nil {
		s.pgx.Close()
	}
	if s.reader != s.writer {
		errs = append(errs, s.reader.Close()) // first: the last SQLite writer then folds the journal in
	}
	errs = append(errs, s.writer.Close())
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}
