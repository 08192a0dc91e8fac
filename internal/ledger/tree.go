package ledger

import (
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Hashes reads stored tree hashes by their tlog index; it is tlog.HashReader
// under a name of ours. A reader that has no hash at an index returns an error
// that wraps ErrNoHash.
type Hashes interface {
	ReadHashes(indexes []int64) ([]tlog.Hash, error)
}

// ErrNoHash says that nothing is stored at an index, as opposed to a store that
// could not be read.
var ErrNoHash = errors.New("ledger: no hash is stored there")

// Extend appends lines to a log of the given size and returns the hashes to
// store, in order, from index tlog.StoredHashCount(size) on. It reads the old
// tree once, however many lines come.
func Extend(size int64, lines [][]byte, r tlog.HashReader) ([]tlog.Hash, error) {
	t, err := openTree(size, r)
	if err != nil {
		return nil, fmt.Errorf("ledger: extend a log of %d entries: %w", size, err)
	}
	out := make([]tlog.Hash, 0, 2*len(lines))
	for _, l := range lines {
		out = append(out, t.add(tlog.RecordHash(l))...)
	}
	return out, nil
}

// Root returns the root of the first size entries.
func Root(size int64, r tlog.HashReader) (tlog.Hash, error) {
	t, err := openTree(size, r)
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("ledger: root of %d entries: %w", size, err)
	}
	return t.root(), nil
}

// Inclusion proves that a log holds one entry.
type Inclusion struct {
	Entry RawLine          `json:"entry"` // the line itself
	Proof tlog.RecordProof `json:"proof"` // hashes on the way to the root
}

// RawLine is the canonical line of an entry; it keeps its bytes in JSON.
type RawLine []byte

// MarshalJSON returns the line itself, which is JSON already.
func (l RawLine) MarshalJSON() ([]byte, error) {
	if len(l) == 0 {
		return nil, ErrLine
	}
	return l, nil
}

// UnmarshalJSON keeps the bytes.
func (l *RawLine) UnmarshalJSON(b []byte) error {
	*l = append((*l)[:0], b...)
	return nil
}

// Prove returns the inclusion proof of one line in the log of the given size.
func Prove(size int64, raw []byte, r tlog.HashReader) (Inclusion, error) {
	e, err := ParseLine(raw)
	if err != nil {
		return Inclusion{}, err
	}
	if e.Seq > size {
		return Inclusion{}, fmt.Errorf("ledger: entry %d is not among %d entries", e.Seq, size)
	}
	p, err := tlog.ProveRecord(size, e.Seq-1, r)
	if err != nil {
		return Inclusion{}, fmt.Errorf("ledger: prove entry %d: %w", e.Seq, err)
	}
	return Inclusion{Entry: raw, Proof: p}, nil
}

// Check verifies the proof against a root and returns the entry's number.
func (i Inclusion) Check(size int64, root tlog.Hash) (int64, error) {
	e, err := ParseLine(i.Entry)
	if err != nil {
		return 0, err
	}
	if e.Seq > size {
		return e.Seq, fmt.Errorf("ledger: entry %d is not among %d entries", e.Seq, size)
	}
	if err := tlog.CheckRecord(i.Proof, size, root, e.Seq-1, tlog.RecordHash(i.Entry)); err != nil {
		return e.Seq, fmt.Errorf("ledger: entry %d: %w", e.Seq, err)
	}
	return e.Seq, nil
}

// tree is the right edge of a log: the roots of its complete subtrees, largest
// first. It is all that is needed to append and to compute the root.
type tree struct {
	size  int64
	peaks []tlog.Hash
}

// openTree reads the right edge of a stored log.
func openTree(size int64, r tlog.HashReader) (*tree, error) {
	if size < 0 {
		return nil, errors.New("a log cannot have a negative size")
	}
	t := &tree{size: size}
	if size == 0 {
		return t, nil
	}
	var indexes []int64
	var start int64
	for level := bits.Len64(uint64(size)) - 1; level >= 0; level-- {
		if size>>level&1 == 1 {
			indexes = append(indexes, tlog.StoredHashIndex(level, start>>level))
			start += 1 << level
		}
	}
	peaks, err := r.ReadHashes(indexes)
	if err != nil {
		return nil, fmt.Errorf("read stored hashes: %w", err)
	}
	if len(peaks) != len(indexes) {
		return nil, fmt.Errorf("read %d stored hashes, got %d", len(indexes), len(peaks))
	}
	t.peaks = append(t.peaks, peaks...)
	return t, nil
}

// add appends a leaf and returns what tlog would store for it: the leaf, then
// every subtree that it completes.
func (t *tree) add(h tlog.Hash) []tlog.Hash {
	stored := []tlog.Hash{h}
	for n := t.size; n&1 == 1; n >>= 1 {
		last := len(t.peaks) - 1
		h = tlog.NodeHash(t.peaks[last], h)
		t.peaks = t.peaks[:last]
		stored = append(stored, h)
	}
	t.peaks = append(t.peaks, h)
	t.size++
	return stored
}

func (t *tree) root() tlog.Hash {
	if t.size == 0 {
		h, _ := tlog.TreeHash(0, nil) // reads nothing, so it cannot fail
		return h
	}
	h := t.peaks[len(t.peaks)-1]
	for i := len(t.peaks) - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.peaks[i], h)
	}
	return h
}
