package engine_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/store"
)

// A person resolves the dead letter of a rank in the moment in which a call ends the
// last other steps of it. Each of the two transactions saw the other's step as open,
// neither released the next rank, and the request stood still for ever.
func TestTheLastStepsOfARankEndAtOnce(t *testing.T) {
	w := newWorld(t, setup{
		dsn:    pgtest.Postgres(t),
		org:    emulator.Options{Seed: 11, RecycleLag: -1},
		policy: func(p *engine.Policy) { p.ProofLag = time.Second },
		gov:    func(p *governor.Policy) { p.Settle = 200 * time.Millisecond },
	})
	cases := w.subjects[0].Records["Case"][:2]
	for _, id := range cases {
		w.org.Touch("Case", id, map[string]any{"Approval_Status__c": "Pending"}) // an approval process locks the record
	}
	r := w.submit(weir.Erasure, 0)
	w.turnsUntil(func() bool { return w.get(r.ID).Stage == weir.AwaitingApproval })
	approve(w, w.get(r.ID))
	w.turnsUntil(func() bool { return len(w.letters()) == 2 })
	ctx := t.Context()
	again := w.letters()[0]
	w.org.Touch("Case", again.Record, map[string]any{"Approval_Status__c": nil})
	if err := w.engine.RetryLetter(ctx, again.ID, false, "kim"); err != nil {
		t.Fatal(err)
	}
	w.turnsUntil(func() bool { return len(w.letters()) == 1 && w.lastCall(r.ID) })

	db := w.engine.Store().DB()
	gate, err := db.BeginTx(ctx, nil) // both come to the ledger last, and wait there
	if err == nil {
		_, err = gate.ExecContext(ctx, `LOCK TABLE entry IN SHARE MODE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	letter := w.letters()[0].ID
	ended := make(chan error, 2)
	go func() {
		_, err := w.engine.Turn(ctx, acme)
		ended <- err
	}()
	waiting(t, db, 1)
	go func() { ended <- w.engine.ResolveLetter(ctx, letter, "waived", "approval under way", "kim") }()
	waiting(t, db, 2)
	if err := gate.Commit(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	w.turnsUntil(func() bool { return w.get(r.ID).Stage == weir.Closed })
}

// turnsUntil works turn by turn, in real time.
func (w *world) turnsUntil(so func() bool) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); {
		if time.Now().After(end) {
			w.t.Fatal("it stands still")
		}
		if err := w.engine.Control(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if did, err := w.engine.Turn(w.t.Context(), acme); err != nil {
			w.t.Fatal(err)
		} else if !did {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (w *world) get(id weir.RequestID) weir.Request {
	w.t.Helper()
	r, err := w.engine.Request(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// lastCall says whether one call more ends all steps of the rank that is at work, but
// for those that are dead.
func (w *world) lastCall(id weir.RequestID) bool {
	w.t.Helper()
	var steps []weir.Step
	err := w.engine.Store().View(w.t.Context(), time.Now(), func(tx *store.Tx) (err error) {
		steps, err = tx.StepsOf(id)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	steps = slices.DeleteFunc(steps, func(s weir.Step) bool {
		return s.State.Ended() || s.State == weir.StepDead || s.State == weir.StepPlanned
	})
	writing := func(s weir.Step) bool { return s.State == weir.StepReady && s.Phase == weir.PhaseWrite }
	return len(steps) > 0 && !slices.ContainsFunc(steps, func(s weir.Step) bool { return !writing(s) })
}

// waiting waits until so many sessions of the database wait for a lock.
func waiting(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got := 0
		err := db.QueryRowContext(context.Background(),
			`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&got)
		if err != nil {
			t.Fatal(err)
		}
		if got == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d sessions wait, want %d", got, n)
		}
	}
}
