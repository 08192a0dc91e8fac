package store

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
)

// details keeps a document of words only. A recovery writes a hundred thousand
// of them and verification reads a million, so the plain ones go without
// encoding/json.
type details struct{ words *map[string]string }

// Value implements driver.Valuer.
func (d details) Value() (driver.Value, error) {
	if text := plainText(*d.words); text != "" {
		return text, nil
	}
	return document{*d.words}.Value()
}

// Scan implements sql.Scanner.
func (d details) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("a document is %T and not text", src)
	}
	if *d.words = plainWords(text); *d.words != nil {
		return nil
	}
	return document{d.words}.Scan(text)
}

// plainText writes {"a":"b","c":"d"}, in order; "" is none at all and what needs
// escapes.
func plainText(words map[string]string) string {
	if len(words) == 0 {
		return ""
	}
	names := make([]string, 0, 8)
	size := 2
	for name, value := range words {
		if !plain(name) || !plain(value) {
			return ""
		}
		names = append(names, name)
		size += len(name) + len(value) + len(`"":"",`)
	}
	slices.Sort(names)
	text := append(make([]byte, 0, size), '{')
	for i, name := range names {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, '"')
		text = append(text, name...)
		text = append(text, `":"`...)
		text = append(text, words[name]...)
		text = append(text, '"')
	}
	return string(append(text, '}'))
}

// plain is printable ASCII that stands for itself in a string of JSON.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}

// plainWords reads {"a":"b","c":"d"} without escapes; nil is anything else.
func plainWords(text string) map[string]string {
	if len(text) < 2 || text[0] != '{' || strings.Contains(text, `\`) {
		return nil
	}
	words := make(map[string]string, strings.Count(text, `":"`))
	for rest := text[1:]; ; rest = rest[1:] {
		name, after, ok := plainString(rest)
		if !ok || after == "" || after[0] != ':' {
			return nil
		}
		value, after, ok := plainString(after[1:])
		if !ok || after == "" {
			return nil
		}
		if _, twice := words[name]; twice {
			return nil
		}
		words[name] = value
		switch rest = after; {
		case rest == "}":
			return words
		case rest[0] != ',':
			return nil
		}
	}
}

// plainString reads a string of printable ASCII.
func plainString(text string) (s, rest string, ok bool) {
	if text == "" || text[0] != '"' {
		return "", "", false
	}
	end := strings.IndexByte(text[1:], '"')
	if end < 0 {
		return "", "", false
	}
	s = text[1 : 1+end]
	return s, text[2+end:], plain(s)
}
