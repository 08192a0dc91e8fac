package emulator

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// incoming is a call as the network delivered it.
type incoming struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
	base   string // scheme and host that it was sent to
}

const (
	maxBody  = 50 << 20 // of a SOAP message; REST bodies are smaller
	maxHead  = 16_384   // request line and headers together
	idleWait = 5 * time.Second
)

// errDropped says that the connection was cut before an answer came.
var errDropped = errors.New("emulator: connection dropped")

// Handler serves the Salesforce API: /services/oauth2, /services/data and
// /services/Soap.
func (o *Org) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		scheme := "http"
		if req.TLS != nil {
			scheme = "https"
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
		if err != nil {
			panic(http.ErrAbortHandler) // the caller went away, or sent too much
		}
		in := &incoming{method: req.Method, url: req.URL, header: req.Header, body: body, base: scheme + "://" + req.Host}
		r, err := o.serve(req.Context(), in)
		if err != nil {
			// The server cuts the connection without an answer.
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), r.header)
		w.WriteHeader(r.status)
		if _, err := w.Write(r.body); err != nil {
			return // the caller has gone; what was done stays done
		}
	})
}

// serve is the life of one call. No time passes while the org is locked.
func (o *Org) serve(ctx context.Context, in *incoming) (*reply, error) {
	c, delay, early := o.arrive(in)
	defer o.leave(c)
	if c.entry.Fault == FaultLostRequest {
		return nil, errDropped
	}
	if early != nil {
		return early, nil
	}
	there := delay / 2
	if there > 0 {
		// A caller who gives up before the call is looked at changes nothing.
		if err := o.options.Sleep(ctx, there); err != nil {
			return nil, err
		}
	}
	r, slow := o.answer(c)
	if slow += delay - there; slow > 0 {
		// What is done is done, whether or not the caller waits for the answer.
		if err := o.options.Sleep(ctx, slow); err != nil {
			return nil, err
		}
	}
	if r == nil {
		return nil, errDropped
	}
	return r, nil
}

// arrive numbers a call, decides what goes wrong with it, and refuses it when
// the edge does.
func (o *Org) arrive(in *incoming) (*call, time.Duration, *reply) {
	now, unlock := o.lock()
	defer unlock()
	c := &call{in: in, route: splitRoute(in.url.EscapedPath())}
	used := o.org.used(now)
	c.entry = &Call{
		Seq: len(o.log) + 1, At: now, Method: in.method, Kind: c.route.kind, Agent: in.header.Get("User-Agent"), Route: c.route.template,
		Object: o.knownObject(c.route.object), UsedBefore: used, Used: used, Limit: o.options.Limits.DailyAPI,
	}
	o.log = append(o.log, c.entry)
	o.run(c, now)
	c.survey()
	c.entry.Writes = c.writes
	c.planned = o.chooseFault(c, now)
	if c.writes > 0 {
		c.targetWrite = 1 + o.dice.IntN(c.writes)
	}
	if c.updates > 0 {
		c.targetTouch = 1 + o.dice.IntN(c.updates)
	}
	if c.strike(FaultLostRequest) {
		o.finish(c, nil, now)
		return c, 0, nil
	}
	var r *reply
	if tooLong(in) {
		r = rawReply(http.StatusRequestURITooLong, htmlType, []byte("<html><body>URI Too Long</body></html>"))
	} else {
		r = o.edge(c, now)
	}
	if r != nil {
		o.gateway(r.header, now)
		o.finish(c, r, now)
		r.compress(in.header)
		return c, 0, r
	}
	return c, o.latency(), nil
}

func (o *Org) latency() time.Duration {
	mean := o.options.Latency
	if mean <= 0 {
		return 0
	}
	return mean/2 + time.Duration(o.dice.Int64N(int64(mean)))
}

func tooLong(in *incoming) bool {
	n := len(in.url.RequestURI())
	for name, values := range in.header {
		for _, v := range values {
			n += len(name) + len(v) + 4
		}
	}
	return n > maxHead
}

// answer does what the call asks for. A nil reply means that the connection
// drops; slow is how long the answer takes to come.
func (o *Org) answer(c *call) (r *reply, slow time.Duration) {
	now, unlock := o.lock()
	defer unlock()
	r = o.perform(c, now)
	// A call that was refused has no acknowledgement to lose.
	if r == nil || r.status < http.StatusBadRequest && c.strike(FaultLostAck) {
		o.finish(c, nil, now)
		return nil, 0
	}
	if len(r.body) > 1 && r.status < http.StatusMultipleChoices && c.strike(FaultTruncated) {
		r.body = r.body[:len(r.body)/2]
	}
	if c.strike(FaultSlow) {
		if slow = o.options.Profile.SlowFor; slow <= 0 {
			slow = o.options.Limits.LongAfter + idleWait
		}
	}
	o.gateway(r.header, now)
	r.header.Set("Date", now.Format(http.TimeFormat))
	o.finish(c, r, now)
	r.compress(c.in.header)
	return r, slow
}

// finish completes the log entry of a call.
func (o *Org) finish(c *call, r *reply, now time.Time) {
	c.entry.Used = o.org.used(now)
	if c.entry.Fault != "" {
		o.faults[c.entry.Fault]++
	} else if c.rule != nil {
		c.rule.hits-- // the call failed before its fault could: another will have it
	}
	if r == nil {
		return
	}
	c.entry.Status = r.status
	if code := r.fail(); code != "" {
		c.entry.Code = code
		o.rejected[code]++
	}
}

// run begins the time that a call is running.
func (o *Org) run(c *call, now time.Time) {
	o.running[c] = now
	open := 0
	for other := range o.running {
		if other.route.kind != kindToken {
			open++
		}
	}
	o.busiest = max(o.busiest, open)
}

// leave ends the time that a call has been running.
func (o *Org) leave(c *call) {
	now, unlock := o.lock()
	defer unlock()
	o.longest = max(o.longest, o.longCalls(now)) // only the end of a call lowers their number
	delete(o.running, c)
}

func (o *Org) knownObject(name string) string {
	if ob := o.object(name); ob != nil {
		return ob.name
	}
	return ""
}
