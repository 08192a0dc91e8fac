package ledger_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/ledger"
)

func TestVerifyIntact(t *testing.T) {
	s, v := keys(t, "log")
	h := sample(t, 23, 5, s)
	r := verify(t, h, h.checkpoints[1], true, v)
	if !r.OK() || r.Entries != 23 || r.Checkpoints != 4 || r.Signed != 20 || !r.HeldChecked || r.HeldSize != 10 || r.FirstBad != -1 {
		t.Errorf("intact log: %+v", r)
	}
	if !says(r.Limits, "entries 11 to 23 came after the saved checkpoint") || !says(r.Limits, "entries 21 to 23") {
		t.Errorf("limits: %q", r.Limits)
	}
	if root, _ := ledger.Root(23, h.stored); r.Root != root {
		t.Errorf("root %v, want %v", r.Root, root)
	}
	r = verify(t, h, nil, false, v)
	if !r.OK() || r.HeldChecked || !says(r.Limits, "complete rewrite") || !says(r.Limits, "no stored hashes") {
		t.Errorf("without a saved checkpoint: %+v", r)
	}
	if r := verify(t, history{}, nil, true, v); !r.OK() {
		t.Errorf("empty log: %+v", r)
	}
}

// edited changes an entry's content and keeps its number.
func edited(t testing.TB, seq int64) []byte {
	e := entry(seq)
	e.By = "mallory"
	return line(t, e)
}

// renumber returns the entries of lines with numbers from 1 on.
func renumber(t testing.TB, lines [][]byte) [][]byte {
	out := make([][]byte, len(lines))
	for i, l := range lines {
		e, err := ledger.ParseLine(l)
		if err != nil {
			t.Fatal(err)
		}
		e.Seq = int64(i + 1)
		out[i] = line(t, e)
	}
	return out
}

