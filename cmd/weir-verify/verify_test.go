package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/tampertest"
)

// hashes is a store of tree hashes.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = h[x]
	}
	return out, nil
}

// office is what an auditor has: files in a directory, made by weir's own code.
type office struct {
	t      *testing.T
	dir    string
	key    string
	signer note.Signer
	weir   note.Verifier
	log    []weir.Entry
	stored hashes
}

func newOffice(t *testing.T, size int) *office {
	t.Helper()
	seed := sha256.Sum256([]byte("auditor"))
	secret, public, err := ledger.GenerateKey("weir-ledger", bytes.NewReader(seed[:]))
	check(t, err)
	o := &office{t: t, dir: t.TempDir(), key: public}
	o.signer, err = ledger.ParseSigner(secret)
	check(t, err)
	o.weir, err = ledger.ParseVerifier(public)
	check(t, err)
	for i := range size {
		o.log = append(o.log, weir.Entry{
			Seq: int64(i + 1), At: time.Date(2026, 11, 23, 9, 0, i, 0, time.UTC), By: []string{"weir", "ann"}[i%2], Act: "step.done",
			Org: "acme", Request: weir.RequestID(fmt.Sprintf("R-%08d", i/9)), Detail: map[string]string{"object": "Contact", "note": fmt.Sprintf("é\"%d", i%5)},
		})
	}
	o.stored, err = ledger.Extend(0, o.lines(o.log), o.stored)
	check(t, err)
	return o
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (o *office) lines(log []weir.Entry) [][]byte {
	out := make([][]byte, len(log))
	for i, e := range log {
		var err error
		out[i], err = ledger.Line(e)
		check(o.t, err)
	}
	return out
}

func (o *office) file(name string, text []byte) string {
	o.t.Helper()
	path := filepath.Join(o.dir, name)
	check(o.t, os.WriteFile(path, text, 0o600))
	return path
}

func (o *office) text(log []weir.Entry) []byte {
	return append(bytes.Join(o.lines(log), []byte("\n")), '\n')
}

func (o *office) checkpoint(size int64) []byte {
	o.t.Helper()
	root, err := ledger.Root(size, o.stored)
	check(o.t, err)
	text, err := ledger.Checkpoint("weir/ledger", size, root, o.signer)
	check(o.t, err)
	return text
}

// certificate makes one that quotes two entries.
func (o *office) certificate(size int64) []byte {
	o.t.Helper()
	c := ledger.Certificate{
		Request: o.log[3].Request, Org: "acme", Right: weir.Erasure, Law: "gdpr", CompletedAt: o.log[5].At,
		Items: []ledger.CertItem{{Object: "Contact", Record: "003000000000001AAA", Outcome: ledger.OutcomeApplied, Entry: 4, Reason: "<&>"}},
	}
	var err error
	c.Ledger.Size, c.Ledger.Checkpoint = size, string(o.checkpoint(size))
	c.Ledger.Root, err = ledger.Root(size, o.stored)
	check(o.t, err)
	for _, line := range o.lines(o.log[3:5]) {
		in, err := ledger.Prove(size, line, o.stored)
		check(o.t, err)
		c.Ledger.Entries = append(c.Ledger.Entries, in)
	}
	doc, err := ledger.Sign(c, o.signer)
	check(o.t, err)
	return doc
}

// run is the front door.
func (o *office) run(args ...string) (code int, out, errOut string) {
	var a, b bytes.Buffer
	code = run(args, &a, &b)
	return code, a.String(), b.String()
}

func (o *office) demand(want int, word string, args ...string) {
	o.t.Helper()
	code, out, errOut := o.run(args...)
	if code != want || !strings.Contains(out+errOut, word) {
		o.t.Errorf("weir-verify %q: exit %d, want %d with %q\n%s%s", args, code, want, word, out, errOut)
	}
}

func TestVerify(t *testing.T) {
	o := newOffice(t, 100)
	log, all, half := o.file("log", o.text(o.log)), o.file("all", o.checkpoint(100)), o.file("half", o.checkpoint(50))
	cert, key := o.file("cert", o.certificate(60)), o.file("key", []byte(o.key+"\n"))
	o.demand(0, "100 entries, the first 100 are those that were signed", "--key", o.key, "--checkpoint", all, log)
	o.demand(0, "not proven: entries 61 to 100", "--key", key, "--checkpoint", half, "--certificate", cert, log)
	o.demand(0, "authentic: erasure, request R-00000000, org acme; 2 entries", "--key", key, "--certificate", cert)
	o.demand(0, "the first 0 are", "--key", key, "--checkpoint", o.file("none", o.checkpoint(0)), log)

	o.demand(2, "Usage", "--key", o.key, log)
	o.demand(2, "Usage", "--checkpoint", all, log)
	o.demand(2, "flag provided but not defined", "--store", "x")
	o.demand(1, "neither a public key", "--key", "nonsense", "--checkpoint", all, log)
	o.demand(1, "no such file", "--key", key, "--checkpoint", all, log+"x")
	o.demand(1, "no such file", "--key", key, "--checkpoint", all+"x", log)

	seed := sha256.Sum256([]byte("mallory"))
	_, other, err := ledger.GenerateKey("weir-ledger", bytes.NewReader(seed[:]))
	check(t, err)
	o.demand(8, "not signed by", "--key", other, "--checkpoint", all, log)
	o.demand(8, "another key", "--key", other, "--certificate", cert)
	foreign, err := ledger.Checkpoint("another log", 50, tlog.Hash{}, o.signer)
	check(t, err)
	o.demand(8, "different logs", "--key", key, "--checkpoint", all, "--checkpoint", o.file("foreign", foreign), log)
	o.demand(8, "entries 51 to 60", "--key", key, "--checkpoint", half, "--certificate", cert,
		o.file("changed", bytes.Replace(o.text(o.log), o.lines(o.log)[54], bytes.Replace(o.lines(o.log)[54], []byte("Contact"), []byte("Content"), 1), 1)))
}

// TestBothVerifiersFindEveryTampering alters an exported log at random: weir
// and weir-verify must both find each alteration, and agree where nothing is
// altered or nothing is signed.
func TestBothVerifiersFindEveryTampering(t *testing.T) {
	const rounds = 1000
	o := newOffice(t, 130)
	held := o.checkpoint(130)
	saved := o.file("saved", held)
	r := rand.New(rand.NewPCG(3, 4))
	found := map[string]int{}
	for range rounds {
		a := tampertest.Alter(r, o.log, false)
		text := o.text(a.Log)
		rep, err := ledger.Verify(bytes.NewReader(text), nil, held, nil, o.weir)
		check(t, err)
		code, out, errOut := o.run("--key", o.key, "--checkpoint", saved, o.file("log", text))
		if rep.OK() || code != exitIntegrity {
			t.Fatalf("%s at %d: weir says %v, weir-verify ends with %d: %s%s", a.Kind, a.First, rep.OK(), code, out, errOut)
		}
		if a.First < rep.FirstBad || a.First > rep.LastBad {
			t.Errorf("%s at %d: weir looks for it between %d and %d: %s", a.Kind, a.First, rep.FirstBad, rep.LastBad, rep.Reason)
		}
		found[a.Kind]++
	}
	t.Logf("%d alterations, all found by both: %v", rounds, found)
}

// TestBothVerifiersFindEveryFlippedByte changes each byte of a log, of a
// checkpoint and of a certificate.
func TestBothVerifiersFindEveryFlippedByte(t *testing.T) {
	o := newOffice(t, 12)
	text, held, doc := o.text(o.log), o.checkpoint(12), o.certificate(12)
	saved, log := o.file("saved", held), o.file("log", text)
	agree := func(what string, i int, weirSays bool, code int) {
		t.Helper()
		if weirSays || code != exitIntegrity {
			t.Errorf("byte %d of the %s: weir says %v, weir-verify ends with %d", i, what, weirSays, code)
		}
	}
	flip := func(b []byte, i int) []byte {
		b = slices.Clone(b)
		b[i] ^= 1
		return b
	}
	for i := range len(text) - 1 { // the last newline may be missing
		bad := flip(text, i)
		rep, err := ledger.Verify(bytes.NewReader(bad), nil, held, nil, o.weir)
		check(t, err)
		code, _, _ := o.run("--key", o.key, "--checkpoint", saved, o.file("bad", bad))
		agree("log", i, rep.OK(), code)
	}
	for i := range held {
		bad := flip(held, i)
		rep, err := ledger.Verify(bytes.NewReader(text), nil, bad, nil, o.weir)
		check(t, err)
		code, _, _ := o.run("--key", o.key, "--checkpoint", o.file("bad", bad), log)
		agree("checkpoint", i, rep.OK(), code)
	}
	for i := range len(doc) - 1 {
		bad := flip(doc, i)
		_, err := ledger.VerifyCertificate(bad, o.weir)
		code, _, _ := o.run("--key", o.key, "--certificate", o.file("bad", bad))
		agree("certificate", i, err == nil, code)
	}
}

// TestShort keeps the program readable in one sitting.
func TestShort(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	check(t, err)
	lines := 0
	for _, name := range sources {
		if text, err := os.ReadFile(name); err == nil && !strings.HasSuffix(name, "_test.go") {
			lines += bytes.Count(text, []byte("\n"))
		}
	}
	if lines == 0 || lines >= 500 {
		t.Errorf("weir-verify has %d lines; an auditor is promised fewer than 500", lines)
	}
}
