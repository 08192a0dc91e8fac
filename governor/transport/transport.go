package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// Transport governs the calls to one org. It is safe for concurrent use.
type Transport struct {
	base    http.RoundTripper
	opt     Options
	judge   judge
	queue   queue
	budget  budget
	refused refused
	usage   usage
	buffers sync.Pool // of *readings
}

// ErrNoAlias says that a socket was given without the alias of an org.
var ErrNoAlias = errors.New("with a socket, Org must be the org's alias in the running weir's configuration")

// New puts a governor in front of base; nil means http.DefaultTransport. It
// sends nothing.
func New(base http.RoundTripper, o Options) (*Transport, error) {
	o = o.withDefaults()
	if err := o.Policy.Validate(); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	if base == nil {
		base = http.DefaultTransport
	}
	t := &Transport{base: base, opt: o, buffers: sync.Pool{New: func() any { return new(readings) }}}
	if o.Socket == "" {
		l, err := newLocal(o)
		if err != nil {
			return nil, fmt.Errorf("transport: %w", err)
		}
		t.judge = l
		return t, nil
	}
	if o.Org == "" {
		return nil, fmt.Errorf("transport: %w", ErrNoAlias)
	}
	t.judge = newRemote(o)
	return t, nil
}

// Close saves the state and returns what went wrong with saving it. Calls may
// go on afterwards.
func (t *Transport) Close() error {
	if err := t.judge.close(); err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	return nil
}

// CloseIdleConnections does so in the transport below.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// View shows what the governor of this process knows of the org. Over a socket
// it is empty: `weir limits` shows the running weir's.
func (t *Transport) View() governor.View {
	if l, ok := t.judge.(*local); ok {
		return l.look()
	}
	return governor.View{}
}

// RoundTrip implements http.RoundTripper: it waits until the call may be sent,
// sends it, learns from the answer, and returns that as it is. Its error is a
// *DeferredError when the call was not sent, and the base's otherwise.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if isToken(req) {
		return t.tokenCall(req)
	}
	o := orderIn(req.Context())
	due := t.due(req.Context(), o)
	for failed, next := 0, req; ; {
		c, err := t.enter(req, o, due)
		if err != nil {
			closeBody(next)
			return t.undo(req, err)
		}
		resp, fault, d, err := t.send(c, next, failed)
		if fault == nil || !t.again(req, fault, d, due) {
			return resp, err
		}
		again, bodyErr := rewound(req)
		if bodyErr != nil {
			return resp, err
		}
		if resp != nil {
			_ = resp.Body.Close() // what it said is known, and another answer will come
		}
		if governor.Counts(fault.Category) {
			failed++
		}
		if err := pause(req.Context(), t.opt.Now(), d.Wait.Until); err != nil {
			closeBody(again)
			return nil, err
		}
		next = again
	}
}

// due is the last instant at which a call may be sent.
func (t *Transport) due(ctx context.Context, o order) time.Time {
	due := o.latest(ctx)
	if due.IsZero() && t.opt.MaxWait > 0 {
		due = t.opt.Now().Add(t.opt.MaxWait)
	}
	return due
}

// undo is the end of a call that was not sent.
func (t *Transport) undo(req *http.Request, err error) (*http.Response, error) {
	var late *DeferredError
	if errors.Is(err, errDeadToken) {
		return deadToken(req), nil
	}
	if t.opt.Synthesize && errors.As(err, &late) {
		return late.response(req, t.opt.Now()), nil
	}
	return nil, err
}

// enter returns when the call may be sent, or the reason why it may not.
func (t *Transport) enter(req *http.Request, o order, due time.Time) (*call, error) {
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if t.dead(req) {
		return nil, errDeadToken
	}
	c := &call{t: t, cost: o.cost}
	if t.judge.instant() && t.queue.empty() {
		a, err := t.judge.enter(ctx, c)
		switch {
		case err != nil:
			return nil, err
		case a.ruling == goes:
			return c, nil
		case a.ruling == parked && tooLate(a, due):
			return nil, t.deferred(a, nil)
		}
	}
	return c, t.wait(req, c, o, due)
}

func tooLate(a answer, due time.Time) bool { return !due.IsZero() && due.Before(a.until) }

// wait takes a place in the queue and keeps it until the call may be sent.
func (t *Transport) wait(req *http.Request, c *call, o order, due time.Time) error {
	ctx := req.Context()
	p := t.queue.join(o, due)
	defer t.queue.leave(p)
	var last answer
	var alarm alarm
	defer alarm.stop()
	for {
		first, late := t.queue.first(p)
		now := t.opt.Now()
		switch {
		case late != nil:
			return t.deferred(*late, nil)
		case !due.IsZero() && !now.Before(due):
			return t.deferred(t.guess(last, now), ended(ctx, now))
		case t.dead(req):
			return errDeadToken
		case first:
			a, err := t.judge.enter(ctx, c)
			switch {
			case err != nil:
				return err
			case a.ruling == goes:
				return nil
			case a.ruling == parked && tooLate(a, due):
				return t.deferred(a, nil)
			case a.ruling == parked && !a.until.Equal(last.until):
				t.queue.park(a)
			}
			last = a
			alarm.set(now, a.until, due)
		default:
			alarm.set(now, due)
		}
		select {
		case <-p.turn:
		case <-alarm.rings():
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return t.deferred(t.guess(last, now), context.Cause(ctx))
			}
			return context.Cause(ctx)
		}
	}
}

// ended is the error of a context whose deadline has come, maybe in this very
// instant.
func ended(ctx context.Context, now time.Time) error {
	if due, ok := ctx.Deadline(); ok && !now.Before(due) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// guess is what a call waited for that never was the first to ask.
func (t *Transport) guess(last answer, now time.Time) answer {
	if last.class == "" {
		last.class = weir.ThrottledConcurrent
	}
	if last.until.Before(now) {
		last.until = now.Add(t.opt.Policy.Base)
	}
	return last
}

// alarm is a timer for the earliest of some times.
type alarm struct{ timer *time.Timer }

func (a *alarm) set(now time.Time, at ...time.Time) {
	a.stop()
	var next time.Time
	for _, when := range at {
		if !when.IsZero() && (next.IsZero() || when.Before(next)) {
			next = when
		}
	}
	if !next.IsZero() {
		a.timer = time.NewTimer(next.Sub(now))
	}
}

func (a *alarm) rings() <-chan time.Time {
	if a.timer == nil {
		return nil
	}
	return a.timer.C
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// pause waits until a time.
func pause(ctx context.Context, now, until time.Time) error {
	if !until.After(now) {
		return nil
	}
	timer := time.NewTimer(until.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // it was not sent: there is nobody to tell
	}
}