func TestVerifyNamesTampering(t *testing.T) {
	s, v := keys(t, "log")
	forger, _ := keys(t, "mallory")
	good := sample(t, 23, 5, s) // checkpoints at 5, 10, 15, 20
	cases := []struct {
		name   string
		tamper func(h *history)
		kind   ledger.Tampering
		first  int64 // exact, with stored hashes
	}{
		{"edit", func(h *history) { h.lines[6] = edited(t, 7) }, ledger.Altered, 7},
		{"edit of the newest", func(h *history) { h.lines[22] = edited(t, 23) }, ledger.Altered, 23},
		{"two edits", func(h *history) { h.lines[12] = edited(t, 13); h.lines[3] = edited(t, 4) }, ledger.Altered, 4},
		{"carriage return", func(h *history) { h.lines[6] = append(slices.Clone(h.lines[6]), '\r') }, ledger.Altered, 7},
		{"blank line", func(h *history) { h.lines = slices.Insert(h.lines, 6, []byte{}) }, ledger.Altered, 7},
		{"garbage", func(h *history) { h.lines[6] = []byte("garbage") }, ledger.Altered, 7},
		{"huge line", func(h *history) { h.lines[6] = bytes.Repeat([]byte("x"), 2<<20) }, ledger.Altered, 7},
		{"edit with its leaf hash", func(h *history) {
			h.lines[6] = edited(t, 7)
			h.stored[tlog.StoredHashIndex(0, 6)] = tlog.RecordHash(h.lines[6])
		}, ledger.Altered, 7},
		{"edit with all hashes", func(h *history) {
			h.lines[6] = edited(t, 7)
			h.stored = write(t, h.lines, 5, s).stored
		}, ledger.Altered, 6}, // the first that no signed checkpoint proves
		{"delete", func(h *history) { h.lines = slices.Delete(h.lines, 6, 7) }, ledger.Deleted, 7},
		{"delete the first", func(h *history) { h.lines = h.lines[1:] }, ledger.Deleted, 1},
		{"delete and renumber", func(h *history) { h.lines = renumber(t, slices.Delete(h.lines, 6, 7)) }, ledger.Altered, 7},
		{"insert a copy", func(h *history) { h.lines = slices.Insert(h.lines, 6, h.lines[2]) }, ledger.Inserted, 7},
		{"insert a twin", func(h *history) { h.lines = slices.Insert(h.lines, 6, edited(t, 7)) }, ledger.Inserted, 7},
		{"insert and renumber", func(h *history) { h.lines = renumber(t, slices.Insert(h.lines, 6, edited(t, 7))) }, ledger.Altered, 7},
		{"swap", func(h *history) { h.lines[6], h.lines[7] = h.lines[7], h.lines[6] }, ledger.Moved, 7},
		{"move far", func(h *history) { l := h.lines[6]; h.lines = append(slices.Delete(h.lines, 6, 7), l) }, ledger.Moved, 7},
		{"swap and renumber", func(h *history) {
			h.lines[6], h.lines[7] = h.lines[7], h.lines[6]
			h.lines = renumber(t, h.lines)
		}, ledger.Altered, 7},
		{"renumber", func(h *history) { h.lines[6] = line(t, entry(99)) }, ledger.Renumbered, 7},
		{"truncate below a checkpoint", func(h *history) { h.lines = h.lines[:17] }, ledger.Truncated, 18},
		{"truncate above the last checkpoint", func(h *history) { h.lines = h.lines[:22] }, ledger.Truncated, 23},
		{"everything gone", func(h *history) { h.lines = [][]byte{} }, ledger.Truncated, 1},
		{"stored hash", func(h *history) { h.stored[tlog.StoredHashIndex(0, 6)][0] ^= 1 }, ledger.HashDamaged, 7},
		{"append", func(h *history) { h.lines = append(h.lines, line(t, entry(24))) }, ledger.Altered, 24},
		{"stored hash under a checkpoint cut", func(h *history) {
			h.lines, h.stored = h.lines[:20], h.stored[:tlog.StoredHashCount(17)]
		}, ledger.HashDamaged, 18},
		{"stored hashes cut", func(h *history) { h.stored = h.stored[:tlog.StoredHashCount(6)] }, ledger.Altered, 21}, // 7 to 20 are proven
		{"forged checkpoint", func(h *history) { h.checkpoints[1] = checkpoint(t, h.stored, 7, forger) }, ledger.BadCheckpoint, -1},
		{"checkpoint of another log", func(h *history) {
			msg, err := ledger.Checkpoint("another", 5, tlog.Hash{}, s)
			if err != nil {
				t.Fatal(err)
			}
			h.checkpoints[1] = msg
		}, ledger.BadCheckpoint, -1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := good.clone()
			for i := range h.lines {
				h.lines[i] = slices.Clone(h.lines[i])
			}
			c.tamper(&h)
			r := verify(t, h, nil, true, v)
			if r.OK() || r.Tampering != c.kind || r.FirstBad != c.first || r.Reason == "" {
				t.Errorf("with stored hashes: %+v", r)
			}
			held := verify(t, h, good.checkpoints[3], true, v)
			if held.OK() || held.FirstBad != c.first {
				t.Errorf("with stored hashes and a saved checkpoint: %+v", held)
			}
		})
	}
}

func TestWithoutHashesTheSpanHoldsTheEntry(t *testing.T) {
	s, v := keys(t, "log")
	good := sample(t, 20, 5, s)
	for seq := int64(1); seq <= 20; seq++ {
		h := good.clone()
		h.lines[seq-1] = edited(t, seq)
		r := verify(t, h, nil, false, v)
		span := (seq - 1) / 5 * 5
		if r.Tampering != ledger.Altered || r.FirstBad != span+1 || r.LastBad != span+5 {
			t.Errorf("edit of %d: %+v", seq, r)
		}
	}
}

