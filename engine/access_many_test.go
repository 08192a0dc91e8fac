package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/internal/plan"
)

// A person with many records gets all of them, in their order, although plan,
// steps, ledger and certificate stay as short as for a person with few.
func TestAccessToManyRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{policy: func(p *engine.Policy) { p.MaxRecords = 0 }})
		want := w.hoarder("hoarder@example.org")
		r := w.access("hoarder@example.org")
		w.until(r.ID, 72*time.Hour, weir.Delivered)
		files := w.opened(r.ID)
		for object, ids := range want {
			var rows []struct{ ID string }
			if err := json.Unmarshal(files["data/"+object+".json"], &rows); err != nil {
				t.Fatalf("%s: %v", object, err)
			}
			got := make([]string, len(rows))
			for i, row := range rows {
				got[i] = row.ID
			}
			if !slices.Equal(got, ids) {
				t.Errorf("%s: %d rows, want the %d of the person in their order", object, len(got), len(ids))
			}
		}
		w.short(r.ID, want)
	})
}

// access asks for what is kept about somebody's addresses.
func (w *world) access(emails ...string) weir.Request {
	w.t.Helper()
	var ids []engine.Identifier
	for _, email := range emails {
		id, err := engine.ParseIdentifier(pii.NewString("email:" + email))
		if err != nil {
			w.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	r, err := w.engine.Submit(w.t.Context(), engine.Submission{
		Org: acme, Right: weir.Access, Law: "gdpr", By: "kim", Identifiers: ids,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// Every second call fails, and a step that reads many pages does not run out of
// attempts: each page has its own.
func TestAPageIsAFreshStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{policy: func(p *engine.Policy) { p.MaxRecords = 0 }})
		contact := w.org.Put("Contact", map[string]any{"LastName": "Doe", "Email": "hoarder@example.org"})
		for range 13_000 {
			w.org.Put("Task", map[string]any{"WhoId": contact, "Subject": "Call back"})
		}
		var script emulator.FaultScript
		for i := range 100 {
			script = append(script, emulator.ScriptedFault{Kind: emulator.FaultPlatform, At: 2 * (i + 1), Match: emulator.Match{Kind: "composite"}})
		}
		w.org.SetFaults(script)
		r := w.access("hoarder@example.org")
		w.until(r.ID, 72*time.Hour, weir.Delivered)
		if open := w.letters(); len(open) > 0 {
			t.Errorf("%d dead letters, such as %+v", len(open), open[0])
		}
	})
}

// What a person goes without when pages cannot be read is told.
func TestCertificateOfAPartThatWasNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		r := w.submit(weir.Access, 0)
		w.planned()
		w.org.SetFaults(emulator.FaultScript{{Kind: emulator.FaultPlatform, For: 1000 * time.Hour}})
		for len(w.letters()) == 0 {
			w.settle()
			w.pass()
		}
		w.org.SetFaults(nil)
		for i, l := range w.letters() {
			var err error
			if i == 0 {
				err = w.engine.ResolveLetter(t.Context(), l.ID, "waived", "the org cannot read it any more", "kim")
			} else {
				err = w.engine.RetryLetter(t.Context(), l.ID, false, "kim")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		w.until(r.ID, 72*time.Hour, weir.Delivered)
		c := w.certificate(r.ID)
		if len(c.Unproven) != 1 || !strings.Contains(c.Unproven[0], "without what 1 of the reading steps") {
			t.Errorf("the certificate does not tell what was not read: %q", c.Unproven)
		}
	})
}

// hoarder makes a person with so many records of some objects that lists of ids
// are cut, pages follow pages, and steps share an object.
func (w *world) hoarder(email string) map[string][]string {
	ids := map[string][]string{}
	put := func(object string, fields map[string]any) string {
		id := w.org.Put(object, fields)
		ids[object] = append(ids[object], id)
		return id
	}
	contact := put("Contact", map[string]any{"LastName": "Doe", "Email": email})
	for i := range 1_201 {
		ticket := put("Case", map[string]any{"ContactId": contact, "Subject": fmt.Sprint("Parcel ", i)})
		put("EmailMessage", map[string]any{"ParentId": ticket, "Subject": "Re: Parcel"})
	}
	for range 5_201 {
		put("Task", map[string]any{"WhoId": contact, "Subject": "Call back"})
	}
	return ids
}

// short checks what weir wrote down about a request.
func (w *world) short(id weir.RequestID, want map[string][]string) {
	w.t.Helper()
	_, p, err := w.engine.PlanOf(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	count := map[string]int{}
	for _, it := range p.Items {
		count[it.Object] += it.Count
		if it.Record != "" || len(it.Digest) != 64 || it.Action != weir.ActExport {
			w.t.Errorf("an item of the plan is no group: %+v", it)
		}
	}
	c := w.certificate(id)
	for object, ids := range want {
		if count[object] != len(ids) {
			w.t.Errorf("the plan has %d records of %s, want %d", count[object], object, len(ids))
		}
	}
	for i, it := range c.Items {
		if it.Outcome != ledger.OutcomeExported || it.Count != p.Items[i].Count || it.Digest != p.Items[i].Digest {
			w.t.Errorf("the certificate tells %+v of the plan's %+v", it, p.Items[i])
		}
	}
	s, err := w.engine.Status(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	history, err := w.engine.History(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	steps := s.Steps[weir.StepDone]
	if most := len(want)*plan.ExportParts + 20; steps > most || len(history) > steps+10 || len(s.Steps) != 1 {
		w.t.Errorf("%v steps and %d entries, want at most %d steps and as many entries", s.Steps, len(history), most)
	}
}
