package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func testFindingsMerge(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		seed(tx, "R-1", "o")
		add := func(pass weir.Pass, f ...weir.Finding) { ok(tx.AddFindings("R-1", pass, f)) }
		add(weir.PassPlan,
			weir.Finding{Object: "Lead", Record: "2", Version: "v1", Why: "email", Deleted: true},
			weir.Finding{Object: "Lead", Record: "1", Version: "v1", Why: "email", Deleted: true, Review: true},
			weir.Finding{Object: "Case", Record: "9", Version: "v1", Why: "parent"})
		add(weir.PassPlan,
			weir.Finding{Object: "Lead", Record: "1", Version: "v2", Why: "email; phone", Shared: true},
			weir.Finding{Object: "Lead", Record: "2", Version: "v1", Why: "email; phone", Deleted: true},
			weir.Finding{Object: "Case", Record: "9", Version: "v1", Why: "parent", Deleted: true})
		add(weir.PassConfirm, weir.Finding{Object: "Task", Record: "5"})
		same(t, need(tx.Findings("R-1", weir.PassPlan)), []weir.Finding{
			{Object: "Case", Record: "9", Version: "v1", Why: "parent"},
			{Object: "Lead", Record: "1", Version: "v2", Why: "email; phone", Shared: true},
			{Object: "Lead", Record: "2", Version: "v1", Why: "email; phone", Deleted: true},
		})
		same(t, need(tx.FindingsAbout("R-1", weir.PassPlan, []string{"5", "9", "1", "none"})), []weir.Finding{
			{Object: "Case", Record: "9", Version: "v1", Why: "parent"},
			{Object: "Lead", Record: "1", Version: "v2", Why: "email; phone", Shared: true},
		})
		ok(tx.ClearFindings("R-1", weir.PassPlan))
		same(t, need(tx.Findings("R-1", weir.PassPlan)), []weir.Finding(nil))
		same(t, len(need(tx.Findings("R-1", weir.PassConfirm))), 1)
	})
}

// Whatever reads many findings does so in their order, in pages or one by one.
func testFindingsInPages(t *testing.T, s *store.Store) {
	var all []weir.Finding
	var sure []string
	for i := range 25 {
		f := weir.Finding{Object: "Task", Record: fmt.Sprintf("T%02d", i), Version: "v1", Why: "parent", Review: i%5 == 4}
		if !f.Review {
			sure = append(sure, f.Record)
		}
		all = append(all, f)
	}
	update(t, s, noon, func(tx *store.Tx) {
		seed(tx, "R-1", "o")
		lead := weir.Finding{Object: "Lead", Record: "T99"}
		ok(tx.AddFindings("R-1", weir.PassPlan, append(slices.Clone(all), lead)))
		ok(tx.AddFindings("R-1", weir.PassConfirm, []weir.Finding{{Object: "Case", Record: "C"}}))
		var got []weir.Finding
		for f, err := range tx.EachFinding("R-1", weir.PassPlan) {
			ok(err)
			got = append(got, f)
		}
		same(t, got, append([]weir.Finding{lead}, all...))
		for _, err := range tx.EachFinding("R-1", weir.PassPlan) {
			ok(err)
			break // whoever has seen enough can go on with the transaction
		}
		same(t, need(tx.FoundObjects("R-1", weir.PassPlan)), []string{"Lead", "Task"})
		same(t, need(tx.FoundRecords("R-1", weir.PassPlan, "Task", "", 3)), []string{"T00", "T01", "T02"})
		same(t, need(tx.FoundRecords("R-1", weir.PassPlan, "Task", "T22", 3)), []string{"T23", "T24"})

		same(t, need(tx.SureRecords("R-1", weir.PassPlan, "Task", "", "T99", 100)), sure)
		same(t, need(tx.SureRecords("R-1", weir.PassPlan, "Task", "T02", "T06", 2)), []string{"T03", "T05"})
		same(t, need(tx.SureBounds("R-1", weir.PassPlan, "Task", 8)), []string{sure[7], sure[15], sure[19]})
		same(t, need(tx.SureBounds("R-1", weir.PassPlan, "Task", 10)), []string{sure[9], sure[19]})
		same(t, need(tx.SureBounds("R-1", weir.PassPlan, "Task", 200)), sure[19:])
		same(t, len(need(tx.SureBounds("R-1", weir.PassPlan, "Case", 200))), 0)
	})
}

func testSchemasAreReplaced(t *testing.T, s *store.Store) {
	contact := weir.ObjectSchema{
		Name: "Contact", Queryable: true,
		Fields: []weir.FieldSchema{{Name: "Email", Type: "email", Length: 80, Picklist: []string{"a"}}},
	}
	schemas := func(tx *store.Tx) (map[string]weir.ObjectSchema, time.Time) {
		all, at, err := tx.Schemas("o")
		ok(err)
		return all, at
	}
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.EnsureOrg("o"))
		none, at := schemas(tx)
		same(t, len(none), 0)
		same(t, at, time.Time{})
		ok(tx.SaveSchemas("o", []weir.ObjectSchema{contact, {Name: "Lead"}}))
	})
	update(t, s, noon.Add(time.Hour), func(tx *store.Tx) {
		contact.Deletable = true
		ok(tx.SaveSchemas("o", []weir.ObjectSchema{contact}))
		all, at := schemas(tx)
		same(t, all, map[string]weir.ObjectSchema{"Contact": contact})
		same(t, at, noon.Add(time.Hour))
	})
}
