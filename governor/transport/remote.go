package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/socket"
)

// remote asks a running weir through its socket. The state, the clock and the
// dice are its; here is only the question. Its operations are described in
// docs/transport.md.
type remote struct {
	opt    Options
	client http.Client

	mu  sync.Mutex
	err error // the last report that could not be delivered
}

// ErrNoWeir says that nobody answered at the socket. No call is sent then: to
// govern alone would be to spend a budget that others count on.
var ErrNoWeir = errors.New("the running weir does not answer at its socket")

// RefusedError is what a running weir says against a question, such as that it
// does not know the org.
type RefusedError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *RefusedError) Error() string { return e.Message }

const (
	askTimeout    = 10 * time.Second // a commit of the running weir may wait for others
	lookAgain     = 250 * time.Millisecond
	maxSocketText = 1 << 20
)

func newRemote(o Options) *remote {
	return &remote{opt: o, client: http.Client{Timeout: askTimeout, Transport: &http.Transport{
		MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return socket.Dial(ctx, o.Socket)
		},
	}}}
}

// The documents of the three operations.
type (
	admitInput struct {
		Org weir.OrgID `json:"org"`
		Ask weir.Ask   `json:"ask"`
	}
	admitAnswer struct {
		Admission string        `json:"admission"`
		Decision  weir.Decision `json:"decision"`
	}
	observeInput struct {
		Org       weir.OrgID   `json:"org"`
		Admission string       `json:"admission"`
		Outcome   weir.Outcome `json:"outcome"`
		Open      bool         `json:"open,omitempty"` // the answer is still being read: a release follows
	}
	observeAnswer struct {
		Decision weir.Decision `json:"decision"`
	}
	releaseInput struct {
		Org       weir.OrgID `json:"org"`
		Admission string     `json:"admission"`
	}
)

func (r *remote) instant() bool { return false }

func (r *remote) enter(ctx context.Context, c *call) (answer, error) {
	now := r.opt.Now()
	var out admitAnswer
	err := r.call(ctx, "admit", admitInput{r.opt.Org, weir.Ask{Now: now, Cost: c.cost, DueAt: now}}, &out)
	if err != nil {
		return answer{}, err
	}
	a := read(out.Decision)
	if a.ruling == goes {
		c.ticket, c.sent = out.Admission, r.opt.Now()
	} else if a.ruling == crowded && a.until.Sub(now) > lookAgain {
		a.until = now.Add(lookAgain) // another program may give a slot back, and nobody calls us then
	}
	return a, nil
}

func (r *remote) observe(ctx context.Context, c *call, o weir.Outcome, open bool) weir.Decision {
	var out observeAnswer
	err := r.call(context.WithoutCancel(ctx), "observe", observeInput{r.opt.Org, c.ticket, o, open}, &out)
	r.report(err)
	return out.Decision
}

func (r *remote) end(c *call) {
	r.report(r.call(context.Background(), "release", releaseInput{r.opt.Org, c.ticket}, &struct{}{}))
}

// report keeps an error that there is nobody to return to: the call itself has
// its answer. The running weir takes the call for spent when its admission ends.
func (r *remote) report(err error) {
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = err
	}
}

func (r *remote) close() error {
	r.client.CloseIdleConnections()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// A program's credentials are its own business: the running weir has others.
func (r *remote) renewed()           {}
func (r *remote) token(weir.Outcome) {}
func (r *remote) gate() answer       { return answer{} }

func (r *remote) call(ctx context.Context, name string, in, out any) error {
	raw, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://weir/v1/"+name, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("ask %s: %w", name, err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", ErrNoWeir, err)
	}
	defer func() { _ = resp.Body.Close() }() // read to the end or given up
	text, err := io.ReadAll(http.MaxBytesReader(nil, resp.Body, maxSocketText))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoWeir, err) // it ended in the middle of its answer, or it is not weir
	}
	if resp.StatusCode != http.StatusOK {
		refused := &RefusedError{}
		if err := json.Unmarshal(text, refused); err != nil {
			return fmt.Errorf("%w: status %d", ErrNoWeir, resp.StatusCode)
		}
		return refused
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("decode answer of %s: %w", name, err)
	}
	return nil
}
