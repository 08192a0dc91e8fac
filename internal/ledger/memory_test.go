package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/ledger"
)

const origin = "weir.example/log"

// hashes is a store of tree hashes.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x >= int64(len(h)) {
			return nil, fmt.Errorf("hash %d: %w", x, ledger.ErrNoHash)
		}
		out[i] = h[x]
	}
	return out, nil
}

// history is a log with all that belongs to it.
type history struct {
	lines       [][]byte
	stored      hashes
	checkpoints [][]byte
}

func (h history) clone() history {
	return history{slices.Clone(h.lines), slices.Clone(h.stored), slices.Clone(h.checkpoints)}
}

func (h history) text() []byte {
	var out []byte
	for _, l := range h.lines {
		out = append(append(out, l...), '\n')
	}
	return out
}

func keys(t testing.TB, name string) (note.Signer, note.Verifier) {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	skey, vkey, err := ledger.GenerateKey(name, bytes.NewReader(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ledger.ParseSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := ledger.ParseVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func entry(seq int64) weir.Entry {
	return weir.Entry{
		Seq: seq, At: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).Add(time.Duration(seq) * time.Second),
		By: "weir", Act: "step.done", Org: "prod", Request: weir.RequestID(fmt.Sprintf("R-%08d", seq%7)),
		Detail: map[string]string{"object": "Contact", "code": fmt.Sprint(seq * 31)},
	}
}

func line(t testing.TB, e weir.Entry) []byte {
	t.Helper()
	raw, err := ledger.Line(e)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// write builds a log from lines, in batches that end where a checkpoint is due.
func write(t testing.TB, lines [][]byte, every int, s note.Signer) history {
	t.Helper()
	h := history{lines: lines}
	for from := 0; from < len(lines); from += every {
		batch := lines[from:min(from+every, len(lines))]
		more, err := ledger.Extend(int64(from), batch, h.stored)
		if err != nil {
			t.Fatal(err)
		}
		h.stored = append(h.stored, more...)
		if len(batch) == every {
			h.checkpoints = append(h.checkpoints, checkpoint(t, h.stored, int64(from+every), s))
		}
	}
	return h
}

func checkpoint(t testing.TB, stored hashes, size int64, s note.Signer) []byte {
	t.Helper()
	root, err := ledger.Root(size, stored)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := ledger.Checkpoint(origin, size, root, s)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func sample(t testing.TB, n, every int, s note.Signer) history {
	t.Helper()
	lines := make([][]byte, n)
	for i := range lines {
		lines[i] = line(t, entry(int64(i+1)))
	}
	return write(t, lines, every, s)
}

func verify(t testing.TB, h history, held []byte, withHashes bool, v note.Verifier) ledger.Report {
	t.Helper()
	var stored tlog.HashReader
	if withHashes {
		stored = h.stored
	}
	r, err := ledger.Verify(bytes.NewReader(h.text()), h.checkpoints, held, stored, v)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func says(limits []string, word string) bool {
	return slices.ContainsFunc(limits, func(l string) bool { return strings.Contains(l, word) })
}
