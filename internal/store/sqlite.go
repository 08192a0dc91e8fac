package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	readers  = 4                     // SQLite transactions that may read at once
	patience = "busy_timeout(10000)" // how many ms to wait for another process
)

// openSQLite takes the lock file, then opens one writing connection and a pool
// of reading ones. One writer, because SQLite's busy handler is unfair while
// database/sql's queue for one connection is first come, first served: with
// ten writing connections River lost its leases to lock errors.
func openSQLite(ctx context.Context, name string) (*Store, error) {
	path, err := filepath.Abs(name)
	if err != nil || name == "" {
		return nil, fmt.Errorf("open store: no usable SQLite path %q: %w", name, errors.Join(err, os.ErrInvalid))
	}
	lock, err := prepareFiles(path)
	if err != nil {
		return nil, err
	}
	s := &Store{dialect: SQLite, lock: lock}
	s.writer, err = sql.Open("sqlite", sqliteDSN(path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {
			patience,
			"journal_mode(WAL)",
			"synchronous(FULL)",  // NORMAL may lose the last commits when power fails
			"foreign_keys(1)",    // off by default in SQLite
			"secure_delete(1)",   // deleted bytes are overwritten with zeros
			"temp_store(MEMORY)", // no temporary file holds what the tables hold
		},
	}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite writer: %w", err), lock.Close())
	}
	s.writer.SetMaxOpenConns(1)
	s.reader, err = sql.Open("sqlite", sqliteDSN(path, url.Values{
		"mode":    {"ro"},
		"_pragma": {patience, "query_only(1)"},
	}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite readers: %w", err), s.writer.Close(), lock.Close())
	}
	s.reader.SetMaxOpenConns(readers)
	s.reader.SetMaxIdleConns(readers) // a new one would read the schema and compile every statement
	s.writes, s.reads = keepStatements(s.writer), keepStatements(s.reader)
	// The first connection creates the file's header and its journal, which a
	// read-only connection could not.
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite file %s: %w", path, err), s.Close())
	}
	if err := s.openReaders(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open readers of SQLite file %s: %w", path, err), s.Close())
	}
	return s, nil
}

// openReaders opens the whole pool: what weir may hold it holds from the start,
// and a busy hour opens no file that a quiet one did not.
func (s *Store) openReaders(ctx context.Context) (err error) {
	var all []*sql.Conn
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.Close()) // gives it back to the pool
		}
	}()
	for range readers {
		c, err := s.reader.Conn(ctx)
		if err != nil {
			return Unavailable(err)
		}
		all = append(all, c)
		var n int
		if err := c.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&n); err != nil { // opens the journal, too
			return Unavailable(err)
		}
	}
	return nil
}

func sqliteDSN(path string, options url.Values) string {
	u := url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}
	return u.String()
}

// prepareFiles makes the directory, the lock file and the database file, none
// of which others may read, and takes the lock. SQLite gives its journal files
// the mode of the database file.
func prepareFiles(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make store directory: %w", err)
	}
	lock, err := Hold(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := trustFile(path + suffix); err != nil {
			return nil, errors.Join(fmt.Errorf("open store: %w", err), lock.Close())
		}
	}
	file, err := openPrivate(path)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := file.Close(); err != nil {
		return nil, errors.Join(fmt.Errorf("close %s: %w", path, err), lock.Close())
	}
	return lock, nil
}

// Checkpoint moves SQLite's journal into the database file and empties it, so
// that nothing deleted is left there. It fails with ErrReaders while another
// connection reads, and does not wait for it, because every writer would wait
// as well. On PostgreSQL it does nothing: what vacuuming and WAL archives keep
// is for their owner to expire.
func (s *Store) Checkpoint(ctx context.Context) (err error) {
	if s.dialect != SQLite {
		return nil
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", Unavailable(err))
	}
	defer func() {
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA `+patience)
		err = errors.Join(err, undo, conn.Close())
	}()
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout = 100`); err != nil {
		return fmt.Errorf("checkpoint: %w", Unavailable(err))
	}
	var busy, frames, moved int
	row := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err := row.Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("checkpoint: %w", Unavailable(err))
	}
	if busy != 0 {
		return fmt.Errorf("checkpoint: %w", ErrReaders)
	}
	return nil
}
