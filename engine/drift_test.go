package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
)

// One record, one line of the data map or one attribute of the describe
// changes between approval and execution: it stops with nothing sent.
func TestDriftStopsTheExecution(t *testing.T) {
	cases := map[string]struct {
		change func(w *world)
		names  string // what the difference must name
	}{
		"record": {func(w *world) {
			id := w.subjects[0].Records["Case"][0]
			time.Sleep(2 * time.Second)
			w.org.Touch("Case", id, map[string]any{"Subject": "Changed"})
		}, "Case"},
		"new record": {func(w *world) {
			w.org.Put("Task", map[string]any{"WhoId": w.subjects[0].Records["Contact"][0], "Subject": "New"})
		}, "Task"},
		"new person": {func(w *world) { // what hangs on a record that the plan does not know is named too
			w.org.Put("Case", map[string]any{"ContactId": w.org.Put("Contact", map[string]any{"LastName": "Doe", "Email": w.subjects[0].Email}), "Subject": "New"})
		}, "Case"},
		"map line": {func(w *world) { w.remap("        Title: null\n", "        Title: \"none\"\n") }, "data map"},
		"describe": {func(w *world) {
			if err := w.org.AlterField("Contact", "Title", "length", 40); err != nil {
				w.t.Fatal(err)
			}
		}, "Contact.Title"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{})
				r := w.submit(weir.Erasure, 0)
				r = w.until(r.ID, time.Hour, weir.AwaitingApproval)
				approve(w, r)
				c.change(w)
				w.settle()
				s, err := w.engine.Status(t.Context(), r.ID)
				if err != nil {
					t.Fatal(err)
				}
				if s.Request.Stage != weir.AwaitingApproval || s.Request.Reason != "plan_stale" {
					t.Fatalf("%s (%s), want a stale plan", s.Request.Stage, s.Request.Reason)
				}
				text := ""
				for _, d := range s.Drift {
					text += d.String() + "\n"
				}
				if !strings.Contains(text, c.names) {
					t.Errorf("the differences do not name %q:\n%s", c.names, text)
				}
				for _, m := range w.org.Truth().Mutations {
					if !m.Foreign {
						t.Fatalf("%s %s was sent", m.Method, m.Object)
					}
				}
				if _, err := w.engine.Approve(t.Context(), r.ID, r.PlanHash, "", "lee"); err == nil {
					t.Error("a stale plan was approved again")
				}
				if _, err := w.engine.Replan(t.Context(), r.ID, "kim"); err != nil {
					t.Fatal(err)
				}
				fresh := w.until(r.ID, time.Hour, weir.AwaitingApproval)
				if fresh.PlanHash == r.PlanHash || fresh.PlanHash == "" {
					t.Errorf("the fresh plan is %q, the old one was %q", fresh.PlanHash, r.PlanHash)
				}
			})
		})
	}
}

// A record that is found by e-mail and by telephone is the same in the confirmation as
// in the plan, whichever of the two was answered first.
func TestTheOrderOfAnswersIsNoDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		for i, p := range w.subjects {
			r := w.submitAs(weir.Erasure, "email:"+p.Email, fmt.Sprintf("phone:+49 30 %07d", i*10))
			r = w.until(r.ID, time.Hour, weir.AwaitingApproval)
			_, doc, err := w.engine.PlanOf(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range doc.Items {
				if want := "Contact.Email = subject; Contact.MobilePhone = subject; Contact.Phone = subject"; item.Record == p.Records["Contact"][0] && item.Why != want {
					t.Errorf("found because of %q, want %q", item.Why, want)
				}
			}
			approve(w, r)
			w.until(r.ID, 48*time.Hour, weir.Closed)
		}
	})
}

func approve(w *world, r weir.Request) {
	w.t.Helper()
	if _, err := w.engine.Approve(w.t.Context(), r.ID, r.PlanHash, "", "lee"); err != nil {
		w.t.Fatal(err)
	}
}

// remap restarts the engine with an altered data map: see edited.
func (w *world) remap(edits ...string) {
	w.t.Helper()
	w.withMap(edited(w.t, edits...))
}

// withMap restarts the engine with another data map.
func (w *world) withMap(m *datamap.Map) {
	w.t.Helper()
	if err := w.engine.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.options.Orgs = slices.Clone(w.options.Orgs)
	w.options.Orgs[0].Map = m
	w.open()
}

// edited is the tests' data map with other words in it: pairs of what it says and
// what is to stand there instead.
func edited(t *testing.T, edits ...string) *datamap.Map {
	t.Helper()
	src := string(mapSource(t))
	for pair := range slices.Chunk(edits, 2) {
		if !strings.Contains(src, pair[0]) {
			t.Fatalf("the data map has no %q", pair[0])
		}
		src = strings.Replace(src, pair[0], pair[1], 1)
	}
	m, err := datamap.Parse("datamap.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
