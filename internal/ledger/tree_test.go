package ledger_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/ledger"
)

func TestLineIsCanonical(t *testing.T) {
	e := weir.Entry{
		Seq: 7, At: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("x", 3600)), By: "ann<b>&",
		Act: "request.submit", Request: "R-1", Detail: map[string]string{"z": "1", "a": "2"},
	}
	want := `{"act":"request.submit","at":"2026-01-02T02:04:05.000006Z","by":"ann<b>&","detail":{"a":"2","z":"1"},"request":"R-1","seq":7}`
	got := string(line(t, e))
	if got != want {
		t.Errorf("line:\n got %s\nwant %s", got, want)
	}
	back, err := ledger.ParseLine([]byte(got))
	if err != nil {
		t.Fatal(err)
	}
	e.At = e.At.UTC()
	if d := cmp.Diff(e, back); d != "" {
		t.Error(d)
	}
}

func TestLineRefusals(t *testing.T) {
	if _, err := ledger.Line(weir.Entry{Act: "x"}); !errors.Is(err, ledger.ErrUnnumbered) {
		t.Errorf("unnumbered: %v", err)
	}
	good := string(line(t, entry(3)))
	for name, raw := range map[string]string{
		"space":       strings.Replace(good, ":", ": ", 1),
		"unknown key": strings.Replace(good, `{"act"`, `{"aaa":1,"act"`, 1),
		"key case":    strings.Replace(good, `"act"`, `"Act"`, 1),
		"duplicate":   strings.Replace(good, `"seq":3`, `"seq":3,"seq":3`, 1),
		"escape":      strings.Replace(good, "Contact", `\u0043ontact`, 1),
		"trailing":    good + "{}",
		"empty":       "",
	} {
		if _, err := ledger.ParseLine([]byte(raw)); !errors.Is(err, ledger.ErrLine) {
			t.Errorf("%s: accepted or wrong error: %v", name, err)
		}
	}
}

// Extend must store exactly what tlog itself would, whatever the batches are.
func TestExtendEqualsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want, got hashes
		size := int64(0)
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			var batch [][]byte
			for range rapid.IntRange(0, 17).Draw(t, "lines") {
				l := rapid.SliceOf(rapid.Byte()).Draw(t, "line")
				batch = append(batch, l)
				more, err := tlog.StoredHashes(size+int64(len(batch))-1, l, want)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, more...)
			}
			more, err := ledger.Extend(size, batch, got)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, more...)
			size += int64(len(batch))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		wantRoot, err := tlog.TreeHash(size, want)
		if err != nil {
			t.Fatal(err)
		}
		root, err := ledger.Root(size, got)
		if err != nil || root != wantRoot {
			t.Fatalf("root %v, want %v, err %v", root, wantRoot, err)
		}
	})
}

func TestExtendRefusesBrokenStore(t *testing.T) {
	if _, err := ledger.Extend(5, [][]byte{[]byte("x")}, hashes{}); !errors.Is(err, ledger.ErrNoHash) {
		t.Errorf("missing hashes: %v", err)
	}
	if _, err := ledger.Extend(-1, nil, hashes{}); err == nil {
		t.Error("negative size accepted")
	}
	short := tlog.HashReaderFunc(func([]int64) ([]tlog.Hash, error) { return nil, nil })
	if _, err := ledger.Root(3, short); err == nil {
		t.Error("short read accepted")
	}
}

func TestProve(t *testing.T) {
	s, _ := keys(t, "log")
	h := sample(t, 40, 10, s)
	root, err := ledger.Root(40, h.stored)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range h.lines {
		in, err := ledger.Prove(40, l, h.stored)
		if err != nil {
			t.Fatal(err)
		}
		if seq, err := in.Check(40, root); err != nil || seq != int64(i+1) {
			t.Fatalf("entry %d: seq %d, err %v", i+1, seq, err)
		}
		in.Entry = line(t, entry(int64(i+2)))
		if _, err := in.Check(40, root); err == nil {
			t.Fatalf("proof of entry %d fits another entry", i+1)
		}
	}
	if _, err := ledger.Prove(10, h.lines[20], h.stored); err == nil {
		t.Error("proved an entry beyond the log")
	}
}

func TestKeysAndCheckpoint(t *testing.T) {
	s, v := keys(t, "weir.example/log")
	h := sample(t, 5, 5, s)
	size, root, err := ledger.ParseCheckpoint(h.checkpoints[0], v)
	if err != nil || size != 5 {
		t.Fatalf("size %d, err %v", size, err)
	}
	if want, _ := ledger.Root(5, h.stored); root != want {
		t.Errorf("root %v, want %v", root, want)
	}
	if got := strings.SplitN(string(h.checkpoints[0]), "\n", 5); got[0] != origin || got[1] != "5" || got[3] != "" {
		t.Errorf("not a C2SP checkpoint: %q", got)
	}
	for i := range h.checkpoints[0] {
		bad := []byte(string(h.checkpoints[0]))
		bad[i] ^= 1
		if s2, r2, err := ledger.ParseCheckpoint(bad, v); err == nil && (s2 != size || r2 != root) {
			t.Fatalf("byte %d changed the content unnoticed", i)
		}
	}
	_, other := keys(t, "weir.example/other")
	if _, _, err := ledger.ParseCheckpoint(h.checkpoints[0], other); !errors.Is(err, ledger.ErrCheckpoint) {
		t.Errorf("another key: %v", err)
	}
	for _, text := range []string{"o\n5\n", "o\n05\n" + root.String() + "\n", "o\n-1\n" + root.String() + "\n", "o\n5\nAAAA\n", "{}\n"} {
		msg, err := note.Sign(&note.Note{Text: text}, s)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ledger.ParseCheckpoint(msg, v); !errors.Is(err, ledger.ErrCheckpoint) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ledger.Checkpoint("two\nlines", 1, root, s); err == nil {
		t.Error("an origin of two lines was signed")
	}
}

func TestKeyForms(t *testing.T) {
	seed := []byte(strings.Repeat("s", 32))
	skey, vkey, err := ledger.GenerateKey("weir", strings.NewReader(string(seed)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ledger.PublicKey(skey); err != nil || got != vkey {
		t.Errorf("public key %q, want %q, err %v", got, vkey, err)
	}
	a, err := ledger.NewSigner("weir", seed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ledger.ParseSigner(skey)
	if err != nil || a.KeyHash() != b.KeyHash() {
		t.Errorf("seed and text form give two keys, err %v", err)
	}
	for _, name := range []string{"", "a b", "a+b"} {
		if _, _, err := ledger.GenerateKey(name, strings.NewReader(string(seed))); err == nil {
			t.Errorf("key name %q accepted", name)
		}
	}
	if _, _, err := ledger.GenerateKey("weir", strings.NewReader("short")); err == nil {
		t.Error("a short source of randomness was accepted")
	}
	if _, err := ledger.ParseSigner("PRIVATE+KEY+nonsense"); !errors.Is(err, ledger.ErrKey) || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("malformed key: %v", err)
	}
	if _, err := ledger.NewSigner("weir", seed[:5]); !errors.Is(err, ledger.ErrKey) {
		t.Errorf("short seed: %v", err)
	}
}
