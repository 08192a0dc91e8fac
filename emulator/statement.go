package emulator

import (
	"errors"
	"strings"
)

// Statement is what the org reads in a query, for testers of whatever writes
// SOQL: a value that were read as anything else would show here.
type Statement struct {
	Object string
	Fields []string
	Tests  []Test // the leaves of WHERE, from left to right
	Order  []string
	Limit  int // -1 = none
}

// Test is one comparison. Values are strings, booleans, float64, or nil; dates
// are strings.
type Test struct {
	Field    string
	Operator string // "=", "!=", "<", …, "LIKE", "IN" or "NOT IN"
	Values   []any
}

// ReadStatement parses a query as a call to /query does.
func ReadStatement(text string) (Statement, error) {
	q, refused := parse(text)
	if refused != nil {
		return Statement{}, errors.New(refused.code) // the message quotes the query
	}
	s := Statement{Object: q.from, Limit: q.limit}
	for _, f := range q.fields {
		s.Fields = append(s.Fields, f.dotted())
	}
	for _, o := range q.order {
		word := " ASC"
		if o.desc {
			word = " DESC"
		}
		s.Order = append(s.Order, o.path.dotted()+word)
	}
	s.add(q.where)
	return s, nil
}

func (p path) dotted() string { return strings.Join(p.names, ".") }

func (s *Statement) add(c condition) {
	switch c := c.(type) {
	case andCondition:
		for _, inner := range c.all {
			s.add(inner)
		}
	case orCondition:
		for _, inner := range c.any {
			s.add(inner)
		}
	case notCondition:
		s.add(c.not)
	case comparison:
		s.Tests = append(s.Tests, Test{c.path.dotted(), c.operator, []any{c.value.value}})
	case membership:
		t := Test{Field: c.path.dotted(), Operator: "IN"}
		if c.not {
			t.Operator = "NOT IN"
		}
		for _, v := range c.values {
			t.Values = append(t.Values, v.value)
		}
		s.Tests = append(s.Tests, t)
	}
}
