package store

import (
	"slices"
	"strconv"
	"strings"
)

// batchSizes are how many rows one statement may carry. They are few, so that
// each statement has few spellings and all of them stay compiled.
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

// insert inserts rows, many with one statement.
func (t *Tx) insert(what string, r rows) error {
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

// spelling is the statement for so many rows: VALUES ($1, $2), ($3, $4), or
// with one shared value SELECT $1, r.* FROM (VALUES ($2), ($3)) AS r.
func (r *rows) spelling(size int) string {
	var b strings.Builder
	b.WriteString(r.into)
	next := 1
	marks := func(n int) {
		for i := range n {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(next))
			next++
		}
	}
	if len(r.shared) > 0 {
		b.WriteString(" SELECT ")
		marks(len(r.shared))
		b.WriteString(", r.* FROM (")
	}
	b.WriteString(" VALUES ")
	for i := range size {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		marks(r.width)
		b.WriteByte(')')
	}
	if len(r.shared) > 0 {
		b.WriteString(") AS r")
	}
	b.WriteString(r.after)
	return b.String()
}
