package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testKeyIsShreddedForGood(t *testing.T, s *store.Store) {
	want := store.KeyRow{Request: "R-1", Org: "o", KEK: "kek-1", Wrapped: []byte{0, 1, 255}, CreatedAt: noon}
	update(t, s, noon, func(tx *store.Tx) {
		seed(tx, "R-1", "o")
		_, err := tx.Key("R-1")
		refuse(t, err, store.ErrNotFound)
		ok(tx.InsertKey("R-1", "o", "kek-1", []byte{0, 1, 255}))
		same(t, need(tx.Key("R-1")), want)
		refuse(t, tx.ShredKey("R-2"), store.ErrNotFound)
	})
	update(t, s, noon.Add(time.Hour), func(tx *store.Tx) { ok(tx.ShredKey("R-1")) })
	update(t, s, noon.Add(2*time.Hour), func(tx *store.Tx) { ok(tx.ShredKey("R-1")) })
	want.Wrapped, want.ShreddedAt = nil, noon.Add(time.Hour)
	view(t, s, noon, func(tx *store.Tx) {
		row, err := tx.Key("R-1")
		refuse(t, err, store.ErrShredded)
		same(t, row, want)
	})
}

// testRequestsToShred finds what was delivered or ended long enough ago.
func testRequestsToShred(t *testing.T, s *store.Store) {
	later := noon.Add(time.Hour)
	update(t, s, noon, func(tx *store.Tx) {
		for _, id := range []weir.RequestID{"R-cancelled", "R-open", "R-shredded"} {
			r := seed(tx, id, "o")
			ok(tx.InsertKey(id, "o", "kek", []byte("wrapped")))
			if id == "R-open" {
				continue
			}
			ok(tx.MoveRequest(&r, weir.EventCancel, nil))
		}
		ok(tx.ShredKey("R-shredded"))
		keyless := seed(tx, "R-keyless", "o")
		ok(tx.MoveRequest(&keyless, weir.EventCancel, nil))
	})
	update(t, s, later, func(tx *store.Tx) {
		r := request("R-delivered", "o")
		r.Stage = weir.Sealing
		ok(tx.InsertRequest(r, ""))
		ok(tx.InsertKey(r.ID, "o", "kek", []byte("wrapped")))
		ok(tx.MoveRequest(&r, weir.EventSealed, nil))
	})
	update(t, s, later.Add(time.Hour), func(tx *store.Tx) {
		r := need(tx.Request("R-delivered"))
		ok(tx.EditRequest(&r, func(q *weir.Request) { q.Reason = "edited" })) // does not restart retention
		for before, want := range map[time.Time][]weir.RequestID{
			noon:                   nil,
			later:                  {"R-cancelled"},
			later.Add(time.Minute): {"R-cancelled", "R-delivered"},
		} {
			var got []weir.RequestID
			for _, r := range need(tx.RequestsToShred(before, before)) {
				got = append(got, r.ID)
			}
			same(t, got, want)
		}
	})
}
