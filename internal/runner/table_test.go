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

// busyOrg is an org whose only slot is at work until the end; rounds hears of each
// round of the control loop.
type busyOrg struct {
	oneOrg

	rounds chan struct{}
	end    chan struct{}
}

func (o busyOrg) Due(ctx context.Context) ([]weir.OrgID, error) {
	select {
	case o.rounds <- struct{}{}:
	case <-ctx.Done():
	}
	return o.oneOrg.Due(ctx)
}

func (o busyOrg) Turn(context.Context, weir.OrgID) (bool, error) {
	<-o.end
	return false, nil
}

// TestASlotThatStandsIsLeftAlone: a round of the control loop has nothing to write
// about a slot that is being worked. River's insert would write its row anew.
func TestASlotThatStandsIsLeftAlone(t *testing.T) {
	s, err := store.Open(t.Context(), pgtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	engine := busyOrg{rounds: make(chan struct{}), end: make(chan struct{})}
	r, err := runner.New(t.Context(), runner.Options{
		Store: s, Engine: engine, Node: "n/1/a", Tick: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	written := func() (running bool, by string) {
		rows, err := s.DB().QueryContext(t.Context(), `SELECT state = 'running', xmin::text FROM river_job`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			if err := rows.Scan(&running, &by); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return running, by
	}
	var first string
	for running := false; !running; running, first = written() {
		<-engine.rounds
	}
	for range 5 {
		<-engine.rounds
	}
	if _, now := written(); now != first {
		t.Errorf("the slot's row was written by transaction %s, and by %s five rounds later", first, now)
	}
	cancel()
	close(engine.end)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
