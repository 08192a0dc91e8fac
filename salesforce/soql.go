package salesforce

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weirhq/weir/internal/pii"
)

// Limits that Salesforce sets on a query (wire reference, section 1.6).
const (
	maxSOQL    = 100_000 // characters of one query
	maxLiteral = 4_000   // characters of one string in WHERE
)

// ErrInvalidQuery says that a query is refused before anything is sent. Its
// text names fields and objects, never values.
var ErrInvalidQuery = errors.New("invalid query")

// Expr is a condition of a query. It is built from names that are checked and
// from typed values that are escaped; there is no way to write SOQL by hand.
// The zero Expr is no condition.
type Expr struct {
	write func(*soql) // a func, so that no printing verb reaches the values
}

// soql is a query being written: bytes that can be cleared.
type soql struct {
	buf []byte
	err error
}

func (q *soql) add(s string) { q.buf = append(q.buf, s...) }

func (q *soql) fail(format string, args ...any) {
	if q.err == nil {
		q.err = fmt.Errorf(format+": %w", append(args, ErrInvalidQuery)...)
	}
}

// field writes a field name or a relationship path.
func (q *soql) field(name string) {
	if !fieldPath.MatchString(name) {
		q.fail("field name %.80q", name)
		return
	}
	q.add(name)
}

// literal writes a string literal.
func (q *soql) literal(value []byte) {
	if !utf8.Valid(value) {
		q.fail("a value is not UTF-8")
		return
	}
	if utf8.RuneCount(value) > maxLiteral {
		q.fail("a value is longer than %d characters", maxLiteral)
		return
	}
	q.buf = append(q.buf, '\'')
	for _, c := range value {
		switch c {
		case '\\', '\'', '"':
			q.buf = append(q.buf, '\\', c)
		case '\n':
			q.add(`\n`)
		case '\r':
			q.add(`\r`)
		case '\t':
			q.add(`\t`)
		case '\b':
			q.add(`\b`)
		case '\f':
			q.add(`\f`)
		default:
			if c < 0x20 || c == 0x7f {
				q.buf = fmt.Appendf(q.buf, `\u%04X`, c)
				continue
			}
			q.buf = append(q.buf, c)
		}
	}
	q.buf = append(q.buf, '\'')
}

func (q *soql) id(id string) {
	if !recordID.MatchString(id) {
		q.fail("a record id is malformed")
		return
	}
	q.add("'" + id + "'")
}

// Eq is field = 'value'. Salesforce compares text without regard to case.
func Eq(field string, value pii.Secret) Expr {
	return Expr{func(q *soql) {
		q.field(field)
		q.add(" = ")
		q.literal(value.Reveal())
	}}
}

// In is field IN (ids).
func In(field string, ids []string) Expr {
	return inList(field, len(ids), func(q *soql, i int) { q.id(ids[i]) })
}

// InText is field IN (values).
func InText(field string, values []pii.Secret) Expr {
	return inList(field, len(values), func(q *soql, i int) { q.literal(values[i].Reveal()) })
}

func inList(field string, n int, each func(*soql, int)) Expr {
	return Expr{func(q *soql) {
		if n == 0 {
			q.fail("field %.80q: the list is empty", field)
		}
		q.field(field)
		q.add(" IN (")
		for i := range n {
			if i > 0 {
				q.add(", ")
			}
			each(q, i)
		}
		q.add(")")
	}}
}

// Gt is field > 'id', the condition of a keyset page.
func Gt(field, id string) Expr {
	return Expr{func(q *soql) {
		q.field(field)
		q.add(" > ")
		q.id(id)
	}}
}

// IsBool is field = TRUE or field = FALSE.
func IsBool(field string, value bool) Expr { return Compare(field, "=", value) }

// NotNull is field != NULL.
func NotNull(field string) Expr { return Compare(field, "!=", nil) }

// IsNull is field = NULL.
func IsNull(field string) Expr { return Compare(field, "=", nil) }

