package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
)

// Salesforce may page a query below the number of rows that it was asked for. What
// is on a later page is not gone.
func TestShortPagesHideNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{org: emulator.Options{Seed: 11, RecycleLag: -1, PageRows: 2}})
		for range 7 {
			id := w.org.Put("Task", map[string]any{"WhoId": w.subjects[0].Records["Contact"][0], "Subject": "Call back"})
			w.subjects[0].Records["Task"] = append(w.subjects[0].Records["Task"], id)
		}
		r := w.approved(0)
		w.until(r.ID, 96*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
		if gone := strings.Count(w.story(r.ID), "outcome=gone"); gone > 0 {
			t.Errorf("%d records count as gone that weir has not erased", gone)
		}
	})
}

// A proof looks behind what the plan leaves in place: here the whole first page.
func TestAProofReadsEveryPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{org: emulator.Options{Seed: 11, RecycleLag: -1, PageRows: 2}, policy: func(p *engine.Policy) { p.ProofLag = time.Hour }})
		w.remap("  Lead:\n    access: {fields: personal}\n    erase: {how: delete}\n",
			"  Lead:\n    access: {fields: personal}\n    erase: {how: withhold, reason: duty}\n",
			"objects:\n", "reasons: {duty: {text: A duty}}\nobjects:\n")
		p := w.subjects[0]
		for range 4 {
			w.org.Put("Lead", map[string]any{"LastName": "Doe", "Company": "Doe Ltd", "Email": p.Email})
		}
		r := w.approved(0)
		w.turnsUntil(func() bool { return w.get(r.ID).Stage == weir.Verifying })
		w.org.Put("Lead", map[string]any{"LastName": "Doe", "Company": "Doe Ltd", "Email": p.Email}) // nobody has decided about it
		for range 20 {
			w.settle()
			w.pass()
		}
		if letters := w.letters(); len(letters) == 0 || letters[0].Cause != weir.Residue {
			t.Errorf("the proof did not find a record that the plan does not know: %v", letters)
		}
	})
}
