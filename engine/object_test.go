package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
)

// breakObject lets whatever is asked of an object fail for a while.
func (w *world) breakObject(object string, length time.Duration) {
	w.org.SetFaults(emulator.FaultScript{{Kind: emulator.FaultObject, For: length, Match: emulator.Match{Object: object}}})
}

// giveCases gives a subject so many more cases.
func (w *world) giveCases(i, n int) {
	p := w.subjects[i]
	for k := range n {
		id := w.org.Put("Case", map[string]any{"ContactId": p.Records["Contact"][0], "Subject": fmt.Sprintf("Order %d", 100+k)})
		p.Records["Case"] = append(p.Records["Case"], id)
	}
}

// addLead adds a subject of whom the org has nothing but a lead: nothing about
// them needs another object.
func (w *world) addLead() int {
	p := person{Email: "only.a.lead@example.com", Records: map[string][]string{}}
	id := w.org.Put("Lead", map[string]any{"LastName": "Lead", "Company": "Self", "Email": p.Email})
	p.Records["Lead"] = []string{id}
	w.subjects = append(w.subjects, p)
	return len(w.subjects) - 1
}

// struck counts the calls in which the broken object failed.
func (w *world) struck() int { return w.org.Truth().Faults[emulator.FaultObject] }

// workFor lets so much time pass with all that is due in it.
func (w *world) workFor(length time.Duration) {
	w.t.Helper()
	for end := time.Now().Add(length); time.Now().Before(end); {
		w.settle()
		w.pass()
	}
}

// Whatever is asked of Case fails for an hour. That costs a call now and then, and
// nobody's steps; what is not about Case is done meanwhile, and the rest after it.
func TestABrokenObjectWaitsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{people: 6})
		w.giveCases(0, 60)
		lead := w.addLead()
		r := w.approved(0)
		w.breakObject("Case", time.Hour)
		other, asked := w.submit(weir.Erasure, lead), w.submit(weir.Access, 1)
		other = w.until(other.ID, 10*time.Minute, weir.AwaitingApproval)
		if _, err := w.engine.Approve(t.Context(), other.ID, other.PlanHash, "", "lee"); err != nil {
			t.Fatal(err)
		}
		w.until(other.ID, 10*time.Minute, weir.Verifying)
		w.workFor(20 * time.Minute)
		limits, err := w.engine.Limits(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		if o := limits.View.Objects; len(o) == 0 || o[0].Name != "Case" || o[0].Fails < 8 {
			t.Errorf("the limits show %+v", o)
		}
		if !limits.WakeAt.IsZero() {
			t.Errorf("the whole org waits until %v", limits.WakeAt)
		}
		why, err := w.engine.Why(t.Context(), string(asked.ID))
		if err != nil || !strings.Contains(why.Sentence, "Case has failed") || !strings.Contains(why.Sentence, "times in a row because") {
			t.Errorf("why says %q, %v", why.Sentence, err)
		}
		w.workFor(25 * time.Minute)
		n, calls := w.struck(), len(w.org.Log())
		if len(w.letters()) != 0 || n > 45 {
			t.Errorf("%d letters, %d calls met the broken object", len(w.letters()), n)
		}
		t.Logf("%d calls met the broken object, of %d", n, calls)
		w.until(asked.ID, 2*time.Hour, weir.Delivered)
		w.until(r.ID, 120*time.Hour, weir.Closed)
		w.until(other.ID, 120*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
		if len(w.letters()) != 0 {
			t.Errorf("letters afterwards: %+v", w.letters())
		}
		if w.explainAll(r.ID) == 0 || w.explainAll(asked.ID) == 0 {
			t.Error("nothing was decided")
		}
	})
}

