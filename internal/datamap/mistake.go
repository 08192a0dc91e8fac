package datamap

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Pos is a place in a data map file.
type Pos struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// String writes the place as editors understand it.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Mistake is one thing that is wrong in a data map.
type Mistake struct {
	Pos     Pos
	Message string
}

// Errors holds every mistake of a data map, in the order of the file.
type Errors struct {
	List []Mistake
}

// Error lists the mistakes, one a line.
func (e *Errors) Error() string {
	lines := make([]string, len(e.List))
	for i, m := range e.List {
		lines[i] = m.Pos.String() + ": " + m.Message
	}
	return strings.Join(lines, "\n")
}

func (e *Errors) add(at Pos, format string, args ...any) {
	e.List = append(e.List, Mistake{Pos: at, Message: fmt.Sprintf(format, args...)})
}

// orNil returns the mistakes in the order of the file, or nil without any.
func (e *Errors) orNil() error {
	if len(e.List) == 0 {
		return nil
	}
	slices.SortStableFunc(e.List, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return e
}

// hint proposes the candidate that was probably meant, as the end of a
// sentence, or nothing when none is near.
func hint(word string, candidates []string) string {
	best, bestDistance := "", 1+len(word)/3
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance counts the edits between two words; two neighbouring letters that
// changed places count as one edit, because that is the commonest typo.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
