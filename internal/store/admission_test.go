package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/internal/store"
)

func testAdmissions(t *testing.T, s *store.Store) {
	a := store.Admission{ID: "a", Org: "o", Node: "n1", Holder: "kim", Cost: 3, Until: noon.Add(time.Minute)}
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("o"))
		ok(tx.EnsureOrg("p"))
		ok(tx.OpenAdmission(a))
		a.At = noon
		later := store.Admission{ID: "b", Org: "o", Node: "n1", Holder: "kim", Cost: 1, Until: noon.Add(time.Hour)}
		ok(tx.OpenAdmission(later))
		same(t, need(tx.InFlight("o")), 2)
		same(t, need(tx.InFlight("p")), 0)
		same(t, need(tx.LongCalls("o", noon, time.Minute)), 2)
		same(t, need(tx.LongCalls("o", noon.Add(-1), time.Minute)), 0)
		same(t, found(tx.Admission("o", "a")), a)
		absent(tx.Admission("p", "a"))
		same(t, len(need(tx.EndedAdmissions())), 0)
	})
	update(t, s, noon.Add(time.Minute), func(tx *store.Tx) {
		same(t, need(tx.InFlight("o")), 1) // an ended one no longer stands in the way
		same(t, need(tx.EndedAdmissions()), []store.Admission{a})
		ok(tx.SpendAdmission("o", "a"))
		a.Cost = 0
		same(t, found(tx.Admission("o", "a")), a)
		ok(tx.CloseAdmission("p", "a")) // another org's
		same(t, found(tx.Admission("o", "a")), a)
		ok(tx.CloseAdmission("o", "a"))
		ok(tx.CloseAdmission("o", "a"))
		absent(tx.Admission("o", "a"))
		same(t, len(need(tx.EndedAdmissions())), 0)
	})
}
