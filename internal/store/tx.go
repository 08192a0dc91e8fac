package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	repeats = 5                // how often a transaction that PostgreSQL undid is run again
	answer  = 30 * time.Second // how long a write may take before the database counts as gone
)

// Tx is one transaction at one moment. It is not safe for concurrent use, and
// it must not outlive the function that received it.
type Tx struct {
	ctx     context.Context // a Tx lives exactly as long as the call that brought it
	sql     *sql.Tx
	now     time.Time
	dialect Dialect

	behind behind // not sent yet

	ready *statements // SQLite only
	met   []string    // queries that were not ready
}

// Update runs fn in one write transaction and commits when fn returns nil.
// PostgreSQL may undo a transaction because of others (serialisation, deadlock):
// fn is then run again, up to five times, so it must have no effects besides
// those on tx. Each run ends with ErrUnavailable when it takes 30 seconds: a lost
// network gives no other sign. On SQLite, calling Update within fn waits for
// that long in vain.
func (s *Store) Update(ctx context.Context, now time.Time, fn func(*Tx) error) error {
	for repeat := 0; ; repeat++ {
		err := s.bounded(ctx, now, fn)
		if err == nil || repeat == repeats || !repeatable(err) {
			return err
		}
	}
}

func (s *Store) bounded(ctx context.Context, now time.Time, fn func(*Tx) error) error {
	limited, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	err := s.run(limited, s.writer, s.writes, nil, now, fn)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("no end within %s: %w: %w", answer, ErrUnavailable, err)
	}
	return err
}

// View runs fn on one snapshot, in which nothing can be written.
func (s *Store) View(ctx context.Context, now time.Time, fn func(*Tx) error) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if s.dialect == Postgres {
		opts.Isolation = sql.LevelRepeatableRead // SQLite's readers always see one snapshot
	}
	return s.run(ctx, s.reader, s.reads, opts, now, fn)
}

func (s *Store) run(ctx context.Context, db *sql.DB, ready *statements, opts *sql.TxOptions, now time.Time, fn func(*Tx) error) (err error) {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", Unavailable(err))
	}
	t := &Tx{ctx: ctx, sql: tx, now: moment(now), dialect: s.dialect, ready: ready}
	committed := false
	defer func() {
		if committed {
			return
		}
		// Already over when the context ended; the first error tells more.
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("roll back: %w", undo))
		}
	}()
	err = fn(t)
	if err == nil {
		err = t.send()
	}
	if err != nil {
		return Unavailable(ended(ctx, err))
	}
	// What was read is the snapshot's, whatever becomes of its end.
	if err := tx.Commit(); err != nil && (opts == nil || !opts.ReadOnly) {
		return fmt.Errorf("commit: %w", inDoubt(ctx, Unavailable(ended(ctx, err))))
	}
	committed = true
	if ready != nil {
		ready.keep(ctx, t.met)
	}
	return nil
}

// ended says why a transaction is over: database/sql rolls one back by itself when
// its context ends, and who uses it a moment later hears only that it is done.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// moment cuts a time to what the tables can hold.
func moment(at time.Time) time.Time { return at.UTC().Truncate(time.Millisecond) }

// Now is the transaction's one time: UTC, in whole milliseconds.
func (t *Tx) Now() time.Time { return t.now }

// SQL is the transaction itself, for statements about what no method here writes.
func (t *Tx) SQL() *sql.Tx { return t.sql }

// or is at, or the transaction's time when at is zero.
func (t *Tx) or(at time.Time) time.Time {
	if at.IsZero() {
		return t.now
	}
	return at
}

// exec runs a statement and returns how many rows it changed. The word what
// says in errors what was being done.
func (t *Tx) exec(what, query string, args ...any) (int, error) {
	res, err := t.execute(query, bind(args))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: count rows: %w", what, err)
	}
	return int(n), nil
}

// prepared is the statement of a query that is ready; false when there is none.
func (t *Tx) prepared(query string) (*sql.Stmt, bool) {
	if t.ready == nil {
		return nil, false
	}
	st, ok := t.ready.find(query)
	if !ok {
		t.met = append(t.met, query)
		return nil, false
	}
	return t.sql.StmtContext(t.ctx, st), true
}

func (t *Tx) execute(query string, args []any) (sql.Result, error) {
	if err := t.send(); err != nil {
		return nil, err
	}
	if st, ok := t.prepared(query); ok { //nolint:sqlclosecheck // the transaction closes it
		return st.ExecContext(t.ctx, args...)
	}
	return t.sql.ExecContext(t.ctx, t.spell(query), args...)
}

func (t *Tx) query(query string, args []any) (*sql.Rows, error) {
	if err := t.send(); err != nil {
		return nil, err
	}
	if st, ok := t.prepared(query); ok { //nolint:sqlclosecheck // the transaction closes it
		return st.QueryContext(t.ctx, args...)
	}
	return t.sql.QueryContext(t.ctx, t.spell(query), args...)
}

func (t *Tx) queryRow(query string, args []any) *sql.Row {
	if st, ok := t.prepared(query); ok { //nolint:sqlclosecheck // the transaction closes it
		return st.QueryRowContext(t.ctx, args...)
	}
	return t.sql.QueryRowContext(t.ctx, t.spell(query), args...)
}

// put runs a statement whose count of rows says nothing.
func (t *Tx) put(what, query string, args ...any) error {
	_, err := t.exec(what, query, args...)
	return err
}

// change runs a guarded UPDATE: no row means that the guard did not hold.
func (t *Tx) change(what, query string, args ...any) error {
	n, err := t.exec(what, query, args...)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: %w", what, ErrMovedElsewhere)
	}
	return err
}

// must runs a statement on a row that has to exist.
func (t *Tx) must(what, query string, args ...any) error {
	n, err := t.exec(what, query, args...)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	return err
}

// held is the clause that keeps a row read by SELECT from being changed by
// others until the end. SQLite has one writer anyway. NO KEY, so that rows
// which merely refer to it can still be inserted meanwhile.
func (t *Tx) held() string {
	if t.dialect == SQLite {
		return ""
	}
	return " FOR NO KEY UPDATE"
}
