package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Unavailable marks an error as ErrUnavailable when the database, and not the
// statement, is the reason. It is for those that work on DB by themselves, as River does.
func Unavailable(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) || !gone(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// inDoubt marks the error of a commit as ErrInDoubt when the connection failed, or
// the time for an answer is over. A server, or SQLite, that answers with an error has
// not committed.
func inDoubt(ctx context.Context, err error) error {
	var server *pgconn.PgError
	var file *sqlite.Error
	silent := errors.Is(err, ErrUnavailable) || errors.Is(ctx.Err(), context.DeadlineExceeded)
	if !silent || errors.As(err, &server) || errors.As(err, &file) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrInDoubt, err)
}

func gone(err error) bool {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return true
	}
	var refused *pgconn.ConnectError
	var network *net.OpError
	var server *pgconn.PgError
	var file *sqlite.Error
	switch {
	case errors.As(err, &refused), errors.As(err, &network):
		return true
	case errors.As(err, &server):
		return goneCode(server.Code)
	case errors.As(err, &file):
		return goneResult(file.Code() & 0xff) // the low byte is the primary result
	}
	return false
}

// goneCode knows the classes of PostgreSQL's appendix A that speak of the
// server: 08 connection, 53 resources (disk, memory, connections), 57P shut
// down, 58 system error, 25006 a standby that cannot write, 25P03 a transaction
// that was silent for too long.
func goneCode(code string) bool {
	if len(code) != 5 {
		return false
	}
	switch code[:2] {
	case "08", "53", "58":
		return true
	}
	return code[:3] == "57P" || code == "25006" || code == "25P03"
}

func goneResult(primary int) bool {
	switch primary {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_NOMEM:
		return true
	}
	return false
}

// repeatable says whether PostgreSQL undid the transaction because of others,
// so that the same transaction may well succeed now.
func repeatable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01") // serialisation failure, deadlock
}
