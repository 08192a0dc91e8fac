package salesforce

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

const maxHeaderBytes = 64 << 10

// errForbiddenAddress says that the org's name resolved to an address that no
// Salesforce org has.
var errForbiddenAddress = errors.New("the org's host resolves to a private or local address")

// newTransport builds the transport to one org: HTTP/1.1, because HTTP/2 keeps
// answers in buffers of its own; no proxy from the environment; no transparent
// decompression, because a tag that was fetched compressed differs from one
// that was not, and because a small answer may inflate without end.
func newTransport(local bool, timeout time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second, Control: addressGuard(local)}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    15 * time.Second,
		ResponseHeaderTimeout:  timeout,
		IdleConnTimeout:        60 * time.Second,
		MaxIdleConnsPerHost:    8,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true,
		Protocols:              protocols,
	}
}

// addressGuard refuses addresses after the name was resolved: a name that
// points into the own network would hand the token to a neighbour. A loopback
// org (the emulator) may only be on loopback.
func addressGuard(local bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return errForbiddenAddress
		}
		ip := at.Addr().Unmap()
		if local != ip.IsLoopback() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip.IsPrivate() {
			return errForbiddenAddress
		}
		return nil
	}
}

// sending watches one call and tells whether the org may have received it.
type sending struct{ traced, connected atomic.Bool }

func (w *sending) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// net/http tries again by itself only when nothing was written, so the
		// last attempt is the one that counts.
		GetConn: func(string) { w.traced.Store(true); w.connected.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { w.connected.Store(true) },
	})
}

// maybe says whether the request may have been written. From the moment that
// it has a connection this cannot be excluded: the writer runs beside us. A
// RoundTripper that does not trace gets the same doubt unless dialling failed.
func (w *sending) maybe(err error) bool {
	if w.traced.Load() {
		return w.connected.Load()
	}
	return !NeverSent(err)
}

// NeverSent says whether a RoundTripper's error proves that nothing reached the
// org: no connection was made. Every other error leaves it open.
func NeverSent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}
