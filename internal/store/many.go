package store

import (
	"strconv"
	"strings"
)

// batchSizes are how many rows one statement may carry. They are few, so that
// each statement has few spellings and all of them stay compiled.
func batchSizes() []int { return []int{64, 8, 1} }

// insertMany inserts rows, many with one statement. The text is everything
// before and after the rows; each row has the same number of values.
func (t *Tx) insertMany(what, before, after string, rows [][]any) error {
	for _, size := range batchSizes() {
		for len(rows) >= size {
			args := make([]any, 0, size*len(rows[0]))
			for _, r := range rows[:size] {
				args = append(args, r...)
			}
			if err := t.put(what, before+" VALUES "+places(size, len(rows[0]))+after, args...); err != nil {
				return err
			}
			rows = rows[size:]
		}
	}
	return nil
}

// places spells so many rows of parameters: ($1, $2), ($3, $4).
func places(rows, width int) string {
	var b strings.Builder
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		for j := range width {
			b.WriteString(map[bool]string{true: "($", false: ", $"}[j == 0])
			b.WriteString(strconv.Itoa(i*width + j + 1))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// idsAtOnce is how many ids one statement names. A shorter list is filled up
// with its last one, so that there is one spelling.
const idsAtOnce = 500

// inChunks runs do with the ids that one statement names and with the
// parameters that stand for them, which follow those of the statement itself.
func inChunks[T any](ids []T, first int, do func(marks string, args []any) error) error {
	for len(ids) > 0 {
		n := min(idsAtOnce, len(ids))
		chunk := ids[:n]
		ids = ids[n:]
		size := idsAtOnce
		if n <= 25 { // a batch of one composite
			size = 25
		}
		args := make([]any, size)
		for i := range args {
			args[i] = chunk[min(i, n-1)]
		}
		if err := do(marks(first, size), args); err != nil {
			return err
		}
	}
	return nil
}

// marks spells n parameters from the one numbered first.
func marks(first, n int) string {
	b := make([]byte, 0, 6*n)
	for i := range n {
		if i > 0 {
			b = append(b, ',', ' ')
		}
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(first+i), 10)
	}
	return string(b)
}
