package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/datamap"
)

// Rows that carry an ETag are read one by one: no record is taken for gone because
// the call was about another.
func TestEveryRowWithAnETagIsErased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{org: emulator.Options{Seed: 11, RecycleLag: -1}})
		w.withMap(accountMap(t))
		p := w.subjects[0]
		var accounts []string
		for range 3 {
			accounts = append(accounts, w.org.Put("Account", map[string]any{"Name": "Doe", "Billing_Email__c": p.Email, "BillingCity": "Kiel"}))
		}
		r := w.approved(0)
		want, began := w.expected(r.ID), len(w.org.Log())
		w.until(r.ID, 96*time.Hour, weir.Closed)
		for _, id := range accounts {
			if rec, _ := w.org.Record("Account", id); rec["Billing_Email__c"] != nil || !strings.HasPrefix(rec["Name"].(string), "Erased ") {
				t.Errorf("Account %s is as it was", id)
			}
		}
		if took := len(w.org.Log()) - began; took > want+want/4 {
			t.Errorf("it took %d calls, and its plan says %d", took, want)
		}
	})
}

// accountMap is the tests' data map with the one object that has ETags.
func accountMap(t *testing.T) *datamap.Map {
	t.Helper()
	return edited(t,
		"    - {object: Lead, match: {email", "    - {object: Account, match: {email: [Billing_Email__c]}, confidence: high}\n    - {object: Lead, match: {email",
		"  Lead:\n", `  Account:
    access: {fields: personal}
    erase:
      how: anonymise
      set: {Name: "Erased {hash8}", Phone: null, Website: null, BillingStreet: null, BillingCity: null, BillingPostalCode: null,
        BillingCountry: null, Billing_Email__c: null, Description: null}
  Lead:
`)
}
