package transport

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/salesforce"
)

// errorCap is how much of an error's body is looked at; salesforce.Client reads
// as much.
const errorCap = 64 << 10

// readings is a buffer for as many as an answer has in its headers.
type readings [4]weir.Reading

// send carries the call out and lets the judge learn from what came of it.
func (t *Transport) send(c *call, req *http.Request, failed int) (*http.Response, *weir.Fault, weir.Decision, error) {
	t.budget.sent.Add(1)
	resp, err := t.base.RoundTrip(req)
	o := weir.Outcome{Now: t.opt.Now(), SentAt: c.sent, Cost: c.cost, Attempts: failed, DueAt: noDue}
	read := false
	if err != nil {
		o.Fault = lost(req.Method, err)
		if o.Fault.Code == salesforce.CodeNotSent {
			o.Cost = 0 // the org has seen nothing
		}
	} else {
		buf := t.buffers.Get().(*readings) //nolint:forcetypeassert // nothing else is in the pool
		defer t.buffers.Put(buf)
		o.Readings, o.Fault, read = t.classify(buf[:0], req, resp, o.Now)
		t.usage.keep(o.Readings)
	}
	open := err == nil && !read && resp.Body != nil && resp.Body != http.NoBody
	d := t.judge.observe(req.Context(), c, o, open)
	if open {
		c.body, resp.Body = resp.Body, c
	}
	if o.Fault != nil && o.Fault.Category == weir.AuthDrift {
		t.refuse(req, o.Now)
	}
	t.queue.kick() // a slot is free, or what was learnt lets others go
	return resp, o.Fault, d, err
}

// lost is a call without an answer. A read did nothing in any case; of anything
// else the org may have carried out a part, unless it never had a connection.
func lost(method string, err error) *weir.Fault {
	f := &weir.Fault{Category: weir.PlatformFault, Code: salesforce.CodeNoAnswer, Scope: weir.ScopeCall, Effect: weir.EffectNone, Retryable: true}
	switch {
	case salesforce.NeverSent(err):
		f.Code = salesforce.CodeNotSent
	case !readsOnly(method):
		f.Category, f.Effect, f.Retryable = weir.UnknownOutcome, weir.EffectUnknown, false
	}
	return f
}

// classify says what an answer means, with the table that the engine's client
// uses. Of a success only the headers are looked at. Of a failure the beginning
// of the body is read, and put back; read says that this was all of it.
func (t *Transport) classify(into []weir.Reading, req *http.Request, resp *http.Response, at time.Time) (_ []weir.Reading, _ *weir.Fault, read bool) {
	if resp.StatusCode/100 == 2 || resp.StatusCode == http.StatusNotModified || resp.StatusCode == http.StatusSwitchingProtocols {
		return salesforce.AppendReadings(into, resp.Header, at), nil, false
	}
	start, read := peek(resp)
	path := req.URL.Path
	v := salesforce.Classify(salesforce.Response{
		Method: req.Method, Path: path, Status: resp.StatusCode, Header: resp.Header, At: at,
		Body: salesforce.Readable(resp.Header, start, errorCap), Composite: strings.Contains(path, "/composite"), Known: t.usage.known(),
	})
	v.Detail.Clear() // the org's words echo values
	return v.Readings, v.Fault(), read
}

// peek reads the beginning of a body and puts it back in front of the rest.
func peek(resp *http.Response) (start []byte, whole bool) {
	if resp.Body == nil || resp.Body == http.NoBody {
		return nil, true
	}
	start, err := io.ReadAll(io.LimitReader(resp.Body, errorCap+1))
	rest := resp.Body
	switch {
	case err != nil:
		resp.Body = unread{io.MultiReader(bytes.NewReader(start), failing{err}), rest}
	case len(start) > errorCap:
		resp.Body = unread{io.MultiReader(bytes.NewReader(start), rest), rest}
		start = start[:errorCap]
	default:
		_ = rest.Close() // it was read to the end
		resp.Body = io.NopCloser(bytes.NewReader(start))
		whole = true
	}
	return start, whole
}

type unread struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// usage keeps the last readings of the allocations: whether a throttle without
// a tell-tale text is the daily one depends on them.
type usage struct {
	mu         sync.Mutex
	daily, app weir.Reading
}

func (u *usage) keep(readings []weir.Reading) {
	for _, r := range readings {
		if r.Clamped || r.Kind != weir.ReadDaily && r.Kind != weir.ReadApp {
			continue
		}
		u.mu.Lock()
		if r.Kind == weir.ReadDaily {
			u.daily = r
		} else {
			u.app = r
		}
		u.mu.Unlock()
	}
}

func (u *usage) known() []weir.Reading {
	u.mu.Lock()
	defer u.mu.Unlock()
	return []weir.Reading{u.daily, u.app}
}
