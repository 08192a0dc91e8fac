package ledger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// maxLine bounds one line; an entry is a few hundred bytes of ids and codes.
const maxLine = 1 << 20

// hashBatch is how many stored hashes are compared in one read.
const hashBatch = 4096

// Verify reads a log once, in order, and compares it with everything that is
// known about it: the numbering, the stored hashes (optional, name the altered
// entry exactly), the signed checkpoints, and the checkpoint that somebody
// saved earlier outside the log (optional, the only one that catches the holder
// of the signing key). Tampering is a finding in the report; an error means
// that the log could not be read to a verdict.
func Verify(lines io.Reader, checkpoints [][]byte, held []byte, stored tlog.HashReader, v note.Verifier) (Report, error) {
	c := &check{stored: stored, rep: Report{FirstBad: -1, LastBad: -1}}
	c.readCheckpoints(checkpoints, held, v)
	in := bufio.NewReaderSize(lines, 1<<16)
	bad, err := c.run(in)
	if err != nil {
		return c.rep, fmt.Errorf("ledger: verify after entry %d: %w", c.tree.size, err)
	}
	c.rep.Entries, c.rep.Root, c.rep.Signed = c.tree.size, c.tree.root(), c.good
	for _, f := range []*finding{bad, c.suspect, c.damage, c.forged} {
		if f != nil {
			c.rep.blame(f)
			break
		}
	}
	c.rep.Limits = c.limits()
	return c.rep, nil
}

// check is one verification under way.
type check struct {
	stored tlog.HashReader
	marks  []mark // that are still ahead, smallest first
	tree   tree   // recomputed from the lines

	pending  []tlog.Hash // recomputed, not compared with the stored ones yet
	compared int64       // index of the first pending hash

	good    int64    // entries that a checkpoint has proven
	suspect *finding // the first stored hash that differs; a checkpoint ahead tells which of the two is wrong
	damage  *finding // a stored hash that differs from proven entries
	forged  *finding // a checkpoint that does not count
	rep     Report
}

// mark is a signed root to compare with once size entries were read.
type mark struct {
	size int64
	root tlog.Hash
	held bool
}

func (c *check) readCheckpoints(checkpoints [][]byte, held []byte, v note.Verifier) {
	origin := ""
	read := func(msg []byte, held bool, what string) {
		o, size, root, err := openCheckpoint(msg, v)
		if err == nil && origin != "" && o != origin {
			err = fmt.Errorf("%w: it belongs to another log", ErrCheckpoint)
		}
		if err != nil {
			if c.forged == nil || held {
				c.forged = &finding{BadCheckpoint, -1, -1, fmt.Sprintf("%s does not count: %v", what, err)}
			}
			return
		}
		origin = o
		c.marks = append(c.marks, mark{size, root, held})
	}
	if held != nil {
		read(held, true, "the saved checkpoint")
	}
	for i, msg := range checkpoints {
		read(msg, false, fmt.Sprintf("checkpoint %d of %d", i+1, len(checkpoints)))
	}
	// Stable, so that at equal size the saved checkpoint speaks first.
	slices.SortStableFunc(c.marks, func(a, b mark) int { return int(min(max(a.size-b.size, -1), 1)) })
}

func (c *check) run(in *bufio.Reader) (*finding, error) {
	if f, err := c.reach(); f != nil || err != nil { // checkpoints of the empty log
		return f, err
	}
	for {
		raw, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return c.end()
		}
		if err != nil && !errors.Is(err, errLongLine) {
			return nil, err
		}
		want := c.tree.size + 1
		seq, ok := plainSeq(raw)
		if !ok || c.stored == nil { // a stored hash tells of a line that is not JSON, and of which one
			seq, ok = seqOf(raw)
		}
		if !ok || seq != want {
			return c.outOfPlace(in, want, seq, ok)
		}
		c.pending = append(c.pending, c.tree.add(tlog.RecordHash(raw))...)
		if len(c.pending) >= hashBatch {
			if err := c.compare(); err != nil {
				return nil, err
			}
		}
		if f, err := c.reach(); f != nil || err != nil {
			return f, err
		}
	}
}

// reach compares the root with the checkpoints of this size.
func (c *check) reach() (*finding, error) {
	for len(c.marks) > 0 && c.marks[0].size == c.tree.size {
		m := c.marks[0]
		c.marks = c.marks[1:]
		if err := c.compare(); err != nil {
			return nil, err
		}
		if m.root != c.tree.root() {
			if f := c.mismatch(m); f != nil {
				return f, nil
			}
			continue
		}
		c.good = m.size
		if m.held {
			c.rep.HeldChecked, c.rep.HeldSize = true, m.size
		} else {
			c.rep.Checkpoints++
		}
		c.exonerate()
	}
	return nil, nil
}

