package deadletter_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/deadletter"
)

func TestReleaseOfEveryCategory(t *testing.T) {
	byAuth := []weir.Category{weir.AuthDrift, weir.AuthConfig}
	byRoom := []weir.Category{
		weir.ThrottledDaily, weir.ThrottledConcurrent, weir.ThrottledBurst, weir.ThrottledLogin,
		weir.Maintenance, weir.StorageFull, weir.DeadlineRisk,
	}
	for _, c := range weir.Categories() {
		want := weir.ReleaseByPerson
		switch {
		case slices.Contains(byAuth, c):
			want = weir.ReleaseByAuth
		case slices.Contains(byRoom, c):
			want = weir.ReleaseByAllocation
		}
		if got := deadletter.For(c, c); got != want {
			t.Errorf("%s is released by %s, want %s", c, got, want)
		}
		// Died because the wait was too long: what it waited for decides.
		if got := deadletter.For(weir.DeadlineRisk, c); got != want {
			t.Errorf("deadline risk with %s is released by %s, want %s", c, got, want)
		}
	}
}

func TestActions(t *testing.T) {
	for _, c := range []struct {
		name  string
		state weir.LetterState
		cause weir.Category
		kind  weir.StepKind
		want  string
	}{
		{"a refused write", weir.LetterOpen, weir.Validation, weir.StepErase, "retry:operator resolve:approver escalate:operator"},
		{"no room", weir.LetterOpen, weir.ThrottledDaily, weir.StepExport, "retry:operator retry-after-reset:operator resolve:approver escalate:operator"},
		{"too late", weir.LetterOpen, weir.DeadlineRisk, weir.StepErase, "retry:operator retry-after-reset:operator resolve:approver escalate:operator"},
		{"credentials", weir.LetterOpen, weir.AuthConfig, weir.StepFind, "retry:operator retry-after-reset:operator escalate:operator"},
		{"nothing stands without describe", weir.LetterOpen, weir.Permission, weir.StepDescribe, "retry:operator escalate:operator"},
		{"a void plan is not sent again", weir.LetterOpen, weir.Drift, weir.StepErase, "resolve:approver escalate:operator"},
		{"purge", weir.LetterOpen, weir.UnknownOutcome, weir.StepPurge, "retry:operator resolve:approver escalate:operator"},
		{"released", weir.LetterReleased, weir.Validation, weir.StepErase, ""},
		{"resolved", weir.LetterResolved, weir.AuthConfig, weir.StepErase, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, a := range deadletter.Actions(c.state, c.cause, c.kind) {
				got = append(got, string(a.Verb)+":"+string(a.Role))
				if a.Note == "" || !deadletter.May(c.state, c.cause, c.kind, a.Verb) {
					t.Errorf("action %+v is not whole", a)
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
			if deadletter.May(c.state, c.cause, c.kind, "delete") {
				t.Error("a letter is never deleted")
			}
		})
	}
}

func TestRiskOrder(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	in := func(h int) time.Time { return now.Add(time.Duration(h) * time.Hour) }
	want := []weir.Letter{
		{ID: "DL-30", DueAt: in(-5), Right: weir.Access},
		{ID: "DL-31", DueAt: in(1), Right: weir.Access},
		{ID: "DL-12", DueAt: in(9), Right: weir.Erasure, Risk: weir.RiskHigh},
		{ID: "DL-4", DueAt: in(9), Right: weir.OptOut, Risk: weir.RiskNormal},
		{ID: "DL-3", DueAt: in(9), Right: weir.Access, Risk: weir.RiskHigh},
		{ID: "DL-9", DueAt: in(9), Right: weir.Portability, Risk: weir.RiskNormal},
		{ID: "DL-10", DueAt: in(9), Right: weir.Access, Risk: weir.RiskNormal},
		{ID: "DL-1", DueAt: in(9000), Right: weir.Erasure, Risk: weir.RiskHigh},
		{ID: "DL-2", Right: weir.Erasure, Risk: weir.RiskHigh},
	}
	for i, a := range want {
		for j, b := range want {
			got, expect := deadletter.Order(a, b, now), i-j
			if got < 0 != (expect < 0) || got > 0 != (expect > 0) {
				t.Errorf("Order(%s, %s) = %d", a.ID, b.ID, got)
			}
		}
	}
}

func TestSuggestionForEveryCategory(t *testing.T) {
	seen := map[string]weir.Category{}
	for _, c := range weir.Categories() {
		s := deadletter.Suggest(c, "")
		if !strings.HasSuffix(s, ".") || !strings.Contains(s, ";") || len(s) > 260 {
			t.Errorf("%s: %q must say what happened; what is safe, and what to do", c, s)
		}
		if o, dup := seen[s]; dup {
			t.Errorf("%s and %s say the same", c, o)
		}
		seen[s] = c
	}
	if s := deadletter.Suggest(weir.Validation, "DELETE_FAILED"); !strings.Contains(s, "depend") {
		t.Errorf("the code is not heeded: %q", s)
	}
	if s := deadletter.Suggest("novel", "X"); !strings.Contains(s, "sealed message") {
		t.Errorf("an unknown category says %q", s)
	}
}
