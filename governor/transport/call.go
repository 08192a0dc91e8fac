package transport

import (
	"io"
	"sync/atomic"
	"time"
)

// call is one call under way and, once it is answered, the body of its answer:
// it is in flight until that was read to the end, closed or given up. A call
// allocates this and nothing else.
type call struct {
	t      *Transport
	cost   int
	ticket string // what a running weir calls it

	sent     time.Time
	answered time.Time

	body  io.ReadCloser
	read  atomic.Bool // since the reaper last looked
	ended atomic.Bool

	// Guarded by the judge.
	listed     bool
	idle       time.Time // since when nobody has read
	prev, next *call
}

// Read implements io.Reader.
func (c *call) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	if err != nil {
		c.end()
		return n, err //nolint:wrapcheck // a body's errors are the client's, io.EOF above all
	}
	c.read.Store(true)
	return n, nil
}

// Close implements io.Closer.
func (c *call) Close() error {
	err := c.body.Close()
	c.end()
	return err //nolint:wrapcheck // see Read
}

// end may be called more than once, by a reader and a closer at the same time.
func (c *call) end() {
	if c.ended.CompareAndSwap(false, true) {
		c.t.judge.end(c)
		c.t.queue.kick()
	}
}

// abandoned is how long nobody reads an answer before its call stops counting
// as in flight. Some clients forget to close what they do not need, and a slot
// must not be lost by that.
const abandoned = 30 * time.Second

// calls is the list of those in flight.
type calls struct {
	head *call
	n    int
}

func (l *calls) add(c *call) {
	c.listed, c.next = true, l.head
	if l.head != nil {
		l.head.prev = c
	}
	l.head = c
	l.n++
}

func (l *calls) drop(c *call) {
	if !c.listed {
		return
	}
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.head = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.listed, c.prev, c.next = false, nil, nil
	l.n--
}

// longCall is when Salesforce begins to count a call against its limit of
// concurrent ones (wire reference, section 1.5).
const longCall = 20 * time.Second

// long counts those that have been open for so long.
func (l *calls) long(now time.Time) int {
	n := 0
	for c := l.head; c != nil; c = c.next {
		if now.Sub(c.sent) >= longCall {
			n++
		}
	}
	return n
}

// reap drops calls whose answers nobody has read for long, and says whether
// there were any. It runs when somebody waits for a slot.
func (l *calls) reap(now time.Time) bool {
	before := l.n
	for c := l.head; c != nil; {
		next := c.next
		switch {
		case c.answered.IsZero() || c.read.Swap(false):
			c.idle = now
		case c.idle.IsZero():
			c.idle = now
		case now.Sub(c.idle) >= abandoned:
			l.drop(c)
		}
		c = next
	}
	return l.n < before
}
