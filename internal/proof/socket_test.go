package proof

import (
	"testing"
	"time"

	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/web"
)

// TestOneWeirAnswers starts `weir serve` beside a verb that works by itself while
// none runs: both open the store, PostgreSQL lets both, and one socket is in the data
// directory. When the verb has ended, the weir that goes on answers there.
func TestOneWeirAnswers(t *testing.T) {
	t.Parallel()
	program := build(t)
	pgtest.Each(t, func(t *testing.T, dsn string) {
		t.Parallel()
		f := chosenForm(t)
		f.requests = 3
		o := startOrg(t, program, f)
		w := install(t, program, dsn, o, f)
		for _, person := range o.people {
			answersAfter(t, w, person.Email)
		}
	})
}

func answersAfter(t *testing.T, w *installation, email string) {
	t.Helper()
	var doc struct {
		Request status `json:"request"`
	}
	if err := w.run(t.Context(), "email:"+email+"\n", &doc, "submit", "--org", alias, "--right", access); err != nil {
		t.Fatal(err)
	}
	planned := make(chan error, 1)
	go func() { planned <- w.run(t.Context(), "", nil, "--timeout", "10s", "plan", doc.Request.ID) }()
	p, _, err := w.serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := <-planned; unlessPassing(err) != nil && !failedWith(err, exitThrottled) && !failedWith(err, web.ExitFailure) {
		t.Error(err)
	}
	var r *web.Remote
	for end := time.Now().Add(5 * time.Second); r == nil && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if r, err = web.Dial(t.Context(), w.path("data")); err != nil {
			t.Fatal(err)
		}
	}
	if r == nil {
		t.Error("weir runs, and nobody answers in its data directory")
	}
	if err := p.stop(10 * time.Second); err != nil {
		t.Error(err)
	}
}
