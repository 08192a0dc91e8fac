package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor/transport"
)

func TestWaitsOutRetryAfterAndSendsAReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org := &script{replies: []reply{throttled(7)}}
		rt := governed(t, org, transport.Options{})
		status, _, err := do(t.Context(), rt, request(t, "GET", someURL, ""))
		calls := org.calls()
		if err != nil || status != 200 || len(calls) != 2 {
			t.Fatalf("status %d, %v, %d calls", status, err, len(calls))
		}
		if waited := calls[1].at.Sub(calls[0].at); waited < 7*time.Second || waited > 9*time.Second {
			t.Errorf("waited %v, the org asked for 7 s", waited)
		}
	})
}

// closeGate lets the org refuse one call, which is not sent again.
func closeGate(t *testing.T, rt http.RoundTripper, org *script, after int) {
	t.Helper()
	org.mu.Lock()
	org.replies = append(org.replies, throttled(after))
	org.mu.Unlock()
	if status, _, err := do(t.Context(), rt, request(t, "POST", someURL, "{}")); err != nil || status != 429 {
		t.Fatalf("status %d, %v: the caller must see the refusal of its POST", status, err)
	}
}

func TestACallThatCannotBeInTimeComesBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org := &script{}
		rt := governed(t, org, transport.Options{Org: "acme"})
		closeGate(t, rt, org, 3600)
		begin := time.Now()
		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for name, ctx := range map[string]context.Context{
			"context": short, "own": transport.WithDeadline(t.Context(), begin.Add(time.Minute)),
		} {
			_, _, err := do(ctx, rt, request(t, "PATCH", someURL, "{}"))
			d := isDeferred(t, err)
			if d.Class != weir.ThrottledBurst || !errors.Is(err, weir.ThrottledBurst) || d.Until.Sub(begin) < 59*time.Minute {
				t.Errorf("%s deadline: deferred until %v for %s", name, d.Until, d.Class)
			}
			for _, want := range []string{"org acme", "waits until", "takes no more calls", "retry-after 1h0m0s"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s deadline: %q does not say %q", name, err, want)
				}
			}
		}
		client := http.Client{Transport: rt, Timeout: time.Minute}
		_, err := client.Get(someURL) //nolint:bodyclose // there is no answer
		var outer *url.Error
		if !errors.As(err, &outer) {
			t.Fatalf("got %v", err)
		}
		_ = isDeferred(t, err)
		if !time.Now().Equal(begin) || len(org.calls()) != 1 {
			t.Errorf("took %v and sent %d calls", time.Since(begin), len(org.calls())-1)
		}
		// With time enough, it waits.
		status, _, err := do(transport.WithDeadline(t.Context(), begin.Add(2*time.Hour)), rt, request(t, "PATCH", someURL, "{}"))
		if err != nil || status != 200 || time.Since(begin) < time.Hour {
			t.Errorf("status %d, %v after %v", status, err, time.Since(begin))
		}
	})
}

func TestMaxWaitBoundsACallWithoutDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org := &script{}
		rt := governed(t, org, transport.Options{MaxWait: time.Minute, Synthesize: true})
		closeGate(t, rt, org, 600)
		resp, err := rt.RoundTrip(request(t, "GET", someURL, ""))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "600" || resp.Header.Get(transport.ClassHeader) != "throttled_burst" {
			t.Errorf("%d %v %s %v", resp.StatusCode, resp.Header, text, err)
		}
		if !strings.Contains(string(text), `"errorCode":"REQUEST_LIMIT_EXCEEDED"`) || len(org.calls()) != 1 {
			t.Errorf("%s after %d calls", text, len(org.calls()))
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestOnlyWhatIsSafeIsSentAgain: a call is repeated only where the org has
// surely not carried it out; a POST never.
func TestOnlyWhatIsSafeIsSentAgain(t *testing.T) {
	lost := errors.New("connection reset")
	unreachable := &net.OpError{Op: "dial", Err: errors.New("refused")}
	for _, c := range []struct {
		name   string
		method string
		body   string
		noBody bool // GetBody is not set
		resend transport.Resend
		first  reply
		want   int // calls
	}{
		{"a throttled read", "GET", "", false, transport.ResendReads, throttled(1), 2},
		{"a throttled read, forbidden", "GET", "", false, transport.ResendNothing, throttled(1), 1},
		{"a read on a broken platform", "GET", "", false, transport.ResendReads, reply{status: 503}, 2},
		{"a lost read", "GET", "", false, transport.ResendReads, reply{err: lost}, 2},
		{"a read that was never sent", "HEAD", "", false, transport.ResendReads, reply{err: unreachable}, 2},
		{"a read that is wrong", "GET", "", false, transport.ResendReads, reply{status: 400, code: "MALFORMED_QUERY"}, 1},
		{"a read with a body", "GET", "q", false, transport.ResendReads, throttled(1), 2},
		{"a read with a body that is gone", "GET", "q", true, transport.ResendReads, throttled(1), 1},
		{"a read with a dead token", "GET", "", false, transport.ResendReads, reply{status: 401, code: "INVALID_SESSION_ID"}, 1},
		{"a throttled POST", "POST", "{}", false, transport.ResendRefused, throttled(1), 1},
		{"a POST that was never sent", "POST", "{}", false, transport.ResendRefused, reply{err: unreachable}, 1},
		{"a throttled PATCH", "PATCH", "{}", false, transport.ResendReads, throttled(1), 1},
		{"a throttled PATCH, allowed", "PATCH", "{}", false, transport.ResendRefused, throttled(1), 2},
		{"a PATCH whose body is gone", "PATCH", "{}", true, transport.ResendRefused, throttled(1), 1},
		{"a PATCH that met a lock", "PATCH", "{}", false, transport.ResendRefused, reply{status: 400, code: "UNABLE_TO_LOCK_ROW"}, 1},
		{"a lost PATCH", "PATCH", "{}", false, transport.ResendRefused, reply{err: lost}, 1},
		{"a throttled DELETE, allowed", "DELETE", "", false, transport.ResendRefused, throttled(1), 2},
		{"a lost DELETE", "DELETE", "", false, transport.ResendRefused, reply{err: lost}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				org := &script{replies: []reply{c.first}}
				req := request(t, c.method, someURL, c.body)
				if c.noBody {
					req.GetBody = nil
				}
				_, _, err := do(t.Context(), governed(t, org, transport.Options{Resend: c.resend}), req)
				calls := org.calls()
				if len(calls) != c.want {
					t.Fatalf("%d calls, want %d", len(calls), c.want)
				}
				for _, s := range calls {
					if s.body != c.body {
						t.Errorf("sent %q, want %q", s.body, c.body)
					}
				}
				if (c.want == 1 && c.first.err != nil) != (err != nil) {
					t.Errorf("error %v", err)
				}
				if org.open != 0 {
					t.Errorf("%d bodies were left open", org.open)
				}
			})
		})
	}
}

// TestRepeatsAreATenthOfAllCalls on an org that refuses every call.
func TestRepeatsAreATenthOfAllCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org := &script{}
		for range 1000 {
			org.replies = append(org.replies, reply{status: 503})
		}
		rt := governed(t, org, transport.Options{})
		const callers = 200
		for range callers {
			if status, _, err := do(t.Context(), rt, request(t, "GET", someURL, "")); err != nil || status != 503 {
				t.Fatalf("status %d, %v", status, err)
			}
		}
		all := len(org.calls())
		if again := all - callers; again < 10 || again > all/10+10 {
			t.Errorf("%d of %d calls were repeats", again, all)
		}
	})
}

func TestTheAnswerStaysTheOrgs(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for name, r := range map[string]reply{
		"a success":            {status: 200, body: `{"a":1}`},
		"an error":             {status: 400, code: "MALFORMED_QUERY"},
		"an error beyond peek": {status: 500, body: long},
		"no content":           {status: 204},
	} {
		t.Run(name, func(t *testing.T) {
			org := &script{replies: []reply{r}}
			_, want, err := do(t.Context(), &script{replies: []reply{r}}, request(t, "POST", someURL, ""))
			if err != nil {
				t.Fatal(err)
			}
			status, text, err := do(t.Context(), governed(t, org, transport.Options{}), request(t, "POST", someURL, ""))
			if err != nil || status != r.status || text != want {
				t.Errorf("status %d with %d bytes, %v; want %d with %d", status, len(text), err, r.status, len(want))
			}
			if org.open != 0 {
				t.Error("the body was left open")
			}
		})
	}
}

// TestASuccessStreams: nothing of it is read before the caller reads.
func TestASuccessStreams(t *testing.T) {
	r, w := io.Pipe()
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: r, Request: req}, nil
	})
	resp, err := governed(t, base, transport.Options{}).RoundTrip(request(t, "GET", someURL, ""))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = w.Write([]byte("late"))
		_ = w.Close()
	}()
	text, err := io.ReadAll(resp.Body)
	if err != nil || string(text) != "late" {
		t.Errorf("read %q, %v", text, err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestOptionsAreChecked(t *testing.T) {
	p := roomy()
	p.Slots = 0
	if _, err := transport.New(nil, transport.Options{Policy: p}); err == nil {
		t.Error("a policy without slots was taken")
	}
	if _, err := transport.New(nil, transport.Options{Socket: "weir.sock"}); !errors.Is(err, transport.ErrNoAlias) {
		t.Errorf("a socket without an org gave %v", err)
	}
}