// Compare is a condition with a literal that stands in the data map: a string,
// a bool, a number, a time, or nil. It is not for values of a subject; they
// are pii.Secret and go through Eq and InText.
func Compare(field, op string, literal any) Expr {
	return Expr{func(q *soql) {
		switch op {
		case "=", "!=":
		case "<", "<=", ">", ">=":
			if literal == nil {
				q.fail("field %.80q: %s NULL", field, op)
			}
			if _, isBool := literal.(bool); isBool {
				q.fail("field %.80q: %s with a boolean", field, op)
			}
		default:
			q.fail("operator %.10q", op)
		}
		q.field(field)
		q.add(" " + op + " ")
		q.constant(field, literal)
	}}
}

func (q *soql) constant(field string, literal any) {
	switch v := literal.(type) {
	case nil:
		q.add("NULL")
	case string:
		q.literal([]byte(v))
	case bool:
		q.add(strings.ToUpper(strconv.FormatBool(v)))
	case int:
		q.add(strconv.Itoa(v))
	case int64:
		q.add(strconv.FormatInt(v, 10))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			q.fail("field %.80q: not a number", field)
			return
		}
		q.add(strconv.FormatFloat(v, 'f', -1, 64))
	case json.Number:
		f, err := v.Float64()
		if err != nil || strings.ContainsAny(v.String(), "xXpP_iInN") {
			q.fail("field %.80q: not a number", field)
			return
		}
		if i, err := v.Int64(); err == nil {
			q.add(strconv.FormatInt(i, 10))
			return
		}
		q.add(strconv.FormatFloat(f, 'f', -1, 64))
	case time.Time:
		q.add(v.UTC().Format("2006-01-02T15:04:05Z"))
	default:
		q.fail("field %.80q: a literal of type %T", field, literal)
	}
}

// And joins conditions that must all hold; zero conditions are left out.
func And(all ...Expr) Expr { return join(" AND ", all) }

// Or joins conditions of which one must hold. Without any it is refused: a
// query that meant "one of none" must not become a query for everything.
func Or(some ...Expr) Expr {
	if len(some) == 0 {
		return Expr{func(q *soql) { q.fail("OR of nothing") }}
	}
	for _, e := range some {
		if e.write == nil {
			return Expr{func(q *soql) { q.fail("OR with an empty condition") }}
		}
	}
	return join(" OR ", some)
}

func join(word string, list []Expr) Expr {
	var parts []Expr
	for _, e := range list {
		if e.write != nil {
			parts = append(parts, e)
		}
	}
	switch len(parts) {
	case 0:
		return Expr{}
	case 1:
		return parts[0]
	}
	return Expr{func(q *soql) {
		q.add("(")
		for i, e := range parts {
			if i > 0 {
				q.add(word)
			}
			e.write(q)
		}
		q.add(")")
	}}
}

// render writes the query as SOQL. The caller clears the bytes.
func (query Query) render() ([]byte, error) {
	q := &soql{buf: make([]byte, 0, 1024)}
	if !apiName.MatchString(query.Object) {
		q.fail("object name %.80q", query.Object)
	}
	if len(query.Fields) == 0 {
		q.fail("object %.80q: no fields", query.Object)
	}
	q.add("SELECT ")
	for i, f := range query.Fields {
		if i > 0 {
			q.add(", ")
		}
		q.field(f)
	}
	q.add(" FROM " + query.Object)
	if query.Where.write != nil {
		q.add(" WHERE ")
		query.Where.write(q)
	}
	if query.OrderBy != "" {
		q.add(" ORDER BY ")
		name, direction, _ := strings.Cut(query.OrderBy, " ")
		q.field(name)
		switch direction {
		case "":
		case "ASC", "DESC":
			q.add(" " + direction)
		default:
			q.fail("order by %.80q", query.OrderBy)
		}
	}
	if query.Limit < 0 {
		q.fail("limit %d", query.Limit)
	}
	if query.Limit > 0 {
		q.add(" LIMIT " + strconv.Itoa(query.Limit))
	}
	if utf8.RuneCount(q.buf) > maxSOQL {
		q.fail("object %.80q: the query is longer than %d characters", query.Object, maxSOQL)
	}
	if q.err != nil {
		clear(q.buf)
		return nil, q.err
	}
	return q.buf, nil
}
