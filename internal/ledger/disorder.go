package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"
)

// outOfPlace judges a line that does not bear the number of its place. What
// follows in the log tells deletion, insertion, moving and renumbering apart.
func (c *check) outOfPlace(in *bufio.Reader, want, seq int64, readable bool) (*finding, error) {
	if err := c.compare(); err != nil {
		return nil, err
	}
	if c.suspect != nil {
		if readable && seq == want-1 && c.suspect.first == seq && c.suspect.last == seq {
			c.suspect.kind = Inserted
			c.suspect.reason = fmt.Sprintf("an entry was inserted: number %d comes twice, and the first is not the one that was hashed", seq)
		}
		return c.suspect, nil
	}
	f := &finding{first: c.first(want), last: want}
	if !readable {
		f.kind, f.reason = Altered, fmt.Sprintf("entry %d is not a readable line", want)
		return f, nil
	}
	next, later, err := lookAhead(in, want)
	if err != nil {
		return nil, err
	}
	switch {
	case next == want+1:
		f.kind, f.reason = Renumbered, fmt.Sprintf("entry %d bears the number %d", want, seq)
	case seq < want && next == want:
		f.kind, f.reason = Inserted, fmt.Sprintf("an entry was inserted before entry %d: it bears the number %d, which was used before", want, seq)
	case later:
		f.kind, f.reason = Moved, fmt.Sprintf("entry %d was moved: number %d stands in its place", want, seq)
	case seq > want:
		f.kind, f.reason = Deleted, fmt.Sprintf("entry %d is missing: number %d stands in its place", want, seq)
	default:
		f.kind, f.reason = Inserted, fmt.Sprintf("number %d comes again where entry %d should be", seq, want)
	}
	return f, nil
}

// lookAhead returns the next number and whether the wanted one comes later.
func lookAhead(in *bufio.Reader, want int64) (next int64, later bool, err error) {
	for i := 0; ; i++ {
		raw, err := readLine(in)
		if errors.Is(err, io.EOF) || errors.Is(err, errLongLine) {
			return next, later, nil
		}
		if err != nil {
			return next, later, err
		}
		seq, ok := seqOf(raw)
		if i == 0 && ok {
			next = seq
		}
		if ok && seq == want {
			return next, true, nil
		}
	}
}

// compare holds the recomputed hashes against the stored ones. Inner hashes
// are compared too: whoever changes an entry together with its leaf hash is
// seen at the first subtree above it.
func (c *check) compare() error {
	defer func() {
		c.compared += int64(len(c.pending))
		c.pending = c.pending[:0]
	}()
	if c.stored == nil || len(c.pending) == 0 || c.suspect != nil {
		return nil
	}
	indexes := make([]int64, len(c.pending))
	for i := range indexes {
		indexes[i] = c.compared + int64(i)
	}
	got, err := c.stored.ReadHashes(indexes)
	if errors.Is(err, ErrNoHash) {
		return c.compareSingly(indexes)
	}
	if err != nil {
		return fmt.Errorf("read stored hashes: %w", err)
	}
	if len(got) != len(indexes) {
		return fmt.Errorf("read %d stored hashes, got %d", len(indexes), len(got))
	}
	for i, h := range got {
		if h != c.pending[i] {
			c.accuse(indexes[i], "is not the one that was hashed when it was written")
			return nil
		}
	}
	return nil
}

// compareSingly finds which hash of a batch is the missing one.
func (c *check) compareSingly(indexes []int64) error {
	for i, index := range indexes {
		got, err := c.stored.ReadHashes([]int64{index})
		switch {
		case errors.Is(err, ErrNoHash):
			c.accuse(index, "has no stored hash")
			return nil
		case err != nil:
			return fmt.Errorf("read stored hash: %w", err)
		case len(got) != 1:
			return fmt.Errorf("read 1 stored hash, got %d", len(got))
		case got[0] != c.pending[i]:
			c.accuse(index, "is not the one that was hashed when it was written")
			return nil
		}
	}
	return nil
}

// accuse remembers the entries under the stored hash at index.
func (c *check) accuse(index int64, what string) {
	level, n := tlog.SplitStoredHashIndex(index)
	f := &finding{kind: Altered, first: n<<level + 1, last: (n + 1) << level}
	f.reason = fmt.Sprintf("entry %d %s", f.first, what)
	if f.first != f.last {
		f.reason = fmt.Sprintf("%s were altered together with their own hashes: the stored hash above them differs", entries(f.first, f.last))
	}
	c.suspect = f
}
