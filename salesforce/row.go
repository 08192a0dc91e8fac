package salesforce

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/weirhq/weir/internal/pii"
)

// Row is one record. Raw and everything read from it are personal data; Raw is
// valid only until the sink returns, and is then overwritten by the next row.
type Row struct {
	Object string
	ID     string
	Raw    []byte // the record's JSON without the attributes members
}

// Format implements fmt.Formatter: a row does not print its values.
func (r Row) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, r.Object+"/"+r.ID+" "+pii.Redacted)
}

// Clone returns a row that outlives the sink.
func (r Row) Clone() Row {
	r.Raw = bytes.Clone(r.Raw)
	return r
}

// String returns a field's value as text; present is false when the field is
// null or was not selected. Numbers and booleans come as they were written. A
// path such as "Account.Name" reads the record behind a relationship.
func (r Row) String(field string) (value string, present bool) {
	raw := r.find(field)
	if raw == nil || string(raw) == "null" {
		return "", false
	}
	if raw[0] != '"' {
		return string(raw), true
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", false
	}
	return s, true
}

// Value is String for callers that keep the value.
func (r Row) Value(field string) (pii.Secret, bool) {
	s, ok := r.String(field)
	return pii.NewString(s), ok
}

// IsNull says whether a field was selected and is null.
func (r Row) IsNull(field string) bool { return string(r.find(field)) == "null" }

var errFound = errors.New("found")

// find returns the bytes of a field, or nil.
func (r Row) find(path string) []byte {
	raw := r.Raw
	for name := range strings.SplitSeq(path, ".") {
		if raw = member(raw, name); raw == nil {
			return nil
		}
	}
	return raw
}

func member(raw []byte, want string) []byte {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	var out []byte
	s := scanBytes(raw)
	s.lax = true
	err := s.object(func(name string) error {
		v, err := s.raw()
		if err == nil && name == want {
			out = v
			return errFound
		}
		return err
	})
	if !errors.Is(err, errFound) {
		return nil
	}
	return out
}

// rowReader turns the records of an answer into rows, in one buffer that the
// next record overwrites.
type rowReader struct{ buf []byte }

func (rr *rowReader) wipe() { clear(rr.buf[:cap(rr.buf)]) }

// row reads one record.
func (rr *rowReader) row(raw []byte) (Row, error) {
	clear(rr.buf)
	if cap(rr.buf) < len(raw) { // what is copied is shorter, so that the buffer never grows behind our back
		rr.buf = make([]byte, 0, 2*len(raw))
	}
	var r Row
	out := bytes.NewBuffer(rr.buf[:0])
	s := scanBytes(raw)
	s.lax = true
	err := strip(s, out, func(name string, value []byte) {
		switch name {
		case "attributes":
			r.Object, r.ID = attributes(value, r.ID)
		case "Id":
			if id := trimQuotes(value); recordID.MatchString(id) {
				r.ID = id
			}
		}
	})
	rr.buf = out.Bytes()
	r.Raw = rr.buf
	return r, err
}

// strip copies an object without its attributes members, at any depth.
func strip(s *scanner, out *bytes.Buffer, seen func(name string, value []byte)) error {
	out.WriteByte('{')
	first := true
	err := s.object(func(name string) error {
		if name == "attributes" {
			v, err := s.raw()
			seen(name, v)
			return err
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		out.Write(quoted)
		out.WriteByte(':')
		start := out.Len()
		if err := stripValue(s, out); err != nil {
			return err
		}
		seen(name, out.Bytes()[start:])
		return nil
	})
	out.WriteByte('}')
	return err
}

func stripValue(s *scanner, out *bytes.Buffer) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	switch c {
	case '{':
		return strip(s, out, func(string, []byte) {})
	case '[':
		out.WriteByte('[')
		err := s.array(func(i int) error {
			if i > 0 {
				out.WriteByte(',')
			}
			return stripValue(s, out)
		})
		out.WriteByte(']')
		return err
	}
	v, err := s.raw()
	out.Write(v)
	return err
}

// attributes reads {"type":"Contact","url":"/services/data/v66.0/sobjects/Contact/003…"}.
func attributes(raw []byte, id string) (object, record string) {
	object = trimQuotes(member(raw, "type"))
	if !apiName.MatchString(object) {
		object = ""
	}
	url := trimQuotes(member(raw, "url"))
	if last := url[strings.LastIndexByte(url, '/')+1:]; id == "" && recordID.MatchString(last) {
		id = last
	}
	return object, id
}

func trimQuotes(raw []byte) string { return strings.Trim(string(raw), `"`) }
