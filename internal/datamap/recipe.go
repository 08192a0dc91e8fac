package datamap

import (
	"encoding/json"
	"strings"

	"github.com/weirhq/weir"
)

// Placeholder is the only template word: eight hex digits that the shell
// derives from subject and record, so that values stay unique and still tell
// nothing.
const Placeholder = "{hash8}"

// LiteralKind is the type of a literal.
type LiteralKind string

// The kinds of literal.
const (
	Null   LiteralKind = "null"
	Bool   LiteralKind = "bool"
	Number LiteralKind = "number"
	Text   LiteralKind = "text"
)

// Literal is a typed constant of the map. Text holds it as written, without
// quotes.
type Literal struct {
	Kind LiteralKind
	Text string
}

// recipe marks a bare boolean or number with "=", as spreadsheets do, because
// a plan stores recipes as text. Parse refuses texts that start with "=".
func (l Literal) recipe() string {
	switch l.Kind {
	case Null:
		return ""
	case Bool, Number:
		return "=" + l.Text
	case Text:
		return l.Text
	}
	return ""
}

// Render fills hash8 into a recipe and returns it as text.
func Render(template, hash8 string) string {
	return strings.ReplaceAll(strings.TrimPrefix(template, "="), Placeholder, hash8)
}

// Value is what a field action writes, as encoding/json wants it: nil, a
// bool, a json.Number or a string.
func Value(a weir.FieldAction, hash8 string) any {
	if a.Null {
		return nil
	}
	text := Render(a.Value, hash8)
	if !strings.HasPrefix(a.Value, "=") {
		return text
	}
	switch text {
	case "true":
		return true
	case "false":
		return false
	}
	return json.Number(text)
}
