package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirhq/weir/governor/transport"
)

// No test may leave a goroutine behind, and so may no transport.
func TestMain(m *testing.M) {
	if code := m.Run(); code != 0 {
		os.Exit(code)
	}
	if err := goleak.Find(); err != nil {
		_, _ = os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}

// reply is what a scripted org answers.
type reply struct {
	status int
	code   string // an errorCode
	after  int    // Retry-After, in seconds
	usage  string // Sforce-Limit-Info
	body   string
	err    error
}

func throttled(after int) reply { return reply{status: 429, after: after} }

// script is an org that answers what it is told, then 200. It keeps what it
// was sent.
type script struct {
	delay time.Duration

	mu      sync.Mutex
	replies []reply
	sent    []sent
	open    int // bodies that nobody closed
}

type sent struct {
	at     time.Time
	method string
	auth   string
	body   string
	name   string // X-Name
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	s.mu.Lock()
	s.sent = append(s.sent, sent{time.Now(), req.Method, req.Header.Get("Authorization"), string(body), req.Header.Get("X-Name")})
	r := reply{status: 200, usage: "api-usage=18/1000000"}
	if len(s.replies) > 0 {
		r, s.replies = s.replies[0], s.replies[1:]
	}
	s.mu.Unlock()
	if s.delay > 0 {
		select {
		case <-time.After(s.delay):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return s.response(req, r), nil
}

func (s *script) response(req *http.Request, r reply) *http.Response {
	text := r.body
	if text == "" && r.code != "" {
		text = `[{"errorCode":"` + r.code + `","message":"as it is"}]`
	}
	resp := &http.Response{
		StatusCode: r.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, Body: http.NoBody,
	}
	if r.after > 0 {
		resp.Header.Set("Retry-After", strconv.Itoa(r.after))
	}
	if r.usage != "" {
		resp.Header.Set("Sforce-Limit-Info", r.usage)
	}
	if text != "" {
		s.mu.Lock()
		s.open++
		s.mu.Unlock()
		resp.Body = &tracked{Reader: strings.NewReader(text), from: s}
	}
	return resp
}

type tracked struct {
	io.Reader
	from *script
	once sync.Once
}

func (b *tracked) Close() error {
	b.once.Do(func() {
		b.from.mu.Lock()
		defer b.from.mu.Unlock()
		b.from.open--
	})
	return nil
}

func (s *script) calls() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sent(nil), s.sent...)
}

// do sends a request and reads its answer to the end.
func do(ctx context.Context, rt http.RoundTripper, req *http.Request) (int, string, error) {
	resp, err := rt.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func isDeferred(t *testing.T, err error) *transport.DeferredError {
	t.Helper()
	var d *transport.DeferredError
	if !errors.As(err, &d) {
		t.Fatalf("got %v, want a DeferredError", err)
	}
	return d
}
