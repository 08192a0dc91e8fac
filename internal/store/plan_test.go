package store_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testPlanAndApprovals(t *testing.T, s *store.Store) {
	plan := weir.Plan{
		Request: "R-1", Org: "o", Right: weir.Erasure, MapHash: "m", DescribeHash: "d", Hash: "h1", Calls: 11,
		Items: []weir.PlanItem{{
			Object: "Contact", Record: "003000000000001AAA", Version: "2026-03-01T11:00:00.000+0000",
			Action: weir.ActAnonymise, Why: "Contact.Email = subject", Rank: 1,
			Fields: []weir.FieldAction{{Field: "LastName", Value: "Erased {hash8}"}, {Field: "Email", Null: true}},
		}},
		Warnings:  []weir.Warning{{Code: "shared", Message: "one record is shared"}},
		CreatedAt: noon, ExpiresAt: noon.Add(time.Hour),
	}
	update(t, s, noon, func(tx *store.Tx) {
		seed(tx, "R-1", "o")
		ok(tx.SavePlan(plan))
		same(t, need(tx.Plan("R-1", "h1")), plan)
		plan.ExpiresAt, plan.Finish = noon.Add(2*time.Hour), noon.Add(time.Minute)
		ok(tx.SavePlan(plan))
		same(t, need(tx.Plan("R-1", "h1")), plan)
		_, err := tx.Plan("R-1", "h2")
		refuse(t, err, store.ErrNotFound)

		first := weir.Approval{Request: "R-1", PlanHash: "h1", By: "ann", Note: "n", At: noon, Expires: noon.Add(time.Hour)}
		ok(tx.InsertApproval(first))
		ok(tx.InsertApproval(weir.Approval{Request: "R-1", PlanHash: "h2", By: "ann"}))
		ok(tx.InsertApproval(weir.Approval{Request: "R-1", PlanHash: "h1", By: "bob"}))
		same(t, need(tx.Approval("R-1", "h1")), []weir.Approval{
			first, {Request: "R-1", PlanHash: "h1", By: "bob", At: noon},
		})
	})
}
