package engine_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

// What befalls many steps at once is told once for each request and phase, and names
// each step: none is left out, and none is told twice.
func TestEntriesNameEveryStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		r := w.submit(weir.Erasure, 0)
		w.until(r.ID, time.Hour, weir.AwaitingApproval)
		var steps []weir.Step
		for i := range 450 {
			id := weir.StepID("S-X" + strconv.Itoa(i))
			phase := []weir.Phase{weir.PhaseCheck, weir.PhaseRead}[min(i/449, 1)]
			steps = append(steps, weir.Step{
				ID: id, Request: r.ID, Org: acme, Kind: weir.StepErase, Phase: phase, State: weir.StepReady,
				Object: "Contact", Record: "003", DueAt: time.Now().AddDate(0, 1, 0), Args: []byte(`{}`),
			})
		}
		err := w.engine.Store().Update(t.Context(), time.Now(), func(tx *store.Tx) error {
			if err := tx.InsertSteps(steps); err != nil {
				return err
			}
			_, err := tx.ClaimSteps(steps, "claim", "another", time.Now().Add(time.Second))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := w.engine.Control(t.Context()); err != nil {
			t.Fatal(err)
		}
		entries, err := w.engine.History(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		var sizes []string
		named := map[string]int{}
		for _, n := range entries {
			if n.Act != "step.adopted" {
				continue
			}
			sizes = append(sizes, n.Detail["phase"]+" "+n.Detail["count"])
			if n.Detail["from"] != "another" {
				t.Errorf("from %q", n.Detail["from"])
			}
			if n.Step != "" {
				named[string(n.Step)]++
				continue
			}
			for id := range strings.FieldsSeq(n.Detail["steps"]) {
				named[id]++
			}
		}
		if want := []string{"check 200", "check 200", "check 49", "read 1"}; !slices.Equal(sizes, want) {
			t.Errorf("entries of %v steps, want %v", sizes, want)
		}
		for _, s := range steps {
			if named[string(s.ID)] != 1 {
				t.Errorf("%s is named %d times", s.ID, named[string(s.ID)])
			}
		}
	})
}
