package runner_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/runner"
	"github.com/weirhq/weir/internal/store"
)

// oneOrg is an engine with one org, one slot and always something to do.
type oneOrg struct{ turns chan struct{} }

func (o oneOrg) Turn(context.Context, weir.OrgID) (bool, error) {
	select {
	case o.turns <- struct{}{}:
	default:
	}
	return false, nil
}
func (o oneOrg) Width(context.Context, weir.OrgID) (int, error)           { return 1, nil }
func (o oneOrg) Due(context.Context) ([]weir.OrgID, error)                { return []weir.OrgID{"acme"}, nil }
func (o oneOrg) Tend(context.Context) error                               { return nil }
func (o oneOrg) Finish(context.Context) error                             { return nil }
func (o oneOrg) Beat(context.Context) error                               { return nil }
func (o oneOrg) Pause(context.Context, weir.OrgID) (time.Duration, error) { return 0, nil }
func (o oneOrg) Nodes(context.Context) (alive, silent, dead []string, err error) {
	return []string{"n/1/a"}, nil, nil, nil
}

// A slot that was scheduled before the wall clock was stepped back waits for a
// time that is to come again, and being unique it lets no other in. It must not
// hold up its org's work.
func TestSlotOfATakenBackTime(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, dsn string) {
		s, err := store.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		engine := oneOrg{make(chan struct{}, 1)}
		r, err := runner.New(t.Context(), runner.Options{
			Store: s, Engine: engine, Node: "n/1/a", Tick: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		work := func(within time.Duration) bool {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- r.Run(ctx) }()
			worked := false
			select {
			case <-engine.turns:
				worked = true
			case <-ctx.Done():
			}
			cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			return worked
		}
		if !work(20 * time.Second) {
			t.Fatal("the slot was not worked at all")
		}
		// What the step back leaves: the slot, due tomorrow.
		tomorrow := any(time.Now().UTC().AddDate(0, 0, 1))
		if s.Dialect() == store.SQLite {
			tomorrow = time.Now().UTC().AddDate(0, 0, 1).Format("2006-01-02 15:04:05.000")
		}
		res, err := s.DB().ExecContext(t.Context(), `UPDATE river_job SET state = 'available', finalized_at = NULL, scheduled_at = $1 WHERE id = (SELECT max(id) FROM river_job)`, tomorrow) //nolint:misspell // the column's name
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); n != 1 || err != nil {
			t.Fatalf("%d slots were scheduled for tomorrow: %v", n, err)
		}
		select {
		case <-engine.turns:
		default:
		}
		if r, err = runner.New(t.Context(), runner.Options{
			Store: s, Engine: engine, Node: "n/1/a", Tick: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		}); err != nil {
			t.Fatal(err)
		}
		if !work(20 * time.Second) {
			t.Error("the slot waits until tomorrow")
		}
	})
}
