package emulator

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// condition reads what stands in WHERE or in parentheses. AND and OR do not mix
// without parentheses: SOQL has no precedence to decide with.
func (p *parser) condition() (condition, *apiError) {
	if p.depth++; p.depth > maxNesting {
		return nil, failure(400, "QUERY_TOO_COMPLICATED", "Query is either selecting too many fields or the filter conditions are too complicated.")
	}
	defer func() { p.depth-- }()
	first, err := p.term()
	if err != nil {
		return nil, err
	}
	for _, word := range []string{"AND", "OR"} {
		if !p.peek().is(word) {
			continue
		}
		all := []condition{first}
		for p.accept(word) {
			next, err := p.term()
			if err != nil {
				return nil, err
			}
			all = append(all, next)
		}
		if word == "AND" {
			first = andCondition{all}
		} else {
			first = orCondition{all}
		}
		if p.peek().is("AND") || p.peek().is("OR") {
			return nil, p.unexpected()
		}
	}
	return first, nil
}

func (p *parser) term() (condition, *apiError) {
	if p.depth++; p.depth > 2*maxNesting {
		return nil, p.unexpected()
	}
	defer func() { p.depth-- }()
	if p.accept("NOT") {
		inner, err := p.term()
		if err != nil {
			return nil, err
		}
		return notCondition{inner}, nil
	}
	if p.accept("(") {
		inner, err := p.condition()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	name, err := p.path()
	if err != nil {
		return nil, err
	}
	return p.predicate(name)
}

func (p *parser) predicate(name path) (condition, *apiError) {
	not := p.accept("NOT")
	if p.accept("IN") {
		return p.membership(name, not)
	}
	if not {
		return nil, p.unexpected()
	}
	operator := ""
	switch t := p.peek(); {
	case t.is("LIKE"):
		operator = "LIKE"
	case t.is("<>"):
		operator = "!="
	case t.is("="), t.is("!="), t.is("<"), t.is(">"), t.is("<="), t.is(">="):
		operator = t.text
	default:
		return nil, p.unexpected()
	}
	p.at++
	value, err := p.operand()
	if err != nil {
		return nil, err
	}
	if operator == "LIKE" && value.kind != operandString {
		return nil, malformed(p.text, value.at, "invalid operator on "+name.names[len(name.names)-1])
	}
	return comparison{path: name, operator: operator, value: value}, nil
}

func (p *parser) membership(name path, not bool) (condition, *apiError) {
	out := membership{path: name, not: not}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	if p.peek().is("SELECT") {
		sub, err := p.statement(true)
		if err != nil {
			return nil, err
		}
		out.sub = sub
		return out, p.expect(")")
	}
	for {
		value, err := p.operand()
		if err != nil {
			return nil, err
		}
		out.values = append(out.values, value)
		if !p.accept(",") {
			return out, p.expect(")")
		}
	}
}

func (p *parser) operand() (operand, *apiError) {
	t := p.peek()
	switch {
	case t.kind == tokenString:
		if utf8.RuneCountInString(t.text) > maxLiteral {
			return operand{}, malformed(p.text, t.at, "string literals in filters can not be longer than 4000 characters")
		}
		p.at++
		return operand{kind: operandString, value: t.text, raw: t.raw, at: t.at}, nil
	case t.is("null"):
		p.at++
		return operand{at: t.at}, nil
	case t.is("true"), t.is("false"):
		p.at++
		return operand{kind: operandBool, value: t.is("true"), at: t.at}, nil
	case t.kind == tokenLiteral:
		p.at++
		if out, ok := literal(t.text); ok {
			out.at = t.at
			return out, nil
		}
		p.at--
	}
	return operand{}, p.unexpected()
}

var dateForm = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)

// literal reads an unquoted number, date or datetime.
func literal(s string) (operand, bool) {
	if dateForm.MatchString(s) {
		_, err := time.Parse(time.DateOnly, s)
		return operand{kind: operandDate, value: s}, err == nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999-0700"} {
		if at, err := time.Parse(form, s); err == nil {
			return operand{kind: operandDateTime, value: at.UTC()}, true
		}
	}
	if strings.ContainsAny(s, "xXpPiInN_") { // hexadecimal and Inf are Go's, not SOQL's
		return operand{}, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return operand{kind: operandNumber, value: n}, err == nil
}
