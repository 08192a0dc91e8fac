package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testNodesBeat(t *testing.T, s *store.Store) {
	second := noon.Add(time.Second)
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.Beat("b", noon))
		ok(tx.Beat("a", noon))
	})
	update(t, s, second, func(tx *store.Tx) { ok(tx.Beat("b", second)) })
	view(t, s, noon, func(tx *store.Tx) {
		same(t, need(tx.Nodes()), []store.Node{
			{ID: "a", StartedAt: noon, BeatAt: noon}, {ID: "b", StartedAt: second, BeatAt: second},
		})
	})
	update(t, s, second, func(tx *store.Tx) {
		st := step("S-held", seed(tx, "R-1", "o"), weir.StepReady)
		ok(tx.InsertSteps([]weir.Step{st}))
		need(tx.ClaimSteps([]weir.Step{st}, "c", "b", noon.Add(time.Minute)))
		ok(tx.Leave("a"))
		ok(tx.Leave("b")) // executes a step: it stays, and is missed
		same(t, need(tx.Nodes()), []store.Node{{ID: "b", StartedAt: second, BeatAt: second}})
	})
}

func testSettings(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		_, err := tx.Setting("canary")
		refuse(t, err, store.ErrNotFound)
		ok(tx.SetSetting("canary", "1"))
		ok(tx.SetSetting("canary", "2"))
		same(t, need(tx.Setting("canary")), "2")
	})
}
