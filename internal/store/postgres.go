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
	s := &Store{dialect: Postgres, writer: stdlib.OpenDB(*config)}
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
