package emulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// Transport reaches the org without a socket: a call is carried out in the
// goroutine that makes it, and nothing is left behind. It works inside a
// testing/synctest bubble. A dropped connection is an error, as it is on a wire,
// and as there the error does not tell whether the call had an effect.
func (o *Org) Transport() http.RoundTripper { return transport{o} }

type transport struct{ org *Org }

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(io.LimitReader(req.Body, maxBody)); err != nil {
			return nil, fmt.Errorf("emulator: read the request: %w", err)
		}
		if err := req.Body.Close(); err != nil {
			return nil, fmt.Errorf("emulator: close the request: %w", err)
		}
	}
	if err := context.Cause(req.Context()); err != nil {
		return nil, err
	}
	in := &incoming{
		method: req.Method, url: req.URL, header: req.Header.Clone(), body: body,
		base: req.URL.Scheme + "://" + req.URL.Host,
	}
	if in.method == "" {
		in.method = http.MethodGet
	}
	r, err := t.org.serve(req.Context(), in)
	if err != nil {
		if cause := context.Cause(req.Context()); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("%w: %w", err, io.ErrUnexpectedEOF)
	}
	header := make(http.Header, len(r.header))
	for name, values := range r.header {
		// A wire has no letter case: net/http canonicalises what it reads.
		header[http.CanonicalHeaderKey(name)] = values
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(bytes.NewReader(r.body)), ContentLength: int64(len(r.body)), Request: req,
	}, nil
}
