package salesforce

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weirhq/weir/internal/pii"
)

// fieldsBody writes field values as a JSON object, in a buffer that is cleared
// after it was sent.
func fieldsBody(fields map[string]any) ([]byte, error) {
	b := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if !apiName.MatchString(name) || strings.EqualFold(name, "id") || strings.EqualFold(name, "attributes") {
			return nil, fmt.Errorf("field name %.80q: %w", name, ErrInvalidMutation)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), `":`...)
		var err error
		if b, err = appendValue(b, fields[name]); err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
	}
	return append(b, '}'), nil
}

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case pii.Secret:
		return appendQuoted(b, v.Reveal())
	case string:
		return appendQuoted(b, []byte(v))
	case nil, bool, int, int64, float64, json.Number:
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, ErrInvalidMutation // the encoder's text quotes the value
		}
		return append(b, raw...), nil
	}
	return nil, fmt.Errorf("a value of type %T: %w", v, ErrInvalidMutation)
}

// appendQuoted writes a JSON string byte by byte, so that a secret is copied
// only into the buffer that will be cleared.
func appendQuoted(b, s []byte) ([]byte, error) {
	if !utf8.Valid(s) {
		return nil, fmt.Errorf("not UTF-8: %w", ErrInvalidMutation)
	}
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7f:
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"'), nil
}
