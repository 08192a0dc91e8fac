package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// signedRoot is what a checkpoint says: after size lines, the root was this.
type signedRoot struct {
	origin string
	size   int64
	root   [sha256.Size]byte
	what   string // where it stands, for people
}

// openCheckpoint checks the signature and reads the three lines. The format
// allows more lines after them; they are ignored.
func openCheckpoint(text []byte, v note.Verifier) (signedRoot, error) {
	var r signedRoot
	n, err := note.Open(text, note.VerifierList(v))
	if err != nil {
		return r, altered("it is not signed by %s: %v", v.Name(), err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] == "" {
		return r, altered("it does not hold origin, size and root")
	}
	r.origin = lines[0]
	if r.size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || r.size < 0 || strconv.FormatInt(r.size, 10) != lines[1] {
		return r, altered("its size is no plain number")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != sha256.Size || base64.StdEncoding.EncodeToString(root) != lines[2] {
		return r, altered("its root is no hash")
	}
	copy(r.root[:], root)
	return r, nil
}

// checkLog reads the log once and compares the root with each signed one when
// as many lines were read. It returns how many lines there are and how many of
// them are proven by a signature.
func checkLog(log io.Reader, roots []signedRoot) (size, proven int64, err error) {
	roots = slices.Clone(roots)
	slices.SortStableFunc(roots, func(a, b signedRoot) int {
		switch {
		case a.size < b.size:
			return -1
		case a.size > b.size:
			return 1
		}
		return 0
	})
	for _, r := range roots {
		if r.origin != roots[0].origin {
			return 0, 0, altered("%s and %s speak of different logs", roots[0].what, r.what)
		}
	}
	var t tree
	in := bufio.NewReaderSize(log, 1<<20)
	for {
		for len(roots) > 0 && roots[0].size == t.size {
			if t.root() != roots[0].root {
				return t.size, proven, altered("entries %d to %d are not those that were signed: %s has another root", proven+1, t.size, roots[0].what)
			}
			proven, roots = t.size, roots[1:]
		}
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t.size, proven, err
		}
		if err := checkNumber(line, t.size+1); err != nil {
			return t.size, proven, err
		}
		t.add(line)
	}
	if len(roots) > 0 {
		last := roots[len(roots)-1]
		return t.size, proven, altered("the log ends after entry %d, and %s is about %d entries", t.size, last.what, last.size)
	}
	return t.size, proven, nil
}

// readLine returns a line without its newline, which the last one may lack.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(line) > 0 {
		return line, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("read the log: %w", err)
	}
	return bytes.TrimSuffix(line, []byte("\n")), err
}

// checkNumber demands that a line bears the number of its place.
func checkNumber(line []byte, want int64) error {
	var l struct {
		Seq int64 `json:"seq"`
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return altered("line %d is no entry", want)
	}
	if l.Seq != want {
		return altered("line %d bears the number %d: an entry was deleted, inserted, moved or renumbered", want, l.Seq)
	}
	return nil
}

// tree is an RFC 6962 Merkle tree of which only the roots of the complete
// subtrees are kept, the largest first: their sizes are the bits of size.
type tree struct {
	size  int64
	peaks [][sha256.Size]byte
}

func (t *tree) add(line []byte) {
	h := sha256.Sum256(append([]byte{0}, line...))
	for n := t.size; n&1 == 1; n >>= 1 {
		h = node(t.peaks[len(t.peaks)-1], h)
		t.peaks = t.peaks[:len(t.peaks)-1]
	}
	t.peaks = append(t.peaks, h)
	t.size++
}

func (t *tree) root() [sha256.Size]byte {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	h := t.peaks[len(t.peaks)-1]
	for _, left := range slices.Backward(t.peaks[:len(t.peaks)-1]) {
		h = node(left, h)
	}
	return h
}

func node(left, right [sha256.Size]byte) [sha256.Size]byte {
	both := [1 + 2*sha256.Size]byte{1}
	copy(both[1:], left[:])
	copy(both[1+sha256.Size:], right[:])
	return sha256.Sum256(both[:])
}
