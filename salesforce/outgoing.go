package salesforce

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
)

// SendWhile returns a context whose calls are sent only while may says so. It
// is asked before a call and, because a process can be stopped at any moment,
// once more when all but the last byte of the body is on its way: an org does
// not act on a body that never ends. Nothing happens between that answer and
// the write to the socket. A call that may not be sent any more gives a fault
// with CodeLapsed and EffectNone.
func SendWhile(ctx context.Context, may func() bool) context.Context {
	return context.WithValue(ctx, sendKey{}, may)
}

type sendKey struct{}

func sendWhile(ctx context.Context) func() bool {
	if may, ok := ctx.Value(sendKey{}).(func() bool); ok {
		return may
	}
	return func() bool { return true }
}

// errLapsed ends a request before its last byte.
var errLapsed = errors.New("the call may not be sent any more")

// outgoing is a request body that is overwritten when nobody reads it any
// more. RoundTrip may return while the transport is still writing, so the
// buffer waits for both.
type outgoing struct {
	may func() bool // see SendWhile

	mu      sync.Mutex
	buf     []byte
	readers int
	settled bool
}

func (o *outgoing) open() io.ReadCloser {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.readers++
	return &outgoingReader{left: bytes.NewReader(o.buf), from: o}
}

func (o *outgoing) settle() { o.leave(func() { o.settled = true }) }

func (o *outgoing) leave(note func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	note()
	if o.settled && o.readers == 0 {
		clear(o.buf)
	}
}

// outgoingReader has no method but Read and Close, so that no copy loop can
// take the body past the question before its last byte.
type outgoingReader struct {
	left *bytes.Reader
	from *outgoing
	once sync.Once
}

// Read implements io.Reader.
func (r *outgoingReader) Read(p []byte) (int, error) {
	if n := r.left.Len(); n > 0 && len(p) >= n && !r.from.may() {
		return 0, errLapsed
	}
	return r.left.Read(p)
}

// Close implements io.Closer; net/http may call it twice.
func (r *outgoingReader) Close() error {
	r.once.Do(func() { r.from.leave(func() { r.from.readers-- }) })
	return nil
}
