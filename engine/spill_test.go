package engine_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
)

// meanwhile does something while the org answers a composite, once.
type meanwhile struct {
	http.RoundTripper
	do func()
}

func (m *meanwhile) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.RoundTripper.RoundTrip(r)
	if do := m.do; do != nil && strings.HasSuffix(r.URL.Path, "/composite") {
		m.do = nil
		do()
	}
	return resp, err
}

// The store takes no writes when a write has been acknowledged: the outcome waits in
// the sealed journal, and is committed when the store is back. Nothing is sent
// twice.
func TestOutcomeSurvivesTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		wire := &meanwhile{RoundTripper: w.options.Orgs[0].Transport}
		w.through(wire)
		r := w.approved(0)
		var lost error
		for range 100 { // turn by turn up to the first write, then cut
			if writes := len(w.org.Truth().Mutations); writes > 0 {
				break
			}
			before := len(w.org.Truth().Mutations)
			wire.do = func() {
				if len(w.org.Truth().Mutations) > before {
					w.exec(`PRAGMA query_only = 1`) // as a disk that turned read-only
				}
			}
			if _, err := w.engine.Turn(t.Context(), acme); err != nil {
				lost = err
				break
			}
		}
		if !errors.Is(lost, engine.ErrUnavailable) {
			t.Fatalf("the turn ended with %v, want the store unreachable", lost)
		}
		totals, _ := w.engine.Totals(t.Context())
		if totals.Journal != 1 {
			t.Fatalf("%d outcomes in the journal, want 1", totals.Journal)
		}
		for _, canary := range []string{"Erased", w.subjects[0].Records["Contact"][0]} {
			if hits := grep(t, w.options.DataDir+"/vault", canary); len(hits) > 0 {
				t.Errorf("the journal shows %q in clear: %v", canary, hits)
			}
		}
		if _, err := w.engine.Turn(t.Context(), acme); !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("a call was admitted while an outcome waits for the store: %v", err)
		}
		w.exec(`PRAGMA query_only = 0`)
		w.until(r.ID, 96*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
	})
}
