package emulator

import (
	"strconv"
	"strings"
	"unicode/utf8"
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
	if utf8.RuneCountInString(text) > maxQuery {
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
