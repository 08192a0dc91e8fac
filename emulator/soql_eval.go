package emulator

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// matcher decides whether a row passes a condition.
type matcher func(*record) bool

// bind compiles a condition against the schema.
func (x *exec) bind(q *query, ob *object, c condition) (matcher, *apiError) {
	switch c := c.(type) {
	case nil:
		return func(*record) bool { return true }, nil
	case andCondition:
		all, err := x.bindAll(q, ob, c.all)
		return func(r *record) bool {
			for _, m := range all {
				if !m(r) {
					return false
				}
			}
			return true
		}, err
	case orCondition:
		all, err := x.bindAll(q, ob, c.any)
		return func(r *record) bool {
			for _, m := range all {
				if m(r) {
					return true
				}
			}
			return false
		}, err
	case notCondition:
		inner, err := x.bind(q, ob, c.not)
		return func(r *record) bool { return !inner(r) }, err
	case comparison:
		return x.bindComparison(q, ob, c)
	case membership:
		return x.bindMembership(q, ob, c)
	default:
		return nil, unexpected()
	}
}

func (x *exec) bindAll(q *query, ob *object, cs []condition) ([]matcher, *apiError) {
	out := make([]matcher, 0, len(cs))
	for _, c := range cs {
		m, err := x.bind(q, ob, c)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// filterable resolves a path that stands in WHERE.
func (x *exec) filterable(q *query, ob *object, p path) (*column, *apiError) {
	c, err := x.org.resolve(q, ob, p)
	if err != nil {
		return nil, err
	}
	if c.last != nil && c.last.unfiltered {
		e := malformed(q.text, p.at, "field '"+c.last.name+"' can not be filtered in a query call")
		e.code = "INVALID_FIELD"
		return nil, e
	}
	return c, nil
}

func (x *exec) bindComparison(q *query, ob *object, c comparison) (matcher, *apiError) {
	col, err := x.filterable(q, ob, c.path)
	if err != nil {
		return nil, err
	}
	if c.operator == "LIKE" {
		if !stringKind(col.kind()) {
			e := malformed(q.text, c.path.at, "invalid operator on "+col.kind()+" field")
			e.code = "INVALID_QUERY_FILTER_OPERATOR"
			return nil, e
		}
		pattern := likePattern(c.value.raw)
		return func(r *record) bool {
			s, ok := col.of(r).(string)
			return ok && like(pattern, []rune(strings.ToLower(s)))
		}, nil
	}
	want, err := col.accepts(c.value)
	if err != nil {
		return nil, err
	}
	if c.operator == "=" || c.operator == "!=" {
		same := c.operator == "="
		return func(r *record) bool { return (compare(col, col.of(r), want) == 0) == same }, nil
	}
	return func(r *record) bool {
		got := col.of(r)
		if got == nil || want == nil {
			return false
		}
		switch n := compare(col, got, want); c.operator {
		case "<":
			return n < 0
		case ">":
			return n > 0
		case "<=":
			return n <= 0
		default:
			return n >= 0
		}
	}, nil
}

func stringKind(kind string) bool {
	switch kind {
	case typeString, typeEmail, typePhone, typeURL, typeText, typePicklist:
		return true
	default:
		return false
	}
}

func (x *exec) bindMembership(q *query, ob *object, c membership) (matcher, *apiError) {
	col, err := x.filterable(q, ob, c.path)
	if err != nil {
		return nil, err
	}
	set := make(map[any]bool, len(c.values))
	if c.sub != nil {
		if err := x.subselect(q, c.sub, set); err != nil {
			return nil, err
		}
	}
	for _, v := range c.values {
		want, err := col.accepts(v)
		if err != nil {
			return nil, err
		}
		set[key(col, want)] = true
	}
	return func(r *record) bool { return set[key(col, col.of(r))] != c.not }, nil
}

// subselect gathers the ids that a nested SELECT yields.
func (x *exec) subselect(outer, sub *query, set map[any]bool) *apiError {
	ob := x.org.object(sub.from)
	if ob == nil {
		return invalidType(sub)
	}
	col, err := x.org.resolve(sub, ob, sub.fields[0])
	if err != nil {
		return err
	}
	if k := col.kind(); k != typeID && k != typeReference {
		return malformed(outer.text, sub.fields[0].at, "The selected field in the subquery and the left operand field in the where expression must be ids of the same type")
	}
	match, err := x.bind(sub, ob, sub.where)
	if err != nil {
		return err
	}
	for _, r := range ob.rows {
		if !r.deleted() && match(r) {
			if id := col.of(r); id != nil {
				set[key(col, id)] = true
			}
		}
	}
	return nil
}

// accepts checks a literal against the type of the column and brings it to the
// form of the stored values.
func (c *column) accepts(v operand) (any, *apiError) {
	if v.kind == operandNull {
		return nil, nil
	}
	ok, want := false, "string and should be enclosed in quotes"
	switch kind := c.kind(); {
	case stringKind(kind):
		ok = v.kind == operandString
	case kind == typeID || kind == typeReference:
		if v.kind == operandString {
			short, valid := shortID(v.value.(string))
			if !valid && v.value != "" {
				return nil, failure(400, "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: "+v.value.(string))
			}
			return orNil(short), nil
		}
	case kind == typeBoolean:
		ok, want = v.kind == operandBool, "boolean and should not be enclosed in quotes"
	case kind == typeDate:
		ok, want = v.kind == operandDate, "date and should not be enclosed in quotes"
	case kind == typeDateTime:
		ok, want = v.kind == operandDateTime, "dateTime and should not be enclosed in quotes"
	default:
		ok, want = v.kind == operandNumber, "double and should not be enclosed in quotes"
	}
	if !ok {
		return nil, badFilter(c, want)
	}
	return v.value, nil
}

// key is the form in which values of a column are equal or not: ids by their
// first 15 characters, text without case, an empty string as null.
func key(c *column, v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	if k := c.kind(); (k == typeID || k == typeReference) && len(s) >= 15 {
		return s[:15]
	}
	return orNil(strings.ToLower(s))
}

// compare orders two values of a column; nil comes first.
func compare(c *column, a, b any) int {
	a, b = key(c, a), key(c, b)
	if a == nil || b == nil {
		return boolInt(a != nil) - boolInt(b != nil)
	}
	switch a := a.(type) {
	case string:
		b, _ := b.(string)
		return strings.Compare(a, b)
	case float64:
		b, _ := b.(float64)
		return cmp.Compare(a, b)
	case bool:
		b, _ := b.(bool)
		return boolInt(a) - boolInt(b)
	case time.Time:
		b, _ := b.(time.Time)
		return a.Compare(b)
	default:
		return 0
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sortRows puts rows in the order that the query asks for. Without one they
// stay as they were made, which is by id; Salesforce promises no order.
func (x *exec) sortRows(q *query, ob *object, rows []*record) *apiError {
	columns := make([]*column, len(q.order))
	for i, o := range q.order {
		c, err := x.org.resolve(q, ob, o.path)
		if err != nil {
			return err
		}
		columns[i] = c
	}
	slices.SortStableFunc(rows, func(a, b *record) int {
		for i, o := range q.order {
			va, vb := columns[i].of(a), columns[i].of(b)
			if (va == nil) != (vb == nil) {
				if (va == nil) == o.nullsLast {
					return 1
				}
				return -1
			}
			if n := compare(columns[i], va, vb); n != 0 {
				if o.desc {
					return -n
				}
				return n
			}
		}
		return 0
	})
	return nil
}