// exonerate turns the suspicion against an entry into one against the stored
// hash, because a signed root has just proven every entry so far.
func (c *check) exonerate() {
	if c.suspect == nil {
		return
	}
	if c.damage == nil {
		f := *c.suspect
		f.kind = HashDamaged
		f.reason = fmt.Sprintf("the stored hash over %s was changed; the checkpoint at %d proves the entries themselves",
			entries(f.first, f.last), c.good)
		c.damage = &f
	}
	c.suspect = nil
}

// mismatch judges a signed root that is not the recomputed one.
func (c *check) mismatch(m mark) *finding {
	switch {
	case c.suspect != nil:
		return c.suspect
	case m.size <= c.good:
		c.forged = &finding{BadCheckpoint, -1, -1, fmt.Sprintf("two signed checkpoints of %d entries contradict each other", m.size)}
		return nil
	case m.held:
		return &finding{Rewritten, 1, m.size, fmt.Sprintf(
			"the log was rewritten: its first %d entries are not those of the saved checkpoint", m.size)}
	}
	return &finding{Altered, c.good + 1, m.size, fmt.Sprintf(
		"%s changed after they were signed: the checkpoint at %d has another root", entries(c.good+1, m.size), m.size)}
}

// end judges a log that has been read to its last line.
func (c *check) end() (*finding, error) {
	if err := c.compare(); err != nil {
		return nil, err
	}
	if c.suspect != nil {
		return c.suspect, nil
	}
	size := c.tree.size
	if n := len(c.marks); n > 0 {
		m := c.marks[n-1]
		return &finding{Truncated, c.first(size + 1), m.size, fmt.Sprintf(
			"the log ends after entry %d, but a checkpoint of %d entries was signed: entry %d is missing", size, m.size, size+1)}, nil
	}
	if c.stored == nil {
		return nil, nil
	}
	// An error here means that nothing is stored beyond the end: as it must be.
	if h, err := c.stored.ReadHashes([]int64{tlog.StoredHashIndex(0, size)}); err == nil && len(h) == 1 {
		return &finding{Truncated, size + 1, size + 1, fmt.Sprintf(
			"the log ends after entry %d, but the hash of entry %d is stored", size, size+1)}, nil
	}
	return nil, nil
}

// first narrows the start of a span: without stored hashes, whatever no
// checkpoint has proven may be the first altered entry.
func (c *check) first(seq int64) int64 {
	if c.stored == nil {
		return c.good + 1
	}
	return seq
}

var errLongLine = errors.New("line too long")

// readLine returns the next line without its newline; the bytes are valid until
// the next call. Nothing else is trimmed: a carriage return is an alteration.
func readLine(in *bufio.Reader) ([]byte, error) {
	part, err := in.ReadSlice('\n')
	if err == nil {
		return part[:len(part)-1], nil
	}
	whole := bytes.Clone(part)
	for errors.Is(err, bufio.ErrBufferFull) && len(whole) <= maxLine {
		part, err = in.ReadSlice('\n')
		whole = append(whole, part...)
	}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, errLongLine
	case errors.Is(err, io.EOF) && len(whole) > 0:
		return whole, nil // the last line needs no newline
	case err != nil:
		return nil, fmt.Errorf("read line: %w", err)
	}
	return whole[:len(whole)-1], nil
}

// seqOf reads the number of a line; the rest of it is the hash's business.
func seqOf(raw []byte) (int64, bool) {
	if seq, ok := plainSeq(raw); ok {
		return seq, json.Valid(raw)
	}
	var l struct {
		Seq int64 `json:"seq"`
	}
	if json.Unmarshal(raw, &l) != nil {
		return 0, false
	}
	return l.Seq, true
}

// plainSeq finds the number where a line of ours has it: after the only key of
// that name, which no string can contain because its quotes would be escaped.
func plainSeq(raw []byte) (int64, bool) {
	key := []byte(`,"seq":`)
	at := bytes.Index(raw, key)
	if at < 0 || bytes.Count(raw[at:], []byte(`"seq"`)) != 1 {
		return 0, false
	}
	var seq int64
	digits := raw[at+len(key):]
	for i, c := range digits {
		if c < '0' || c > '9' || i > 17 {
			return seq, i > 0 && i <= 18 && (digits[0] != '0' || i == 1) && (c == ',' || c == '}')
		}
		seq = 10*seq + int64(c-'0')
	}
	return 0, false
}
