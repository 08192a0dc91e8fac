package emulator

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	maxQuery   = 100_000 // characters of a statement
	maxLiteral = 4_000   // characters of a string in WHERE
	maxNesting = 50      // of parentheses and NOT; the platform's own is unknown
	maxOffset  = 2_000
)

type parser struct {
	text   string
	tokens []token
	at     int
	depth  int
}

// parse reads one statement. What it does not know is MALFORMED_QUERY.
func parse(text string) (*query, *apiError) {
	if len(text) > maxQuery {
		return nil, failure(400, "MALFORMED_QUERY", "SOQL statements can not be longer than 100000 characters")
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens}
	q, err := p.statement(false)
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tokenEnd {
		return nil, p.unexpected()
	}
	return q, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

// accept takes the next token when it is this word.
func (p *parser) accept(word string) bool {
	if p.peek().is(word) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(word string) *apiError {
	if !p.accept(word) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) unexpected() *apiError {
	t := p.peek()
	if t.kind == tokenEnd {
		return malformed(p.text, t.at, "unexpected token: '<EOF>'")
	}
	return malformed(p.text, t.at, "unexpected token: '"+t.text+"'")
}

func (p *parser) statement(sub bool) (*query, *apiError) {
	q := &query{text: p.text, limit: -1}
	if err := p.expect("SELECT"); err != nil {
		return nil, err
	}
	if err := p.selection(q, sub); err != nil {
		return nil, err
	}
	if err := p.expect("FROM"); err != nil {
		return nil, err
	}
	from := p.take()
	if from.kind != tokenName {
		p.at--
		return nil, p.unexpected()
	}
	q.from = from.text
	if p.accept("WHERE") {
		where, err := p.condition()
		if err != nil {
			return nil, err
		}
		q.where = where
	}
	if sub {
		return q, nil
	}
	return q, p.tail(q)
}

func (p *parser) selection(q *query, sub bool) *apiError {
	if p.peek().is("COUNT") && p.tokens[p.at+1].is("(") && !sub {
		p.at += 2
		q.count = true
		return p.expect(")")
	}
	for {
		name, err := p.path()
		if err != nil {
			return err
		}
		q.fields = append(q.fields, name)
		if sub || !p.accept(",") {
			return nil
		}
	}
}

func (p *parser) path() (path, *apiError) {
	out := path{at: p.peek().at}
	for {
		t := p.peek()
		if t.kind != tokenName || reserved(t.text) {
			return path{}, p.unexpected()
		}
		p.at++
		out.names = append(out.names, t.text)
		if !p.accept(".") {
			return out, nil
		}
	}
}

func reserved(word string) bool {
	switch strings.ToUpper(word) {
	case "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "LIMIT", "NULL", "TRUE", "FALSE":
		return true
	default:
		return false
	}
}

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
		if len(t.text) > maxLiteral {
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

// tail reads what follows the conditions.
func (p *parser) tail(q *query) *apiError {
	if p.accept("ORDER") {
		if err := p.expect("BY"); err != nil {
			return err
		}
		if err := p.orderings(q); err != nil {
			return err
		}
	}
	if p.accept("LIMIT") {
		n, err := p.count()
		if err != nil {
			return err
		}
		q.limit = n
	}
	if p.accept("OFFSET") {
		n, err := p.count()
		if err != nil {
			return err
		}
		if n > maxOffset {
			return failure(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
		}
		q.offset = n
	}
	return nil
}

func (p *parser) orderings(q *query) *apiError {
	for {
		name, err := p.path()
		if err != nil {
			return err
		}
		o := ordering{path: name}
		if !p.accept("ASC") {
			o.desc = p.accept("DESC")
		}
		if p.accept("NULLS") {
			o.nullsLast = p.accept("LAST")
			if !o.nullsLast && !p.accept("FIRST") {
				return p.unexpected()
			}
		}
		q.order = append(q.order, o)
		if !p.accept(",") {
			return nil
		}
	}
}

func (p *parser) count() (int, *apiError) {
	t := p.peek()
	n, err := strconv.Atoi(t.text)
	if t.kind != tokenLiteral || err != nil || n < 0 {
		return 0, p.unexpected()
	}
	p.at++
	return n, nil
}
