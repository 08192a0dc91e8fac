package store_test

import (
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
			weir.Finding{Object: "Lead", Record: "1", Version: "v2", Why: "phone", Shared: true},
			weir.Finding{Object: "Lead", Record: "2", Version: "v1", Why: "phone", Deleted: true},
			weir.Finding{Object: "Case", Record: "9", Version: "v1", Why: "parent", Deleted: true})
		add(weir.PassConfirm, weir.Finding{Object: "Task", Record: "5"})
		same(t, need(tx.Findings("R-1", weir.PassPlan)), []weir.Finding{
			{Object: "Case", Record: "9", Version: "v1", Why: "parent"},
			{Object: "Lead", Record: "1", Version: "v2", Why: "email", Shared: true},
			{Object: "Lead", Record: "2", Version: "v1", Why: "email", Deleted: true},
		})
		same(t, need(tx.FindingsAbout("R-1", weir.PassPlan, []string{"5", "9", "1", "none"})), []weir.Finding{
			{Object: "Case", Record: "9", Version: "v1", Why: "parent"},
			{Object: "Lead", Record: "1", Version: "v2", Why: "email", Shared: true},
		})
		ok(tx.ClearFindings("R-1", weir.PassPlan))
		same(t, need(tx.Findings("R-1", weir.PassPlan)), []weir.Finding(nil))
		same(t, len(need(tx.Findings("R-1", weir.PassConfirm))), 1)
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
