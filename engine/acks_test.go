//go:build !race

package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/store"
)

// Acknowledgements get lost on every rung of the precondition ladder, while
// some of the writes land late and composites are applied in part: nothing is
// done twice, and nothing is said to be done that is not.
func TestLostAcknowledgements(t *testing.T) {
	proveRungs(t, 1, func(seed uint64) (loses, edits bool) { return true, seed%3 == 1 },
		func(f *front) map[weir.Rung]int { return f.lost })
}

// Colleagues edit records before weir reads them, and between its read and its
// write: no edit is written over unseen.
func TestConflicts(t *testing.T) {
	proveRungs(t, 2, func(seed uint64) (loses, edits bool) { return seed%4 == 1, true },
		func(f *front) map[weir.Rung]int { return f.edited })
}

// proveRungs fights until each rung has met so many cases.
func proveRungs(t *testing.T, series uint64, form func(seed uint64) (loses, edits bool), cases func(*front) map[weir.Rung]int) {
	want := 30
	if longForm() {
		want = 1000
	}
	began, worlds, partly, waived := time.Now(), 0, 0, 0
	met := map[weir.Rung]int{}
	rungs := []weir.Rung{weir.RungIfMatch, weir.RungUnmodified, weir.RungReadCompare}
	enough := func() bool { return met[rungs[0]] >= want/10 && met[rungs[1]] >= want/4 && met[rungs[2]] >= want/4 }
	for seed := series * 10_000; !t.Failed() && (!enough() || met[rungs[0]]+met[rungs[1]]+met[rungs[2]] < want); seed++ {
		worlds++
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				loses, edits := form(seed)
				s := newSkirmish(t, seed, loses, edits)
				s.fight()
				s.judge()
				for rung, n := range cases(s.front) {
					met[rung] += n
				}
				partly += s.front.partly
				waived += s.waived
			})
		})
	}
	t.Logf("%d worlds, cases by guard: %v; %d composites applied in part; %d asked about; %s", worlds, met, partly, waived, time.Since(began).Round(time.Second))
}

// judge compares what weir says with the org's truth.
func (s *skirmish) judge() {
	s.t.Helper()
	s.clean()
	truth := s.org.Truth()
	for _, m := range truth.Overwritten() {
		s.t.Errorf("an edit was overwritten unseen: %s of %s %s at %s", m.Method, m.Object, m.ID, m.At)
	}
	for i := range s.subjects {
		s.erased(i)
		for _, id := range s.org.Find("Account", "Billing_Email__c", s.subjects[i].Email) {
			s.t.Errorf("account %s still has the subject's address", id)
		}
	}
	for _, id := range s.requests {
		r, err := s.engine.Request(s.t.Context(), id)
		if err != nil {
			s.t.Fatal(err)
		}
		if r.Stage == weir.Closed {
			s.judgeCertificate(r, truth)
		}
	}
}

// judgeCertificate looks for what is certified, or closed as applied, and did
// not happen.
func (s *skirmish) judgeCertificate(r weir.Request, truth emulator.Truth) {
	s.t.Helper()
	c := s.certificate(r.ID)
	wrote := func(record, method string) bool {
		for _, m := range truth.Records[record].Writes {
			if !m.Foreign && (m.Method == method || method == "delete" && m.Method == "cascade") {
				return true
			}
		}
		return false
	}
	for _, it := range c.Items {
		method := "update"
		if it.Action == weir.ActDelete {
			method = "delete"
		}
		if (it.Outcome == "applied" || it.Outcome == "unlinked") && !wrote(it.Record, method) {
			s.t.Errorf("certified and not done: %s %s, %s", it.Object, it.Record, it.Outcome)
		}
		if rec, ok := s.org.Record(it.Object, it.Record); ok && it.Action == weir.ActAnonymise && !strings.HasPrefix(fmt.Sprint(rec["LastName"], rec["Name"]), "Erased") && !strings.Contains(fmt.Sprint(rec["Name"]), "Erased") {
			s.t.Errorf("certified and not erased: %s %s", it.Object, it.Record)
		}
	}
	var intents []weir.Intent
	err := s.engine.Store().View(s.t.Context(), time.Now(), func(tx *store.Tx) (err error) {
		intents, err = tx.Intents(r.ID)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, in := range intents {
		method := map[weir.Action]string{weir.ActDelete: "delete"}[in.Action]
		if method == "" {
			method = "update"
		}
		switch {
		case in.State == weir.IntentOpen:
			s.t.Errorf("an intent for %s %s is still open", in.Object, in.Record)
		case in.State == weir.IntentApplied && !wrote(in.Record, method):
			s.t.Errorf("an intent is closed as applied, and the org accepted no %s of %s %s", method, in.Object, in.Record)
		}
	}
}

// Where an edit comes in the very moment of a write that takes no condition,
// nobody can see it: this is what no client can do, and it shows that the judge
// sees what the others are acquitted of.
func TestJudgeSeesOverwrittenEdits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{org: emulator.Options{IgnoreConditionsInComposite: true}})
		time.Sleep(time.Minute)
		r := w.approved(0)
		w.org.InjectNext(emulator.FaultChanged, 1, emulator.Match{Object: "Contact", Writes: true})
		w.until(r.ID, 120*time.Hour, weir.Closed)
		if len(w.org.Truth().Overwritten()) == 0 {
			t.Error("an edit was overwritten, and the org's truth does not show it")
		}
	})
}
