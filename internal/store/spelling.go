package store

import (
	"strconv"
	"strings"
)

// spell turns the portable form of a statement into that of the store.
func (t *Tx) spell(query string) string {
	if t.dialect == SQLite {
		return spelling(query)
	}
	return query
}

// spelling rewrites $1, the portable form of a parameter, to SQLite's: ? where
// every parameter stands once and in order, ?1 elsewhere. The driver asks SQLite
// for the name of each parameter, and ?1 has one, which SQLite searches from
// the first on: a quarter of the time of a statement with 500 parameters. No
// statement of ours has a dollar sign elsewhere.
func spelling(query string) string {
	var b strings.Builder
	b.Grow(len(query))
	rest := query
	for next := 1; ; next++ {
		text, after, found := strings.Cut(rest, "$")
		b.WriteString(text)
		if !found {
			return b.String()
		}
		rest = strings.TrimLeft(after, "0123456789")
		if after[:len(after)-len(rest)] != strconv.Itoa(next) {
			return strings.ReplaceAll(query, "$", "?")
		}
		b.WriteByte('?')
	}
}

// among is the condition that a column is in a list, which is one parameter
// however long it is: listed makes it.
func (t *Tx) among(column, parameter string) string {
	if t.dialect == SQLite {
		return column + ` IN (SELECT value FROM json_each(` + parameter + `))`
	}
	return column + ` = ANY (` + parameter + `)`
}

// unfolded is a list as a table of its values and their places, from 1 on.
func (t *Tx) unfolded(parameter, name string) string {
	if t.dialect == SQLite {
		return `(SELECT value, key + 1 AS place FROM json_each(` + parameter + `)) AS ` + name
	}
	return `unnest(CAST(` + parameter + ` AS TEXT[])) WITH ORDINALITY AS ` + name + ` (value, place)`
}

// listed is the parameter of among and unfolded.
func listed[T ~string | ~int64](t *Tx, values []T) any {
	if t.dialect == SQLite {
		return document{values}
	}
	return values
}
