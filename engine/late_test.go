package engine_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
)

// stopper stands for a process that is stopped (SIGSTOP, a suspended machine)
// between the claim of a write and its sending.
type stopper struct {
	http.RoundTripper
	pause time.Duration // before the next write; then none
}

func (s *stopper) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || !strings.HasSuffix(r.URL.Path, "/composite") {
		return s.RoundTripper.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Body = &stoppedBody{ReadCloser: r.Body, stopper: s}
	return s.RoundTripper.RoundTrip(r)
}

// stoppedBody lets most of a write go, as a socket's buffer would, and stops
// before its last byte.
type stoppedBody struct {
	io.ReadCloser
	stopper *stopper
	begun   bool
}

func (b *stoppedBody) Read(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		n, err := b.ReadCloser.Read(p[:100])
		if strings.Contains(string(p[:n]), `"method":"PATCH"`) || strings.Contains(string(p[:n]), `"method":"DELETE"`) {
			time.Sleep(b.stopper.pause)
			b.stopper.pause = 0
		}
		return n, err
	}
	return b.ReadCloser.Read(p)
}

// A write goes out only while its claim outlives the HTTP timeout, and only
// while no other node can take this one for dead (design section 6).
func TestNoWriteIsSentLate(t *testing.T) {
	for _, c := range []struct {
		name         string
		claim, pause time.Duration
		sent         bool
	}{
		{"at once", 0, 0, true},
		{"silent for a moment", 0, 5 * time.Second, true},
		{"silent for so long that others adopt", 0, 12 * time.Second, false},
		{"the claim no longer outlives the timeout", 33 * time.Second, 5 * time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{})
				wire := &stopper{RoundTripper: w.options.Orgs[0].Transport}
				w.options.Orgs = append([]engine.Org(nil), w.options.Orgs...)
				w.options.Orgs[0].Transport, w.options.Orgs[0].Claim = wire, c.claim
				if err := w.engine.Close(); err != nil {
					t.Fatal(err)
				}
				w.open()
				r := w.approved(0)
				wire.pause = max(c.pause, 1)
				began := time.Now()
				for wire.pause > 0 { // up to the first write
					if err := w.engine.Control(t.Context()); err != nil {
						t.Fatal(err)
					}
					if did, err := w.engine.Turn(t.Context(), acme); err != nil || !did {
						t.Fatalf("worked %t: %v", did, err)
					}
				}
				if got := len(w.org.Truth().Mutations) > 0; got != c.sent {
					t.Errorf("%s after the claim the org has accepted a write: %t, want %t", time.Since(began), got, c.sent)
				}
				w.until(r.ID, 96*time.Hour, weir.Closed)
				w.erased(0)
				w.clean()
				if doubled := w.org.Truth().Doubled(); len(doubled) > 0 {
					t.Errorf("%d writes were doubled", len(doubled))
				}
			})
		})
	}
}
