package datamap

import (
	"fmt"
	"regexp"
	"strings"
)

// Op compares a field with a literal.
type Op string

// The comparisons.
const (
	Equal    Op = "="
	NotEqual Op = "!="
)

// Condition is one comparison that narrows a query. It is kept as a tree and
// never as text, so that the query builder quotes it.
type Condition struct {
	Field Name
	Op    Op
	Value Literal
}

var (
	apiName       = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	comparison    = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z0-9_]*)\s*(!=|=)\s*(.*?)\s*$`)
	numberLiteral = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
	quotedLiteral = regexp.MustCompile(`^'(?:[^'\\]|\\['\\])*'$`)
)

// condition parses "Field = literal" and "Field != literal".
func condition(text string, at Pos) (*Condition, error) {
	parts := comparison.FindStringSubmatch(text)
	if parts == nil {
		return nil, fmt.Errorf("a condition is one comparison: Field = literal, or Field != literal")
	}
	value, err := literal(parts[3])
	if err != nil {
		return nil, err
	}
	return &Condition{Field: Name{Text: parts[1], Pos: at}, Op: Op(parts[2]), Value: value}, nil
}

// literal parses the right side of a comparison.
func literal(text string) (Literal, error) {
	switch lower := strings.ToLower(text); {
	case lower == "null":
		return Literal{Kind: Null}, nil
	case lower == "true", lower == "false":
		return Literal{Kind: Bool, Text: lower}, nil
	case numberLiteral.MatchString(text):
		return Literal{Kind: Number, Text: text}, nil
	case quotedLiteral.MatchString(text):
		plain := strings.NewReplacer(`\'`, `'`, `\\`, `\`).Replace(text[1 : len(text)-1])
		return Literal{Kind: Text, Text: plain}, nil
	}
	return Literal{}, fmt.Errorf("the right side of a condition is true, false, null, a number or a 'text' in single quotes")
}
