package store

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// row is one result row.
type row interface{ Scan(dest ...any) error }

// list reads every row of a query.
func list[T any](t *Tx, what string, scan func(row) (T, error), query string, args ...any) (all []T, err error) {
	rows, err := t.query(query, bind(args))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer func() {
		if err = errors.Join(err, rows.Close()); err != nil {
			all, err = nil, fmt.Errorf("%s: %w", what, err)
		}
	}()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// each yields the rows of a query one by one; an error is the last thing that it
// yields.
func each[T any](t *Tx, what string, scan func(row) (T, error), query string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := t.query(t.spell(query), bind(args))
		if err != nil {
			yield(none, fmt.Errorf("%s: %w", what, err))
			return
		}
		defer func() { _ = rows.Close() }() // what ended the reading was told
		for rows.Next() {
			one, err := scan(rows)
			if err != nil {
				yield(none, fmt.Errorf("%s: %w", what, err))
				return
			}
			if !yield(one, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, fmt.Errorf("%s: %w", what, err))
		}
	}
}

// one reads the only row of a query; none is ErrNotFound.
func one[T any](t *Tx, what string, scan func(row) (T, error), query string, args ...any) (T, error) {
	if err := t.send(); err != nil {
		var none T
		return none, fmt.Errorf("%s: %w", what, err)
	}
	found, err := scan(t.queryRow(query, bind(args)))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return found, fmt.Errorf("%s: %w", what, err)
	}
	return found, nil
}

// maybe is one, with a missing row as an answer and not as an error.
func maybe[T any](t *Tx, what string, scan func(row) (T, error), query string, args ...any) (T, bool, error) {
	found, err := one(t, what, scan, query, args...)
	if errors.Is(err, ErrNotFound) {
		return found, false, nil
	}
	return found, err == nil, err
}

// scanValue reads a row of one column.
func scanValue[T any](r row) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

// scanTime reads a row of one time.
func scanTime(r row) (v time.Time, err error) {
	err = r.Scan(instant{&v})
	return v, err
}

// bind turns Go's values into the columns' types.
func bind(args []any) []any {
	bound := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case time.Time:
			bound[i] = millis(v)
		case bool:
			bound[i] = 0
			if v {
				bound[i] = 1
			}
		case []byte:
			if len(v) > 0 {
				bound[i] = v
			}
		default:
			bound[i] = v
		}
	}
	return bound
}

func millis(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}

// instant reads a column of milliseconds.
type instant struct{ to *time.Time }

// Scan implements sql.Scanner.
func (i instant) Scan(src any) error {
	ms, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a time is %T and not a number", src)
	}
	*i.to = time.Time{}
	if ms != 0 {
		*i.to = time.UnixMilli(ms).UTC()
	}
	return nil
}

// document keeps a value in a column of JSON.
type document struct{ v any }

// Value implements driver.Valuer.
func (d document) Value() (driver.Value, error) {
	b, err := json.Marshal(d.v)
	return string(b), err
}

// Scan implements sql.Scanner.
func (d document) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("a document is %T and not text", src)
	}
	return json.Unmarshal([]byte(text), d.v)
}

// where collects the conditions of a filter.
type where struct {
	conditions []string
	args       []any
}

// and adds a condition; each ? in it stands for one of the values.
func (w *where) and(condition string, values ...any) {
	for _, v := range values {
		w.args = append(w.args, v)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.conditions = append(w.conditions, condition)
}

// in adds: column is one of the values.
func in[T any](w *where, column string, values []T) {
	marks := make([]string, len(values))
	args := make([]any, len(values))
	for i, v := range values {
		marks[i], args[i] = "?", v
	}
	w.and(column+" IN ("+strings.Join(marks, ", ")+")", args...)
}

// String is the clause, or nothing without conditions.
func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// limit is the clause for at most n rows; nothing when n is 0.
func (w *where) limit(n int) string {
	if n <= 0 {
		return ""
	}
	w.args = append(w.args, n)
	return " LIMIT $" + strconv.Itoa(len(w.args))
}
