package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor/transport"
	"github.com/weirhq/weir/internal/web"
)

// program is another program on this machine that calls the org: a client of
// its own, governed through the socket.
func program(t *testing.T, socket string, base http.RoundTripper) *http.Client {
	t.Helper()
	rt, err := transport.New(base, transport.Options{Org: "acme", Socket: socket})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return &http.Client{Transport: rt}
}

// countingOrg is an org that counts its calls, and those below a floor.
type countingOrg struct {
	mu     sync.Mutex
	used   int
	limit  int
	floor  int
	below  int
	refuse int // Retry-After of the next answer
}

func (o *countingOrg) RoundTrip(req *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.used >= o.limit-o.floor {
		o.below++
	}
	o.used++
	resp := &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Sforce-Limit-Info": {fmt.Sprintf("api-usage=%d/%d", o.used, o.limit)}},
		Body:   io.NopCloser(strings.NewReader("{}")), ContentLength: 2,
	}
	if o.refuse > 0 {
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", fmt.Sprint(o.refuse))
		o.refuse = 0
	}
	return resp, nil
}

func get(ctx context.Context, c *http.Client) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://acme.my.salesforce.com/services/data/v66.0/limits", http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// status is what weir knows of the org.
func status(t *testing.T, e *engine.Engine) engine.OrgStatus {
	t.Helper()
	s, err := e.Limits(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestProgramsShareARunningWeirsBudget: two programs with many callers each
// stop together, before the floor that weir was configured with, and what one
// of them is told holds the other back.
func TestProgramsShareARunningWeirsBudget(t *testing.T) {
	e, dir := open(t)
	serve(t, e, dir)
	socket := filepath.Join(dir, web.SocketName) // longer than a socket's address may be
	org := &countingOrg{limit: 2060, floor: 2000}
	programs := []*http.Client{program(t, socket, org), program(t, socket, org)}
	ctx := transport.WithDeadline(t.Context(), time.Now().Add(time.Minute))
	var all sync.WaitGroup
	var mu sync.Mutex
	sent, deferred := 0, 0
	for _, c := range programs {
		for range 6 {
			all.Go(func() {
				for range 10 {
					code, err := get(ctx, c)
					var late *transport.DeferredError
					mu.Lock()
					switch {
					case err == nil && code == http.StatusOK:
						sent++
					case errors.As(err, &late) && late.Class == weir.ThrottledDaily && late.Org == "acme":
						deferred++
					default:
						t.Errorf("status %d, %v", code, err)
					}
					mu.Unlock()
				}
			})
		}
	}
	all.Wait()
	s := status(t, e)
	t.Logf("%d sent, %d deferred; weir counts %d of its own and %d in flight", sent, deferred, s.View.Own24h, s.InFlight)
	if org.below != 0 || sent != org.used || sent+deferred != 120 || deferred == 0 || sent < 40 {
		t.Errorf("%d of %d calls went below the floor, %d were deferred", org.below, org.used, deferred)
	}
	if s.View.Own24h != int64(sent) || s.InFlight != 0 || s.View.Used != int64(org.used) {
		t.Errorf("weir counts %d calls, %d in flight, %d used", s.View.Own24h, s.InFlight, s.View.Used)
	}
}

func TestOneProgramsRefusalHoldsTheOthersBack(t *testing.T) {
	e, dir := open(t)
	serve(t, e, dir)
	socket := filepath.Join(dir, web.SocketName)
	org := &countingOrg{limit: 100_000, refuse: 3600}
	one, other := program(t, socket, org), program(t, socket, org)
	ctx := transport.WithDeadline(t.Context(), time.Now().Add(time.Minute))
	if code, err := get(ctx, one); err != nil || code != http.StatusTooManyRequests {
		t.Fatalf("status %d, %v", code, err)
	}
	begin := time.Now()
	_, err := get(ctx, other)
	var late *transport.DeferredError
	if !errors.As(err, &late) || late.Class != weir.ThrottledBurst || late.Until.Before(begin.Add(59*time.Minute)) {
		t.Errorf("the other program got %v", err)
	}
	if s := status(t, e); s.View.GateUntil.IsZero() || s.View.GateCause != weir.ThrottledBurst {
		t.Error("weir itself does not wait")
	}
}

// TestNoWeirNoCall: without an answer at the socket nothing is sent.
func TestNoWeirNoCall(t *testing.T) {
	org := &countingOrg{limit: 100}
	_, err := get(t.Context(), program(t, filepath.Join(t.TempDir(), "weir.sock"), org))
	if !errors.Is(err, transport.ErrNoWeir) || org.used != 0 {
		t.Errorf("got %v after %d calls", err, org.used)
	}
	e, dir := open(t)
	serve(t, e, dir)
	rt, err := transport.New(org, transport.Options{Org: "nowhere", Socket: filepath.Join(dir, web.SocketName)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = get(t.Context(), &http.Client{Transport: rt})
	var refused *transport.RefusedError
	if !errors.As(err, &refused) || refused.Code != "unknown_org" || org.used != 0 {
		t.Errorf("got %v after %d calls", err, org.used)
	}
	if err := rt.Close(); err != nil {
		t.Error(err)
	}
}
