package store_test

import (
	"fmt"
	"testing"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func decision(org weir.OrgID, n int, steps ...weir.StepID) store.Decision {
	return store.Decision{
		Org: org, Node: "n1", Kind: "observe", OrgVersion: int64(n), PolicyHash: "p", Input: fmt.Appendf(nil, `{"n":%d}`, n),
		Ruling: []byte(`{"ruling":"wait"}`), StateHash: fmt.Sprintf("hash %d", n), Steps: steps, At: noon,
	}
}

func testDecisionChainBeginsAtASnapshot(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("o"))
		ok(tx.EnsureOrg("p"))
		var log []store.Decision
		for n := 1; n <= 7; n++ {
			d := decision("o", n, "S-1")
			if n == 2 || n == 5 {
				d.Snapshot = []byte(`{"state":1}`)
			}
			d.Seq = need(tx.AppendDecision(d))
			same(t, d.Seq, int64(n))
			log = append(log, d)
			same(t, need(tx.AppendDecision(decision("p", n))), int64(n)) // numbers are the org's own
		}
		for seq, want := range map[int64][]store.Decision{
			2: log[1:2], 4: log[1:4], 5: log[4:5], 7: log[4:7],
		} {
			same(t, need(tx.DecisionChain("o", seq)), want)
		}
		for _, seq := range []int64{0, 1, 8} { // before the first snapshot, and never decided
			_, err := tx.DecisionChain("o", seq)
			refuse(t, err, store.ErrNotFound)
		}
		_, err := tx.AppendDecision(decision("unknown", 1))
		refuse(t, err, store.ErrNotFound)
	})
}

func testDecisionsOfAStep(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("o"))
		first, probe, both := decision("o", 1, "S-1"), decision("o", 2), decision("o", 3, "S-2", "S-1")
		for _, d := range []*store.Decision{&first, &probe, &both} {
			d.Seq = need(tx.AppendDecision(*d))
		}
		same(t, need(tx.DecisionsOf("S-1")), []store.Decision{first, both})
		same(t, need(tx.DecisionsOf("S-2")), []store.Decision{both})
		same(t, need(tx.DecisionsOf("S-3")), []store.Decision(nil))
	})
}

func testPolicyIsKeptOnce(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.SavePolicy("h", []byte(`{"floor":1}`)))
		ok(tx.SavePolicy("h", []byte(`{"floor":1}`)))
		same(t, need(tx.Policy("h")), []byte(`{"floor":1}`))
		_, err := tx.Policy("other")
		refuse(t, err, store.ErrNotFound)
	})
}