// Sixty cases are about to be deleted when the object breaks: altogether, or only for
// whoever changes it, as by a trigger. No attempt is spent on it.
func TestWritesOutliveABrokenObject(t *testing.T) {
	for name, match := range map[string]emulator.Match{
		"whatever is asked": {Object: "Case"}, "what is changed": {Object: "Case", Writes: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{})
				w.giveCases(0, 60)
				r := w.approved(0)
				w.turnsUntilGone(w.subjects[0].Records["EmailMessage"])
				began, calls := w.struck(), len(w.org.Log())
				w.org.SetFaults(emulator.FaultScript{{Kind: emulator.FaultObject, For: time.Hour, Match: match}})
				other := w.submit(weir.Access, 1)
				w.workFor(59 * time.Minute)
				n := w.struck() - began
				if n < 10 || n > 60 || len(w.letters()) != 0 {
					t.Errorf("%d letters, %d calls met the broken object", len(w.letters()), n)
				}
				if all := len(w.org.Log()) - calls; all > 100 { // checks and read-backs, and the other's
					t.Errorf("%d calls in the hour", all)
				}
				for _, id := range w.subjects[0].Records["Case"] {
					if rec, ok := w.org.Record("Case", id); ok && rec["IsDeleted"] == true {
						t.Errorf("%s is deleted", id)
					}
				}
				w.until(other.ID, 2*time.Hour, weir.Delivered)
				w.workFor(time.Hour)
				for _, id := range w.subjects[0].Records["Case"] {
					if rec, ok := w.org.Record("Case", id); ok && rec["IsDeleted"] != true {
						t.Errorf("%s is not deleted an hour after the object works", id)
					}
				}
				w.until(r.ID, 120*time.Hour, weir.Closed)
				w.erased(0)
				w.clean()
				if _, err := w.engine.Why(t.Context(), w.stepsOf(r.ID)[0]); err != nil {
					t.Error(err)
				}
				if len(w.letters()) != 0 {
					t.Errorf("letters afterwards: %+v", w.letters())
				}
			})
		})
	}
}

// turnsUntilGone works call by call until records are deleted.
func (w *world) turnsUntilGone(ids []string) {
	w.t.Helper()
	for range 1000 {
		gone := 0
		for _, id := range ids {
			if rec, ok := w.org.Record("EmailMessage", id); !ok || rec["IsDeleted"] == true {
				gone++
			}
		}
		if gone == len(ids) {
			return
		}
		if did, err := w.engine.Turn(w.t.Context(), acme); err != nil {
			w.t.Fatal(err)
		} else if !did {
			w.pass()
		}
	}
	w.t.Fatal("the records are still there")
}

// closedFor is for how long the broken object is not asked.
func (w *world) closedFor() time.Duration {
	w.t.Helper()
	limits, err := w.engine.Limits(w.t.Context(), acme)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(limits.View.Objects) == 0 {
		return 0
	}
	return time.Until(limits.View.Objects[0].Until)
}

// Behind a broken object, a step that is due before it opens is handed to a person,
// with those that are due as early and about the same; no other step is.
func TestABrokenObjectDoomsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{people: 5})
		lead := w.addLead()
		w.breakObject("Case", 90*time.Minute)
		all := []weir.Request{w.submit(weir.Erasure, 0), w.submit(weir.Erasure, 2), w.submit(weir.Access, 3), w.submit(weir.Access, 4)}
		w.workFor(40 * time.Minute)
		if w.settle(); w.closedFor() < 2*time.Minute {
			t.Fatalf("it is asked again in %s", w.closedFor())
		}
		due := time.Now().Add(time.Minute).UTC().Truncate(time.Millisecond)
		late, other := w.submit(weir.Access, 1), w.submit(weir.Erasure, lead)
		w.exec(fmt.Sprintf(`UPDATE step SET due_at = %d WHERE request IN ('%s', '%s')`, due.UnixMilli(), late.ID, other.ID))
		w.exec(fmt.Sprintf(`UPDATE request SET due_at = %d WHERE id IN ('%s', '%s')`, due.UnixMilli(), late.ID, other.ID))
		w.until(other.ID, 30*time.Second, weir.AwaitingApproval)
		w.workFor(10 * time.Second)
		letters := w.letters()
		if len(letters) != 1 || letters[0].Request != late.ID || letters[0].Cause != weir.DeadlineRisk || letters[0].Object != "Case" {
			t.Fatalf("letters: %+v", letters)
		}
		calls := len(w.org.Log())
		w.workFor(4 * time.Minute)
		if n := len(w.org.Log()) - calls; n > 5 {
			t.Errorf("%d calls in four minutes", n)
		}
		w.workFor(time.Hour)
		for _, l := range w.letters() { // a person decides, now that it works: late as it is
			if err := w.engine.RetryLetter(t.Context(), l.ID, false, "kim"); err != nil {
				t.Fatal(err)
			}
		}
		w.until(late.ID, time.Hour, weir.Delivered)
		for _, r := range all {
			w.until(r.ID, 3*time.Hour, weir.AwaitingApproval, weir.Delivered)
		}
		w.clean()
	})
}
