package salesforce

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Bounds that Salesforce's own answers stay far below.
const (
	maxDepth = 64       // of nesting
	maxValue = 16 << 20 // bytes of one value: a record's long texts, all escaped, are ten million
	maxNodes = 100_000  // values of one answer that become a tree
	maxNames = 2_000    // members of one object, where each is compared with all before it
)

var (
	errEnd       = errors.New("the answer ends early")
	errTooDeep   = errors.New("the answer is nested too deeply")
	errTooLarge  = errors.New("the answer is larger than allowed")
	errSyntax    = errors.New("the answer is not well-formed")
	errDuplicate = errors.New("the answer names a member twice")
)

// scanner walks one JSON text as a stream, value by value. It is our own,
// because the decoder of encoding/json keeps what it read in a buffer that
// nobody can clear, matches names without regard to case and lets the last of
// two equal names win.
type scanner struct {
	r     io.Reader // nil when buf holds everything
	buf   []byte
	pos   int // first byte that was not consumed
	depth int
	nodes int  // that value() made
	limit int  // largest single value
	lax   bool // a record that was validated as a whole, with very many members: no second look
}

func newScanner(r io.Reader, limit int64) *scanner {
	return &scanner{r: r, buf: make([]byte, 0, 32<<10), limit: int(min(limit, maxValue))}
}

// scanBytes walks a text that is already in memory. It never changes or clears it.
func scanBytes(b []byte) *scanner { return &scanner{buf: b, limit: len(b)} }

// wipe overwrites what the scanner read.
func (s *scanner) wipe() {
	if s.r != nil {
		clear(s.buf[:cap(s.buf)])
	}
}

// more reads further input behind what is not consumed yet.
func (s *scanner) more() error {
	if s.r == nil {
		return errEnd
	}
	if s.pos > 0 {
		s.buf, s.pos = s.buf[:copy(s.buf, s.buf[s.pos:])], 0
	}
	if len(s.buf) == cap(s.buf) {
		if cap(s.buf) >= s.limit {
			return errTooLarge
		}
		wider := make([]byte, len(s.buf), 2*cap(s.buf))
		copy(wider, s.buf)
		clear(s.buf)
		s.buf = wider
	}
	for range 100 {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		switch {
		case n > 0:
			return nil
		case errors.Is(err, io.EOF):
			return errEnd // not io.ErrUnexpectedEOF: that is a stream that was cut
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// peek returns the next byte that is not white space, without consuming it.
func (s *scanner) peek() (byte, error) {
	for {
		for ; s.pos < len(s.buf); s.pos++ {
			switch s.buf[s.pos] {
			case ' ', '\t', '\r', '\n':
			default:
				return s.buf[s.pos], nil
			}
		}
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// raw consumes the next value and returns its bytes, valid until the next call.
func (s *scanner) raw() ([]byte, error) {
	if _, err := s.peek(); err != nil {
		return nil, err
	}
	var x extent
	for n := 0; ; n++ {
		if s.pos+n == len(s.buf) {
			err := s.more()
			if errors.Is(err, errEnd) && x.scalar && s.depth == 0 {
				return s.take(n)
			}
			if err != nil {
				return nil, err
			}
		}
		if x.text && !x.skip {
			n += plainRun(s.buf[s.pos+n:])
			if s.pos+n == len(s.buf) {
				n--
				continue
			}
		}
		done, include := x.step(s.buf[s.pos+n])
		if s.depth+x.depth > maxDepth {
			return nil, errTooDeep
		}
		if done && include {
			return s.take(n + 1)
		}
		if done {
			return s.take(n)
		}
	}
}

// plainRun counts the bytes of a string before the next quote or backslash.
func plainRun(b []byte) int {
	if i := bytes.IndexByte(b, '"'); i >= 0 {
		b = b[:i]
	}
	if i := bytes.IndexByte(b, '\\'); i >= 0 {
		return i
	}
	return len(b)
}

func (s *scanner) take(n int) ([]byte, error) {
	v := s.buf[s.pos : s.pos+n : s.pos+n]
	s.pos += n
	if !s.lax && !json.Valid(v) {
		return nil, errSyntax
	}
	return v, nil
}

// extent finds where a JSON value ends; whether it is valid is asked later.
type extent struct {
	depth                       int
	started, scalar, text, skip bool
}

// step takes the next byte and says whether the value has ended, and whether
// this byte is part of it.
func (x *extent) step(c byte) (done, include bool) {
	switch {
	case x.text && x.skip:
		x.skip = false
	case x.text && c == '\\':
		x.skip = true
	case x.text && c == '"':
		x.text = false
		return x.depth == 0, true
	case x.text:
	case x.scalar:
		switch c {
		case ',', ']', '}', ':', ' ', '\t', '\r', '\n':
			return true, false
		}
	case c == '"':
		x.text = true
	case c == '{' || c == '[':
		x.depth++
	case c == '}' || c == ']':
		x.depth--
		return x.depth <= 0, true
	case !x.started:
		x.scalar = true
	}
	x.started = true
	return false, false
}
