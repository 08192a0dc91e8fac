package store

import (
	"slices"
	"strconv"
	"strings"
)

// batchSizes are how many rows one statement of SQLite may carry. They are few, so
// that each statement has few spellings and all of them stay compiled.
func batchSizes() []int { return []int{64, 8, 1} }

// rows are what one statement inserts many of. Every row begins with the shared
// values, which are handed over once, and has width values of its own.
type rows struct {
	into   string // INSERT INTO a table (its columns), the shared ones first
	after  string // what follows the rows
	shared []any
	width  int
	values []any
}

func (r *rows) add(values ...any) { r.values = append(r.values, values...) }

// insert inserts rows, many with one statement: on PostgreSQL all of them.
func (t *Tx) insert(what string, r rows) error {
	if len(r.values) == 0 {
		return nil
	}
	if t.dialect == Postgres {
		from, arrays, err := unnested(r.width, len(r.shared), r.values)
		if err != nil {
			return err
		}
		query := r.into + " SELECT " + marks(1, len(r.shared)) + "v.* FROM " + from + r.after
		return t.put(what, query, slices.Concat(r.shared, arrays)...)
	}
	for _, size := range batchSizes() {
		for len(r.values) >= size*r.width {
			args := slices.Concat(r.shared, r.values[:size*r.width])
			if err := t.put(what, r.spelling(size), args...); err != nil {
				return err
			}
			r.values = r.values[size*r.width:]
		}
	}
	return nil
}

// spelling is SQLite's statement for so many rows: VALUES ($1, $2), ($3, $4), or
// with one shared value SELECT $1, r.* FROM (VALUES ($2), ($3)) AS r.
func (r *rows) spelling(size int) string {
	var b strings.Builder
	b.WriteString(r.into)
	if len(r.shared) > 0 {
		b.WriteString(" SELECT " + marks(1, len(r.shared)) + "r.* FROM (")
	}
	b.WriteString(" VALUES ")
	next := len(r.shared) + 1
	for i := range size {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		b.WriteString(strings.TrimSuffix(marks(next, r.width), ", "))
		b.WriteByte(')')
		next += r.width
	}
	if len(r.shared) > 0 {
		b.WriteString(") AS r")
	}
	b.WriteString(r.after)
	return b.String()
}

// marks are n parameters from a number on, each with a comma behind it.
func marks(from, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
		b.WriteString(", ")
	}
	return b.String()
}
