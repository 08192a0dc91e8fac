package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
)

// approved submits an erasure, waits for its plan and approves it as a second
// person.
func (w *world) approved(i int) weir.Request {
	w.t.Helper()
	r := w.submit(weir.Erasure, i)
	r = w.until(r.ID, 48*time.Hour, weir.AwaitingApproval)
	if r.PlanHash == "" {
		w.t.Fatalf("no plan: %s", r.Reason)
	}
	r, err := w.engine.Approve(w.t.Context(), r.ID, r.PlanHash, "", "lee")
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// clean checks by the org's own truth that nothing was doubled and nobody else
// was touched.
func (w *world) clean() {
	w.t.Helper()
	truth := w.org.Truth()
	if d := truth.Doubled(); len(d) > 0 {
		w.t.Errorf("%d mutations were accepted twice, the first on %s", len(d), d[0].ID)
	}
	for id, rec := range truth.Records {
		ours := false
		for _, m := range rec.Writes {
			ours = ours || !m.Foreign
		}
		if !ours {
			continue
		}
		owned := false
		for _, p := range w.subjects {
			owned = owned || p.owns(id)
		}
		if !owned {
			w.t.Errorf("%s %s belongs to nobody who asked, and was written", rec.Object, id)
		}
	}
}

// erased checks that the org holds nothing of the i-th subject any more.
func (w *world) erased(i int) {
	w.t.Helper()
	p := w.subjects[i]
	for _, object := range []string{"Contact", "Lead"} {
		for _, id := range w.org.Find(object, "Email", p.Email) {
			w.t.Errorf("%s %s still has the subject's address", object, id)
		}
	}
	for _, object := range []string{"Lead", "Case", "Task", "EmailMessage"} {
		for _, id := range p.Records[object] {
			if rec, ok := w.org.Record(object, id); ok && rec["IsDeleted"] != true {
				w.t.Errorf("%s %s was not deleted", object, id)
			}
		}
	}
}

// A record's budget is of edits, each met once: by the refused write, not by
// the reading after it again.
func TestAnEditIsOneConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		time.Sleep(time.Minute)
		r := w.approved(0)
		w.org.InjectNext(emulator.FaultChanged, 1, emulator.Match{Object: "Contact", Writes: true})
		w.until(r.ID, 72*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
		if got := w.acts("step.conflict"); got != 1 {
			t.Errorf("one edit was told as %d conflicts", got)
		}
	})
}

func TestErasureEndsWithACertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		r := w.approved(0)
		r = w.until(r.ID, 72*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
		limits, err := w.engine.Limits(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range []string{"Contact", "Donation__c"} { // anonymised, and unlinked in a batch behind deletions
			if limits.Rungs[object] != weir.RungUnmodified {
				t.Errorf("%s was written under the guard %q", object, limits.Rungs[object])
			}
		}
		c := w.certificate(r.ID)
		_, p, err := w.engine.PlanOf(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Items) != len(p.Items) || len(c.Approvals) != 1 || c.Approvals[0].By != "lee" || len(c.Proof) == 0 {
			t.Errorf("certificate has %d of %d items, %d approvals, %d proofs", len(c.Items), len(p.Items), len(c.Approvals), len(c.Proof))
		}
		for _, proof := range c.Proof {
			if proof.Remaining != 0 {
				t.Errorf("%s: %d records remain by %s", proof.Object, proof.Remaining, proof.Query)
			}
		}
	})
}

// Every kind of fault, on its own and then all at once: the end is the same.
func TestErasureUnderFaults(t *testing.T) {
	kinds := []emulator.Fault{
		emulator.FaultBurstSeconds, emulator.FaultBurstDate, emulator.FaultBurstBare, emulator.FaultDaily,
		emulator.FaultConcurrent, emulator.FaultAuth, emulator.FaultLostAck, emulator.FaultLostRequest,
		emulator.FaultHTML, emulator.FaultRowLock, emulator.FaultChanged, emulator.FaultPlatform, emulator.FaultTruncated,
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{})
				r := w.approved(0)
				w.org.InjectNext(kind, 2, emulator.Match{})
				w.org.InjectNext(kind, 2, emulator.Match{Writes: true})
				w.until(r.ID, 120*time.Hour, weir.Closed)
				w.erased(0)
				w.clean()
				if w.org.Truth().Faults[kind] == 0 {
					t.Errorf("the org never showed %s", kind)
				}
			})
		})
	}
	t.Run("rude", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, setup{org: emulator.Options{Seed: 7, Profile: emulator.Rude()}})
			var all []weir.Request
			for i := range w.subjects {
				all = append(all, w.approved(i))
			}
			for i, r := range all {
				w.until(r.ID, 240*time.Hour, weir.Closed)
				w.erased(i)
			}
			w.clean()
		})
	})
}
