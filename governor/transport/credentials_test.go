package transport_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/governor/transport"
)

// tokenOrg accepts one token at a time and gives out new ones.
type tokenOrg struct {
	good   atomic.Pointer[string]
	calls  atomic.Int64
	tokens atomic.Int64
}

func (o *tokenOrg) RoundTrip(req *http.Request) (*http.Response, error) {
	s := &script{}
	if strings.HasSuffix(req.URL.Path, "/token") {
		o.tokens.Add(1)
		return s.response(req, reply{status: 200, body: *o.good.Load()}), nil
	}
	o.calls.Add(1)
	time.Sleep(100 * time.Millisecond)
	if req.Header.Get("Authorization") != "Bearer "+*o.good.Load() {
		return s.response(req, reply{status: 401, code: "INVALID_SESSION_ID"}), nil
	}
	return s.response(req, reply{status: 200, body: "{}"}), nil
}

// client is a client as many are: it renews its token when it sees a 401, once
// for all of its callers, and repeats the call.
type client struct {
	rt http.RoundTripper

	mu    sync.Mutex
	token string
}

func (c *client) get(t *testing.T, renewVia http.RoundTripper) int {
	c.mu.Lock()
	token := c.token
	c.mu.Unlock()
	for range 2 {
		req := request(t, "GET", someURL, "")
		req.Header.Set("Authorization", "Bearer "+token)
		status, _, err := do(t.Context(), c.rt, req)
		if err != nil || status != http.StatusUnauthorized {
			return status
		}
		c.mu.Lock()
		if c.token == token {
			_, c.token, err = do(t.Context(), renewVia, request(t, "POST", "https://login.salesforce.com/services/oauth2/token", "x"))
			if err != nil {
				t.Error(err)
			}
		}
		token = c.token
		c.mu.Unlock()
	}
	return http.StatusUnauthorized
}

// TestADeadTokenCostsFewCalls: a thousand callers share a token that is
// revoked under them. Whether the client renews it through the transport or
// beside it, all of them succeed, and the org sees few calls with the dead one.
func TestADeadTokenCostsFewCalls(t *testing.T) {
	for name, beside := range map[string]bool{"renewed through it": false, "renewed beside it": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				org := &tokenOrg{}
				good := "second"
				org.good.Store(&good)
				rt := governed(t, org, transport.Options{Policy: roomy()})
				c := &client{rt: rt, token: "first"}
				var renewVia http.RoundTripper = rt
				if beside {
					renewVia = org
				}
				const callers = 1000
				var all sync.WaitGroup
				for range callers {
					all.Go(func() {
						if status := c.get(t, renewVia); status != 200 {
							t.Errorf("status %d", status)
						}
					})
				}
				all.Wait()
				if n := org.tokens.Load(); n != 1 {
					t.Errorf("%d token calls", n)
				}
				if wasted := org.calls.Load() - callers; wasted > 8 {
					t.Errorf("%d calls carried the dead token", wasted)
				}
				if v := rt.View(); v.Breaker {
					t.Error("the breaker is open")
				}
			})
		})
	}
}

// TestARefusalIsNotBelievedForEver: who cannot renew asks the org again.
func TestARefusalIsNotBelievedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org := &script{replies: []reply{{status: 401, code: "INVALID_SESSION_ID"}}}
		rt := governed(t, org, transport.Options{})
		for range 5 {
			if status, text, err := do(t.Context(), rt, request(t, "GET", someURL, "")); err != nil || status != 401 || !strings.Contains(text, "INVALID_SESSION_ID") {
				t.Fatalf("status %d, %v", status, err)
			}
		}
		if n := len(org.calls()); n != 1 {
			t.Errorf("%d calls with a token that the org had refused", n)
		}
		time.Sleep(31 * time.Second)
		if status, _, err := do(t.Context(), rt, request(t, "GET", someURL, "")); err != nil || status != 200 {
			t.Errorf("status %d, %v", status, err)
		}
	})
}

// TestATokenCallWaitsForTheGateOnly: it takes no slot and is no call of the
// allocation.
func TestATokenCallWaitsForTheGateOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := roomy()
		p.Slots = 1
		org := &script{delay: time.Minute}
		rt := governed(t, org, transport.Options{Policy: p})
		go func() { _, _, _ = do(t.Context(), rt, request(t, "GET", someURL, "")) }()
		synctest.Wait()
		begin := time.Now()
		token := "https://acme.my.salesforce.com/services/oauth2/token"
		if status, _, err := do(t.Context(), rt, request(t, "POST", token, "x")); err != nil || status != 200 || time.Since(begin) != time.Minute {
			t.Errorf("status %d, %v after %v", status, err, time.Since(begin))
		}
		closeGate(t, rt, org, 600)
		org.delay = 0
		_, _, err := do(transport.WithDeadline(t.Context(), time.Now().Add(time.Minute)), rt, request(t, "POST", token, "x"))
		_ = isDeferred(t, err)
		begin = time.Now()
		if status, _, err := do(t.Context(), rt, request(t, "POST", token, "x")); err != nil || status != 200 || time.Since(begin) < 599*time.Second {
			t.Errorf("status %d, %v after %v", status, err, time.Since(begin))
		}
		if own := rt.View().Own24h; own != 2 {
			t.Errorf("%d calls count against the allocation, want 2", own)
		}
	})
}
