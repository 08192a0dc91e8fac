// Package transport is the governor as an http.RoundTripper, for any Go client
// of a Salesforce org:
//
//	governed, err := transport.New(http.DefaultTransport, transport.Options{})
//	if err != nil {
//		return err
//	}
//	client := &http.Client{Transport: governed}
//
// One Transport stands for one org. All clients of a program share it, so that
// they share its gate, its slots and its view of the daily allocation. With
// Options.Socket it shares them with a running weir too, and with every other
// program that does.
//
// The invariants it protects: no call is sent before a Retry-After has passed
// or while the floor would be touched; a call that cannot be sent in time is
// not sent late but comes back at once as a *DeferredError; a POST is never
// sent twice. It starts no goroutine, it changes no answer, and it reads no
// more of one than the beginning of an error.
//
// Start reading at transport.go (the life of one call), then queue.go (who goes
// first), local.go and remote.go (the two judges), call.go (when a call ends).
package transport