// Whoever holds the key can rewrite everything consistently. Only a checkpoint
// that was saved elsewhere shows it; without one the report must say so.
func TestHeldCheckpointCatchesConsistentRewrite(t *testing.T) {
	s, v := keys(t, "log")
	good := sample(t, 23, 5, s)
	lines := slices.Clone(good.lines)
	lines[6] = edited(t, 7)
	forged := write(t, lines, 5, s)

	if r := verify(t, forged, nil, true, v); !r.OK() || !says(r.Limits, "complete rewrite") || r.HeldChecked {
		t.Errorf("without a saved checkpoint: %+v", r)
	}
	r := verify(t, forged, good.checkpoints[2], true, v)
	if r.Tampering != ledger.Rewritten || r.FirstBad > 7 || r.LastBad < 7 || r.HeldChecked {
		t.Errorf("with a saved checkpoint: %+v", r)
	}
	// A saved checkpoint from before the change proves only what it covers.
	r = verify(t, forged, good.checkpoints[0], true, v)
	if !r.OK() || !says(r.Limits, "entries 6 to 23 came after") {
		t.Errorf("with an early checkpoint: %+v", r)
	}
	// A log that was cut and signed anew is shorter than the saved checkpoint.
	short := write(t, good.lines[:12], 5, s)
	if r := verify(t, short, good.checkpoints[3], true, v); r.Tampering != ledger.Truncated || r.FirstBad != 13 {
		t.Errorf("cut: %+v", r)
	}
	// A new key makes the saved checkpoint worthless, which is a finding too.
	s2, v2 := keys(t, "new")
	if r := verify(t, write(t, lines, 5, s2), good.checkpoints[2], true, v2); r.Tampering != ledger.BadCheckpoint || r.HeldChecked {
		t.Errorf("new key: %+v", r)
	}
}

func TestContradictingCheckpoints(t *testing.T) {
	s, v := keys(t, "log")
	h := sample(t, 10, 5, s)
	fork, err := ledger.Checkpoint(origin, 5, tlog.RecordHash([]byte("fork")), s)
	if err != nil {
		t.Fatal(err)
	}
	h.checkpoints = append(h.checkpoints, fork)
	if r := verify(t, h, nil, true, v); r.Tampering != ledger.BadCheckpoint || !strings.Contains(r.Reason, "contradict") {
		t.Errorf("fork: %+v", r)
	}
}

// Any random edit of the lines is found; with stored hashes the first entry
// that differs is named exactly, without them the span holds it.
func TestRandomEditsAreFound(t *testing.T) {
	s, v := keys(t, "log")
	good := sample(t, 64, 7, s) // the newest checkpoint covers 63
	rapid.Check(t, func(rt *rapid.T) {
		h := good.clone()
		for range rapid.IntRange(1, 4).Draw(rt, "edits") {
			i := rapid.IntRange(0, len(h.lines)-1).Draw(rt, "at")
			j := rapid.IntRange(0, len(h.lines)-1).Draw(rt, "to")
			switch rapid.SampledFrom([]string{"flip", "delete", "copy", "swap", "cut", "renumber"}).Draw(rt, "kind") {
			case "flip":
				l := slices.Clone(h.lines[i])
				l[rapid.IntRange(0, len(l)-1).Draw(rt, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "mask"))
				h.lines[i] = l
			case "delete":
				h.lines = slices.Delete(h.lines, i, i+1)
			case "copy":
				h.lines = slices.Insert(h.lines, i, h.lines[j])
			case "swap":
				h.lines[i], h.lines[j] = h.lines[j], h.lines[i]
			case "cut":
				h.lines = h.lines[:max(j, 1)]
			case "renumber":
				if renumberable(h.lines) {
					h.lines = renumber(t, h.lines)
				}
			}
			if len(h.lines) < 2 {
				break
			}
		}
		first := firstDifference(good.text(), h.text())
		exact, span := verify(t, h, nil, true, v), verify(t, h, nil, false, v)
		if first == 0 {
			if !exact.OK() || !span.OK() {
				rt.Fatalf("nothing changed, yet: %+v %+v", exact, span)
			}
			return
		}
		if exact.OK() || exact.FirstBad != first || exact.LastBad != first && exact.Tampering != ledger.Truncated {
			rt.Fatalf("first altered entry is %d: %+v", first, exact)
		}
		if first <= 63 && (span.OK() || span.FirstBad > first || span.LastBad < first) {
			rt.Fatalf("first altered entry is %d: %+v", first, span)
		}
	})
}

