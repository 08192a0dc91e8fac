package salesforce

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
)

// call is one HTTP exchange with the org.
type call struct {
	method  string
	path    string // below the pinned host
	header  map[string]string
	body    []byte                          // overwritten once it was sent
	soap    func(session pii.Secret) []byte // builds the body of a SOAP call, which carries the token
	mutates bool                            // a lost answer leaves the org in doubt
	free    bool                            // the org does not count this call
	open    bool                            // sent without a token
	plain   bool                            // ask for an uncompressed answer
}

// reader decodes a 2xx answer. It may return a *weir.Fault.
type reader func(status int, h http.Header, s *scanner) error

// exchange sends one call with the org's token and reads the answer. A 401 is
// not repeated here: the governor decides, and Renew carries it out.
func (c *Client) exchange(ctx context.Context, k call, read reader) Answer {
	if k.open {
		return c.send(ctx, k, read)
	}
	tok, failed := c.token(ctx)
	if failed != nil {
		clear(k.body)
		return *failed
	}
	if k.header == nil {
		k.header = map[string]string{}
	}
	if k.soap != nil {
		k.body = k.soap(tok.access)
	} else {
		k.header["Authorization"] = "Bearer " + string(tok.access.Reveal())
	}
	a := c.send(ctx, k, read)
	if a.Fault != nil && (a.Fault.Category == weir.AuthDrift || a.Fault.Category == weir.AuthConfig) {
		c.tokens.refuse(tok.generation)
	}
	return a
}

// send carries one call to the org. It uses the RoundTripper itself: an
// http.Client would follow redirects, and its errors hold the URL.
func (c *Client) send(ctx context.Context, k call, read reader) Answer {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	out := &outgoing{buf: k.body, may: sendWhile(ctx)}
	defer out.settle()
	if ctx.Err() != nil {
		return c.refuse(CodeNotSent, weir.PlatformFault)
	}
	if !out.may() {
		return c.refuse(CodeLapsed, weir.StorageFault)
	}
	var watch sending
	req, err := http.NewRequestWithContext(watch.watch(ctx), k.method, c.base.String()+k.path, http.NoBody)
	if err != nil {
		return c.refuse(CodeForeignLink, weir.EndpointMoved)
	}
	req.Header.Set("User-Agent", c.agent)
	k.dress(req)
	if k.body != nil {
		req.Body, req.ContentLength = out.open(), int64(len(k.body))
		req.GetBody = func() (io.ReadCloser, error) { return out.open(), nil }
	}
	a := Answer{SentAt: c.now()}
	resp, err := c.transport.RoundTrip(req)
	a.At = c.now()
	if err != nil {
		if errors.Is(err, errLapsed) {
			return c.refuse(CodeLapsed, weir.StorageFault)
		}
		if !watch.maybe(err) {
			return c.refuse(CodeNotSent, weir.PlatformFault)
		}
		return c.lost(a, k, CodeNoAnswer)
	}
	defer func() { _ = resp.Body.Close() }()
	return c.receive(a, k, resp, read)
}

// dress sets the headers of a call.
func (k call) dress(req *http.Request) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	if k.plain {
		req.Header.Set("Accept-Encoding", "identity")
	}
	if !k.open {
		req.Header.Set("Sforce-Call-Options", "client=weir")
	}
	for name, value := range k.header {
		req.Header.Set(name, value)
	}
}

// receive reads an answer whose headers arrived.
func (c *Client) receive(a Answer, k call, resp *http.Response, read reader) Answer {
	if !k.free {
		a.Calls = 1
	}
	a.Readings = ParseReadings(resp.Header, a.At)
	known := c.lastUsage()
	c.remember(a.Readings)
	accepted := resp.StatusCode/100 == 2
	body, err := inflate(resp, c.pageCap)
	if err != nil && accepted {
		return c.broken(a, k, err)
	}
	s := newScanner(body, c.pageCap)
	defer s.wipe()
	first, err := s.peek()
	if err != nil && !errors.Is(err, errEnd) && accepted {
		return c.broken(a, k, err)
	}
	if accepted && err == nil && k.readable(resp, first) {
		if err = read(resp.StatusCode, resp.Header, s); err == nil && k.soap == nil {
			err = s.finish()
		}
		if err != nil {
			return c.broken(a, k, err)
		}
		return a
	}
	text, _ := s.rest(c.errorCap) // the status speaks even when its page ended early
	return c.classified(a, k, resp, text, known)
}

// readable says whether a 2xx answer is of the kind that the call expects. A
// gateway's page is HTML whatever its status, and must not pass for success.
func (k call) readable(resp *http.Response, first byte) bool {
	if k.soap != nil {
		return first == '<'
	}
	html := strings.Contains(strings.ToLower(resp.Header.Get("Content-Type")), "html")
	return !html && (first == '{' || first == '[')
}

// classified turns an answer that is no success into a fault.
func (c *Client) classified(a Answer, k call, resp *http.Response, text []byte, known []weir.Reading) Answer {
	r := Response{
		Method: k.method, Path: k.path, Status: resp.StatusCode, Header: resp.Header, Body: text, At: a.At,
		ReadOnly: !k.mutates, Composite: k.mutates && k.soap == nil, Known: known,
	}
	v := Classify(r)
	a.Readings = mergeReadings(a.Readings, v.Readings)
	a.Detail = v.Detail
	if a.Fault = v.Fault(); a.Fault == nil {
		// Such as a 204 where a document was due: nothing says what happened.
		return c.broken(a, k, errSyntax)
	}
	if a.Fault.Code == "" && resp.StatusCode/100 == 2 {
		a.Fault.Code = CodeBrokenAnswer
	}
	return a
}

// broken is an answer that arrived but cannot be relied on.
func (c *Client) broken(a Answer, k call, err error) Answer {
	var fault *weir.Fault
	var sink *sinkError
	switch {
	case errors.As(err, &fault):
		a.Fault = fault
		return a
	case errors.As(err, &sink):
		a.Err = sink.err
		a.Fault = ownFault(CodeSink, weir.StorageFault, weir.EffectNone)
		return a
	case errors.Is(err, errTooLarge), errors.Is(err, errTooDeep):
		a = c.lost(a, k, CodeAnswerTooLarge)
		a.Fault.Retryable = false // the same answer would come again
		return a
	}
	return c.lost(a, k, CodeBrokenAnswer)
}

// lost is a call that the org may have carried out without our knowing.
func (c *Client) lost(a Answer, k call, code string) Answer {
	if !k.free {
		a.Calls = 1
	}
	if k.mutates {
		a.Fault = ownFault(code, weir.UnknownOutcome, weir.EffectUnknown)
	} else {
		a.Fault = ownFault(code, weir.PlatformFault, weir.EffectNone)
	}
	return a
}

// sinkError carries the error of the caller's sink through the decoder.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return "sink: " + e.err.Error() }
