package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testOneTransactionHasOneTime(t *testing.T, s *store.Store) {
	at := time.Date(2026, time.March, 1, 13, 0, 0, 123_456_789, time.FixedZone("", 3600))
	want := time.Date(2026, time.March, 1, 12, 0, 0, 123_000_000, time.UTC)
	update(t, s, at, func(tx *store.Tx) {
		same(t, tx.Now(), want)
		ok(tx.Beat("n1", time.Time{}))
		same(t, need(tx.Nodes()), []store.Node{{ID: "n1", BeatAt: want}})
	})
}

func testUpdateCommitsOrLeavesNothing(t *testing.T, s *store.Store) {
	broken := errors.New("broken")
	err := s.Update(t.Context(), noon, func(tx *store.Tx) error {
		ok(tx.EnsureOrg("gone"))
		return broken
	})
	refuse(t, err, broken)
	func() {
		defer func() { _ = recover() }()
		_ = s.Update(t.Context(), noon, func(tx *store.Tx) error {
			ok(tx.EnsureOrg("gone"))
			panic("a mistake of the caller")
		})
	}()
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("kept"))
		if _, err := tx.SQL().ExecContext(t.Context(), `UPDATE org SET version = 7 WHERE id = 'kept'`); err != nil {
			t.Error(err)
		}
	})
	view(t, s, noon, func(tx *store.Tx) {
		same(t, need(tx.Orgs()), []store.OrgState{{ID: "kept", Version: 7}})
	})
}

func testViewCannotWrite(t *testing.T, s *store.Store) {
	err := s.View(t.Context(), noon, func(tx *store.Tx) error { return tx.EnsureOrg("o") })
	if err == nil {
		t.Error("a view wrote")
	}
}

// testViewSeesOneSnapshot commits while a view reads: both of its reads agree.
func testViewSeesOneSnapshot(t *testing.T, s *store.Store) {
	view(t, s, noon, func(tx *store.Tx) {
		before := len(need(tx.Orgs()))
		update(t, s, noon, func(tx *store.Tx) { ok(tx.EnsureOrg("o")) })
		same(t, len(need(tx.Orgs())), before)
	})
}

func testContextEndsATransaction(t *testing.T, s *store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, noon, func(tx *store.Tx) error {
		ok(tx.EnsureOrg("o"))
		cancel()
		return tx.EnsureOrg("p")
	})
	refuse(t, err, context.Canceled)
	if errors.Is(err, store.ErrUnavailable) {
		t.Error("a cancelled call does not mean that the store is gone")
	}
	ctx, cancel = context.WithCancel(t.Context())
	err = s.Update(ctx, noon, func(tx *store.Tx) error {
		cancel()
		for tx.EnsureOrg("o") == nil { // database/sql rolls back a moment later
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	refuse(t, err, context.Canceled)
	view(t, s, noon, func(tx *store.Tx) { same(t, len(need(tx.Orgs())), 0) })
}

// testDeadlockIsRepeated makes two transactions lock two orgs in opposite
// order. PostgreSQL undoes one of them, which is then run again; SQLite has
// one writer and runs them one after the other.
func testDeadlockIsRepeated(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("a"))
		ok(tx.EnsureOrg("b"))
	})
	var both sync.WaitGroup
	both.Add(2)
	errs := make(chan error, 2)
	cross := func(first, second weir.OrgID) {
		var once sync.Once
		errs <- s.Update(t.Context(), noon, func(tx *store.Tx) error {
			if _, err := tx.LockOrg(first); err != nil {
				return err
			}
			once.Do(func() {
				both.Done()
				if s.Dialect() == store.Postgres {
					both.Wait()
				}
			})
			o, err := tx.LockOrg(second)
			if err != nil {
				return err
			}
			return tx.SaveOrg(o)
		})
	}
	go cross("a", "b")
	go cross("b", "a")
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	view(t, s, noon, func(tx *store.Tx) {
		for _, o := range need(tx.Orgs()) {
			same(t, o.Version, int64(1))
		}
	})
}
