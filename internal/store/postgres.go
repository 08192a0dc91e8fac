package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	connections    = 16 // of one node; slots of all its orgs share them
	connectTimeout = 5 * time.Second

	// silent is how long the server lets a transaction hold its locks without a
	// word from us. A node that was stopped in the middle of one, or whose machine
	// froze, would else keep the org's row from all others, for ever: nobody could
	// adopt its claims. It is less than the silence after which they are adopted.
	silent = 5 * time.Second
)

// openPostgres opens the pool that every statement uses, and a second one from
// which River's listener takes its connection: database/sql cannot LISTEN.
func openPostgres(ctx context.Context, dsn string) (*Store, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the PostgreSQL DSN: %w", err) // pgx masks the password
	}
	config.ConnectTimeout = connectTimeout
	pool, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the PostgreSQL DSN for the listener: %w", err)
	}
	pool.ConnConfig.ConnectTimeout = connectTimeout
	pool.MinConns = 0 // the listener takes its connection out of the pool for good
	s := &Store{dialect: Postgres, writer: stdlib.OpenDB(*config, stdlib.OptionAfterConnect(boundSilence))}
	s.reader = s.writer
	s.writer.SetMaxOpenConns(connections)
	s.writer.SetMaxIdleConns(connections)
	if s.pgx, err = pgxpool.NewWithConfig(ctx, pool); err != nil {
		return nil, errors.Join(fmt.Errorf("open the listener's pool: %w", err), s.writer.Close())
	}
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open PostgreSQL: %w", err), s.Close())
	}
	return s, nil
}

// boundSilence sets the session's bound by a statement: a proxy between us and the
// server may refuse a parameter at the start.
func boundSilence(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, fmt.Sprintf(`SET idle_in_transaction_session_timeout = %d`, silent.Milliseconds()))
	if err != nil {
		return fmt.Errorf("bound the silence of transactions: %w", err)
	}
	return nil
}
