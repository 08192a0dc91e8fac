package store

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// perRow is a statement that is written for one row of values, $1, $2, … in both
// of its parts, and that is run for many. PostgreSQL runs it once, with an array
// for each column: what such a statement costs there is the way to the server and
// back, and the org's row is held meanwhile. SQLite is in the same process, and runs
// it row by row.
type perRow struct {
	act   string // UPDATE … SET …, or INSERT INTO … SELECT …
	where string // WHERE … and all that follows
}

var parameter = regexp.MustCompile(`\$(\d+)`)

// apply runs a statement for each row, and returns how many rows it changed.
func (t *Tx) apply(what string, p perRow, rows [][]any) (n int, err error) {
	if t.dialect == Postgres && len(rows) > 1 {
		query, arrays, err := p.many(rows)
		if err != nil {
			return 0, err
		}
		return t.exec(what, query, arrays...)
	}
	for _, row := range rows {
		one, err := t.exec(what, p.act+" "+p.where, row...)
		if err != nil {
			return n, err
		}
		n += one
	}
	return n, nil
}

// applied is apply for a statement that returns something of the rows it changed.
func applied[T any](t *Tx, what string, scan func(row) (T, error), p perRow, rows [][]any) (all []T, err error) {
	if t.dialect == Postgres && len(rows) > 1 {
		query, arrays, err := p.many(rows)
		if err != nil {
			return nil, err
		}
		return list(t, what, scan, query, arrays...)
	}
	for _, row := range rows {
		some, err := list(t, what, scan, p.act+" "+p.where, row...)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// many is the statement for many rows at once.
func (p perRow) many(rows [][]any) (query string, arrays []any, err error) {
	from, arrays, err := unnested(len(rows[0]), 0, slices.Concat(rows...))
	const column = `v.c$1`
	query = parameter.ReplaceAllString(p.act, column) + " FROM " + from + " " + parameter.ReplaceAllString(p.where, column)
	return query, arrays, err
}

// unnested are rows of values as a table v (c1, c2, …) of PostgreSQL, behind so
// many other parameters: an array for each column.
func unnested(width, behind int, values []any) (from string, arrays []any, err error) {
	values = bind(values)
	casts, names := make([]string, width), make([]string, width)
	for c := range width {
		kind, array, err := column(values, c, width)
		if err != nil {
			return "", nil, err
		}
		casts[c] = "CAST($" + strconv.Itoa(behind+c+1) + " AS " + kind + "[])"
		names[c] = "c" + strconv.Itoa(c+1)
		arrays = append(arrays, array)
	}
	return "unnest(" + strings.Join(casts, ", ") + ") AS v (" + strings.Join(names, ", ") + ")", arrays, nil
}

// column is one column of rows as an array; all our columns are TEXT, BIGINT or
// BYTEA, and only one of BYTEA may hold nothing.
func column(values []any, first, width int) (kind string, array any, err error) {
	var texts []string
	var numbers []int64
	bytes := make([][]byte, 0, len(values)/width)
	for i := first; i < len(values); i += width {
		v := values[i]
		if valuer, is := v.(driver.Valuer); is {
			if v, err = valuer.Value(); err != nil {
				return "", nil, err
			}
		}
		switch of := reflect.ValueOf(v); of.Kind() {
		case reflect.Invalid:
			bytes = append(bytes, nil)
		case reflect.Slice:
			bytes = append(bytes, of.Bytes())
		case reflect.String:
			texts = append(texts, of.String())
		case reflect.Int, reflect.Int64:
			numbers = append(numbers, of.Int())
		default:
			return "", nil, fmt.Errorf("a column of %T", v)
		}
	}
	switch rows := len(values) / width; rows {
	case len(texts):
		return "TEXT", texts, nil
	case len(numbers):
		return "BIGINT", numbers, nil
	case len(bytes):
		return "BYTEA", bytes, nil
	}
	return "", nil, fmt.Errorf("a column of several types, as %T", values[first])
}
