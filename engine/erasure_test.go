package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
)

func TestErasureEndsWithACertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{dsn: "sqlite://" + t.TempDir() + "/weir.db"})
		r := w.submit(weir.Erasure, 0)
		r = w.until(r.ID, time.Hour, weir.AwaitingApproval)
		_, p, err := w.engine.PlanOf(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("plan: %d records, %d calls, warnings %v", len(p.Items), p.Calls, p.Warnings)
		if _, err := w.engine.Approve(t.Context(), r.ID, p.Hash, "", "lee"); err != nil {
			t.Fatal(err)
		}
		w.until(r.ID, 72*time.Hour, weir.Closed)
		doc, err := w.engine.Certificate(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		c, err := w.engine.VerifyCertificate(doc)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("certificate: %d items, %d proofs, unproven %q", len(c.Items), len(c.Proof), c.Unproven)
	})
}
