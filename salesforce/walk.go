package salesforce

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// punct consumes one structural byte.
func (s *scanner) punct(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return errSyntax
	}
	s.pos++
	return nil
}

// object consumes an object. each must consume exactly the value of its member.
func (s *scanner) object(each func(name string) error) error {
	var seen []string
	return s.list('{', '}', func(int) error {
		if c, err := s.peek(); err != nil || c != '"' {
			return errors.Join(err, errSyntax)
		}
		name, err := s.text()
		if err != nil {
			return err
		}
		if slices.Contains(seen, name) {
			return errDuplicate
		}
		if !s.lax {
			seen = append(seen, name)
		}
		if len(seen) > maxNames {
			return errTooLarge
		}
		if err := s.punct(':'); err != nil {
			return err
		}
		return each(name)
	})
}

// array consumes an array. each must consume exactly one element.
func (s *scanner) array(each func(i int) error) error { return s.list('[', ']', each) }

func (s *scanner) list(from, to byte, each func(i int) error) error {
	if err := s.punct(from); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return errTooDeep
	}
	defer func() { s.depth-- }()
	for i := 0; ; i++ {
		c, err := s.peek()
		if err != nil {
			return err
		}
		if c == to {
			s.pos++
			return nil
		}
		if i > 0 {
			if err := s.punct(','); err != nil {
				return err
			}
			if c, err = s.peek(); err != nil || c == to {
				return errors.Join(err, errSyntax)
			}
		}
		if err := each(i); err != nil {
			return err
		}
	}
}

// skip consumes the next value without keeping it.
func (s *scanner) skip() error { _, err := s.raw(); return err }

// into consumes the next value and decodes it.
func (s *scanner) into(v any) error {
	b, err := s.raw()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: unexpected type", errSyntax) // the decoder's own text quotes the value
	}
	return nil
}

// text consumes a string.
func (s *scanner) text() (string, error) {
	var v string
	err := s.into(&v)
	return v, err
}

// value consumes the next value as a tree: map[string]any, []any, string,
// json.Number, bool or nil.
func (s *scanner) value() (any, error) {
	c, err := s.peek()
	if err != nil {
		return nil, err
	}
	if s.nodes++; s.nodes > maxNodes {
		return nil, errTooLarge // a few bytes of text become a hundred in memory
	}
	switch c {
	case '{':
		m := map[string]any{}
		err := s.object(func(name string) error {
			v, err := s.value()
			m[name] = v
			return err
		})
		return m, err
	case '[':
		l := []any{}
		err := s.array(func(int) error {
			v, err := s.value()
			l = append(l, v)
			return err
		})
		return l, err
	case '"':
		return s.text()
	}
	b, err := s.raw()
	if err != nil {
		return nil, err
	}
	switch string(b) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	return json.Number(b), nil
}

// finish checks that only white space is left.
func (s *scanner) finish() error {
	_, err := s.peek()
	if errors.Is(err, errEnd) {
		return nil
	}
	if err == nil {
		return errSyntax
	}
	return err
}

// rest consumes everything that is left, up to limit bytes.
func (s *scanner) rest(limit int64) ([]byte, error) {
	for int64(len(s.buf)-s.pos) < limit {
		if err := s.more(); err != nil {
			if errors.Is(err, errEnd) {
				err = nil
			}
			return s.buf[s.pos:], err
		}
	}
	return s.buf[s.pos : s.pos+int(limit)], nil
}
