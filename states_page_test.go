package weir_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
)

var update = flag.Bool("update", false, "write docs/states.md anew")

// TestStatesPage draws the two state machines from their tables. A transition
// that is not in the picture does not exist, and the other way round.
func TestStatesPage(t *testing.T) {
	const page = "docs/states.md"
	want := statesPage()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("%s is not what the tables say; run: go test . -run TestStatesPage -update\n%s", page, d)
	}
}

func statesPage() string {
	var b strings.Builder
	b.WriteString("# States\n\n" +
		"Drawn from `stageTable` ([stage.go](../stage.go)) and `stepTable` ([state.go](../state.go)) by\n" +
		"`go test . -run TestStatesPage -update`; a test fails when this page and the tables differ. What is not\n" +
		"drawn is refused: by `Next`, and by the SQL that moves a row only from the state its reader held.\n\n" +
		"## A request\n\n")
	diagram(&b, weir.Stages(), weir.Events(), weir.Received, weir.Stage.Next, weir.Stage.Ended)
	b.WriteString("\n## A step\n\n")
	diagram(&b, weir.StepStates(), weir.Verdicts(), weir.StepPlanned, weir.StepState.Next, weir.StepState.Ended)
	return b.String()
}

// diagram asks next for every pair and draws the edges that exist. Events that
// lead from one state to the same other one share an arrow.
func diagram[S, E ~string](b *strings.Builder, states []S, events []E, first S, next func(S, E) (S, error), ended func(S) bool) {
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	fmt.Fprintf(b, "    [*] --> %s\n", first)
	for _, from := range states {
		for _, to := range states {
			var labels []string
			for _, e := range events {
				if got, err := next(from, e); err == nil && got == to {
					labels = append(labels, string(e))
				}
			}
			if len(labels) > 0 {
				fmt.Fprintf(b, "    %s --> %s: %s\n", from, to, strings.Join(labels, ", "))
			}
		}
		if ended(from) {
			fmt.Fprintf(b, "    %s --> [*]\n", from)
		}
	}
	b.WriteString("```\n")
}