func renumberable(lines [][]byte) bool {
	for _, l := range lines {
		if _, err := ledger.ParseLine(l); err != nil {
			return false
		}
	}
	return true
}

// firstDifference returns the number of the first line that differs, or 0.
func firstDifference(a, b []byte) int64 {
	as, bs := bytes.Split(bytes.TrimSuffix(a, []byte("\n")), []byte("\n")), bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
	for i := range max(len(as), len(bs)) {
		if i >= len(as) || i >= len(bs) || !bytes.Equal(as[i], bs[i]) {
			return int64(i + 1)
		}
	}
	return 0
}

func TestVerifyReportsReadErrors(t *testing.T) {
	s, v := keys(t, "log")
	h := sample(t, 10, 5, s)
	broken := errors.New("disk")
	lines := io.MultiReader(bytes.NewReader(h.text()[:500]), iotest.ErrReader(broken))
	if _, err := ledger.Verify(lines, h.checkpoints, nil, h.stored, v); !errors.Is(err, broken) {
		t.Errorf("reader: %v", err)
	}
	stored := tlog.HashReaderFunc(func([]int64) ([]tlog.Hash, error) { return nil, broken })
	if _, err := ledger.Verify(bytes.NewReader(h.text()), h.checkpoints, nil, stored, v); !errors.Is(err, broken) {
		t.Errorf("stored hashes: %v", err)
	}
}

func TestWriteLines(t *testing.T) {
	s, v := keys(t, "log")
	h := sample(t, 10, 5, s)
	var text bytes.Buffer
	err := ledger.WriteLines(&text, func(yield func(weir.Entry, error) bool) {
		for seq := int64(1); seq <= 10 && yield(entry(seq), nil); seq++ {
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := ledger.Verify(&text, h.checkpoints, nil, h.stored, v)
	if err != nil || !r.OK() || r.Entries != 10 {
		t.Errorf("report %+v, err %v", r, err)
	}
	one := func(e weir.Entry, err error) iter.Seq2[weir.Entry, error] {
		return func(yield func(weir.Entry, error) bool) { yield(e, err) }
	}
	// An entry whose number was erased in the store is a finding, not an error.
	text.Reset()
	if err := ledger.WriteLines(&text, one(entry(0), nil)); err != nil {
		t.Fatal(err)
	}
	r, err = ledger.Verify(&text, nil, nil, nil, v)
	if err != nil || r.OK() {
		t.Errorf("unnumbered entry: %+v, err %v", r, err)
	}
	broken := errors.New("disk")
	if err := ledger.WriteLines(io.Discard, one(weir.Entry{}, broken)); !errors.Is(err, broken) {
		t.Errorf("a store that cannot be read: %v", err)
	}
}

// A million entries must take less than 10 s; a fiftieth of them shows the pace.
// The best of three counts, because test machines are shared, and the race
// detector's own cost does not.
func TestVerifyPace(t *testing.T) {
	s, v := keys(t, "log")
	h := sample(t, 20_000, 1000, s)
	text := h.text()
	best := time.Hour
	for i := 0; i < 3 && (i == 0 || !raceEnabled); i++ {
		start := time.Now()
		r, err := ledger.Verify(bytes.NewReader(text), h.checkpoints, h.checkpoints[19], h.stored, v)
		best = min(best, time.Since(start))
		if err != nil || !r.OK() || r.Checkpoints != 20 {
			t.Fatalf("report %+v, err %v", r, err)
		}
	}
	t.Logf("20,000 entries took %v", best)
	if best > time.Second && !raceEnabled { // five times the promise
		t.Errorf("20,000 entries took %v", best)
	}
}
