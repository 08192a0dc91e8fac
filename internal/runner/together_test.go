package runner_test

import (
	"log/slog"
	"testing"

	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/runner"
	"github.com/weirhq/weir/internal/store"
)

// TestNodesStartTogether starts several nodes on one empty database, each with a
// pool of its own. River's migrations do not wait for each other.
func TestNodesStartTogether(t *testing.T) {
	dsn := pgtest.Postgres(t)
	const nodes = 6
	errs := make(chan error)
	for range nodes {
		s, err := store.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		go func() {
			_, err := runner.New(t.Context(), runner.Options{
				Store: s, Engine: oneOrg{}, Node: "n/1/a", Log: slog.New(slog.DiscardHandler),
			})
			errs <- err
		}()
	}
	for range nodes {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
