package benchmark

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/pgtest"
)

// tokens counts the org's answers to requests for a token.
func (w *world) tokens(org weir.OrgID) (n int) {
	for _, c := range w.orgs[org].Log() {
		if c.Kind == "token" {
			n++
		}
	}
	return n
}

// An admin revokes weir's session while thousands of steps are queued and calls
// are under way. Every call meets it; one renewal serves them all, no attempt is
// spent, and nobody has to decide about anything.
func TestRevokedToken(t *testing.T) {
	people := 3
	if long() {
		people = scaled(148) // 10,064 records
	}
	w := newWorld(t, pgtest.SQLite(t), 1, people, 5*time.Millisecond)
	var ids []weir.RequestID
	for i := range people {
		ids = append(ids, w.submit("org-0", weir.Erasure, i))
	}
	defer w.running()()
	w.await(ids, weir.AwaitingApproval, 5*time.Minute)
	for _, id := range ids {
		must(w.engine.Approve(t.Context(), id, w.stage(id).PlanHash, "", "kim"))(t)
	}
	before, done := w.tokens("org-0"), w.done()
	for w.done() == done {
		time.Sleep(time.Millisecond)
	}
	w.orgs["org-0"].ExpireSessions()
	w.await(ids, weir.Closed, 15*time.Minute)
	refused := 0
	for _, c := range w.orgs["org-0"].Log() {
		if c.Status == 401 {
			refused++
		}
	}
	tokens := w.tokens("org-0") - before
	letters := must(w.engine.Letters(t.Context(), engine.LetterFilter{Limit: 10}))(t)
	if refused == 0 {
		t.Fatal("no call met the revoked session")
	}
	if tokens > 3 || len(letters) > 0 {
		t.Errorf("%d tokens were fetched and %d letters written", tokens, len(letters))
	}
	if !long() {
		return
	}
	note(t, figure{
		Name: "token calls after a revocation", Value: float64(tokens), Unit: "calls", Goal: "≤ 3 with 10,000 steps, and no dead letter",
		Reached:  people*recordsOf >= 10_000 && tokens <= 3 && len(letters) == 0,
		Baseline: fmt.Sprintf("%d calls were refused", refused),
		Note:     fmt.Sprintf("%d steps, %d dead letters", people*recordsOf, len(letters)),
	})
}
