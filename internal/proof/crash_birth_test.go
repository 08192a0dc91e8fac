package proof

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/pgtest"
)

// births kills weir while it makes the vault's own keys, which it does once in
// the life of an installation, and lets it start again.
func births(t *testing.T, program string, f crashForm) {
	o := startOrg(t, program, f.form)
	w := install(t, program, pgtest.SQLite(t), o, f.form)
	for _, after := range []bool{false, true} {
		point := crash.Point{Write: crash.StoreKeys, After: after}
		for range f.times {
			if err := os.RemoveAll(w.path("data")); err != nil { // a vault that was never made
				t.Fatal(err)
			}
			w.armed = []string{crash.Variable + "=" + point.Armed(1)}
			if _, _, err := w.serve(t.Context()); !struck(err) {
				t.Fatalf("%s was not hit: %v", point, err)
			}
			w.armed = nil
			p, _, err := w.serve(t.Context())
			if err != nil {
				t.Fatalf("weir does not start after %s: %v", point, err)
			}
			if err := p.stop(10 * time.Second); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(w.path("data", "vault", "keys")); errors.Is(err, os.ErrNotExist) {
				t.Errorf("no keys after %s", point)
			}
		}
	}
}
