package store

import (
	"context"
	"database/sql"
	"sync"
)

// mostStatements bounds what is kept ready. Ours are about a hundred; those
// that a filter puts together could be more.
const mostStatements = 400

// statements keeps SQLite's compiled statements: parsing and planning took
// half the time of a transaction that touches a few rows. pgx has its own such
// cache for each connection of PostgreSQL.
//
// The one writing connection is busy while a transaction runs, so a statement
// that is met for the first time is compiled for that once, and kept ready
// only after the transaction.
type statements struct {
	db *sql.DB

	mu    sync.Mutex
	ready map[string]*sql.Stmt // by the portable text
}

func keepStatements(db *sql.DB) *statements {
	return &statements{db: db, ready: map[string]*sql.Stmt{}}
}

// find returns a statement that is ready.
func (s *statements) find(query string) (*sql.Stmt, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.ready[query]
	return st, ok
}

// keep makes the queries ready for the next transaction. One that cannot be
// prepared is not kept: whoever runs it is told why.
func (s *statements) keep(ctx context.Context, queries []string) {
	for _, query := range queries {
		if _, ok := s.find(query); ok { //nolint:sqlclosecheck // kept until the store closes its connections
			continue
		}
		st, err := s.db.PrepareContext(ctx, spelling(query))
		if err != nil {
			continue
		}
		s.mu.Lock()
		if _, twice := s.ready[query]; twice || len(s.ready) >= mostStatements {
			s.mu.Unlock()
			_ = st.Close() //nolint:sqlclosecheck // nothing was run with it
			continue
		}
		s.ready[query] = st
		s.mu.Unlock()
	}
}
