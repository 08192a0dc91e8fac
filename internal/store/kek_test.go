package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// testKEKsFollowEachOther walks through a rotation: activate, make the next
// one active, refuse the old one, destroy it once nothing needs it.
func testKEKsFollowEachOther(t *testing.T, s *store.Store) {
	later := noon.Add(time.Hour)
	update(t, s, noon, func(tx *store.Tx) {
		version, news, err := tx.ActivateKEK("k1")
		ok(err)
		same(t, []any{version, news}, []any{1, true})
		_, news, err = tx.ActivateKEK("k1")
		ok(err)
		same(t, news, false)
		seed(tx, "R-1", "o")
		ok(tx.InsertKey("R-1", "o", "k1", []byte("one")))
		destroyRefused(t, tx, "k1", store.ErrKEKInUse)
		destroyRefused(t, tx, "nobody", store.ErrNotFound)
	})
	update(t, s, later, func(tx *store.Tx) {
		version, news, err := tx.ActivateKEK("k2")
		ok(err)
		same(t, []any{version, news}, []any{2, true})
		_, _, err = tx.ActivateKEK("k1")
		refuse(t, err, store.ErrOldKEK)
		seed(tx, "R-2", "o")
		refuse(t, tx.InsertKey("R-2", "o", "k1", []byte("two")), store.ErrOldKEK)
		ok(tx.InsertKey("R-2", "o", "k2", []byte("two")))
		same(t, need(tx.OldKEKs()), []string{"k1"})
		destroyRefused(t, tx, "k1", store.ErrKEKInUse) // R-1 needs it
		destroyRefused(t, tx, "k2", store.ErrKEKInUse) // it wraps
		ok(tx.ShredKey("R-1"))
		same(t, need(tx.DestroyKEK("k1")), true)
	})
	update(t, s, later.Add(time.Hour), func(tx *store.Tx) {
		same(t, need(tx.DestroyKEK("k1")), false)
		_, _, err := tx.ActivateKEK("k1")
		refuse(t, err, store.ErrOldKEK)
		same(t, need(tx.KEKs()), []store.KEK{
			{ID: "k1", Version: 1, State: store.KEKDestroyed, CreatedAt: noon, DestroyedAt: later},
			{ID: "k2", Version: 2, State: store.KEKActive, CreatedAt: later, Requests: 1},
		})
		same(t, need(tx.OldKEKs()), []string(nil))
	})
}

func destroyRefused(t *testing.T, tx *store.Tx, id string, want error) {
	t.Helper()
	_, err := tx.DestroyKEK(id)
	refuse(t, err, want)
}

// testSwapKeysComparesFirst leaves alone what was shredded or swapped since it
// was read.
func testSwapKeysComparesFirst(t *testing.T, s *store.Store) {
	const many = 600 // more than one statement carries
	var fresh []store.Rewrapped
	update(t, s, noon, func(tx *store.Tx) {
		for _, k := range []string{"k1", "k2"} {
			_, _, err := tx.ActivateKEK(k)
			ok(err)
			if k == "k2" {
				break
			}
			for i := range many {
				id := weir.RequestID(fmt.Sprintf("R-%03d", i))
				seed(tx, id, "o")
				ok(tx.InsertKey(id, "o", "k1", []byte("old "+string(id))))
				fresh = append(fresh, store.Rewrapped{Request: id, Wrapped: []byte("new " + string(id))})
			}
		}
		ok(tx.ShredKey("R-007"))
	})
	update(t, s, noon, func(tx *store.Tx) {
		first := need(tx.KeysOf("k1", "", 10))
		same(t, []any{len(first), first[0].Request, first[9].Request}, []any{10, weir.RequestID("R-000"), weir.RequestID("R-010")})
		same(t, len(need(tx.KeysOf("k1", "R-597", 10))), 2)
		same(t, len(need(tx.LiveKeys("R-010", 0))), many-11)
		same(t, need(tx.SwapKeys("k1", "k2", fresh[:300])), 299)
		same(t, need(tx.SwapKeys("k1", "k2", fresh)), 300)
		same(t, need(tx.SwapKeys("k1", "k2", fresh)), 0)
		same(t, need(tx.Key("R-599")).Wrapped, []byte("new R-599"))
		same(t, need(tx.Key("R-599")).KEK, "k2")
		_, err := tx.Key("R-007")
		refuse(t, err, store.ErrShredded)
		_, err = tx.SwapKeys("k2", "k1", fresh[:1])
		refuse(t, err, store.ErrOldKEK)
	})
}

// testDestroyWaitsForSubmissions: a request that is being submitted under a key
// must be seen before that key is destroyed, even when it commits later.
func testDestroyWaitsForSubmissions(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		_, _, err := tx.ActivateKEK("k1")
		ok(err)
		seed(tx, "R-1", "o")
	})
	inserted, destroyed := make(chan struct{}), make(chan error, 1)
	go func() { // ends with its transaction
		<-inserted
		err := s.Update(t.Context(), noon, func(tx *store.Tx) error {
			_, _, err := tx.ActivateKEK("k2")
			return err
		})
		if err == nil {
			err = s.Update(t.Context(), noon, func(tx *store.Tx) error {
				_, err := tx.DestroyKEK("k1")
				return err
			})
		}
		destroyed <- err
	}()
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.InsertKey("R-1", "o", "k1", []byte("one")))
		close(inserted)
		select {
		case err := <-destroyed:
			t.Errorf("the key was destroyed under an open submission: %v", err)
		case <-time.After(300 * time.Millisecond):
		}
	})
	refuse(t, <-destroyed, store.ErrKEKInUse)
}
