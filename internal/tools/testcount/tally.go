package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of the build-output and build-fail events
	Test       string
	Output     string
	Elapsed    float64
}

// test is one test or subtest of one package.
type test struct{ pkg, name string }

// outcome is how a test ended: the action word of its last event.
type outcome string

const (
	passed  outcome = "pass"
	failed  outcome = "fail"
	skipped outcome = "skip"
)

// Tally is what one run of the tests came to.
type Tally struct {
	out     flusher
	ended   map[test]outcome
	parents map[test]bool   // tests that have subtests: their subtests are counted
	output  map[test]string // what a test said, kept until it is known whether it failed
	broken  []string        // packages that failed without a failing test
	failing map[string]bool // packages with a failing test
	verdict []string        // why the run is not good, one reason a line
}

// flusher is where results are shown while they come in.
type flusher interface {
	io.Writer
	Flush() error
}

// NewTally returns an empty tally that shows results on out.
func NewTally(out flusher) *Tally {
	return &Tally{
		out: out, ended: map[test]outcome{}, parents: map[test]bool{},
		output: map[test]string{}, failing: map[string]bool{},
	}
}

// Read takes in a whole stream of events.
func (t *Tally) Read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20) // one event holds one line of output, however long
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("line %d is not an event of go test -json: %w", n, err)
		}
		t.take(e)
	}
	return lines.Err()
}

func (t *Tally) take(e event) {
	at := test{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		t.show(e.Output)
	case "output":
		t.output[at] += e.Output
	case "run":
		for name := e.Test; strings.Contains(name, "/"); {
			name = name[:strings.LastIndex(name, "/")]
			t.parents[test{e.Package, name}] = true
		}
	case "pass", "fail", "skip":
		if e.Test == "" {
			t.endPackage(e)
			return
		}
		t.ended[at] = outcome(e.Action)
		if e.Action == "fail" {
			t.failing[e.Package] = true
		}
		if e.Action != "pass" {
			t.show(t.output[at])
		}
		delete(t.output, at)
	}
}

// endPackage shows a package's line, and its own output when it failed: a
// panic or a build that failed has no test to belong to.
func (t *Tally) endPackage(e event) {
	at := test{pkg: e.Package}
	switch {
	case e.Action == "fail":
		if !t.failing[e.Package] {
			t.broken = append(t.broken, e.Package)
		}
		for _, left := range t.unfinished(e.Package) {
			t.show(t.output[left])
		}
		t.show(t.output[at])
		t.show(fmt.Sprintf("FAIL\t%s\t%.3fs\n", e.Package, e.Elapsed))
	case strings.Contains(t.output[at], "[no test files]"):
	default:
		t.show(fmt.Sprintf("ok  \t%s\t%.3fs\n", e.Package, e.Elapsed))
	}
	delete(t.output, at)
	_ = t.out.Flush() // only progress is lost; the last flush reports the error
}

// unfinished lists the tests of a package that said something and never
// ended: the one that panicked or ran into the time limit is among them.
func (t *Tally) unfinished(pkg string) []test {
	var left []test
	for at := range t.output {
		if at.pkg == pkg && at.name != "" {
			left = append(left, at)
		}
	}
	slices.SortFunc(left, func(a, b test) int { return strings.Compare(a.name, b.name) })
	return left
}

// Good says whether everything ran and passed. It is known after Report.
func (t *Tally) Good() bool { return len(t.verdict) == 0 }

func (t *Tally) show(text string) { _, _ = io.WriteString(t.out, text) }

// leaves returns, in order, the tests that are counted: those without
// subtests, and those that did not pass although all their subtests did.
func (t *Tally) leaves() []test {
	explained := map[test]bool{} // parents whose outcome a subtest shares
	var leaves []test
	byDepth := slices.SortedFunc(maps.Keys(t.ended), func(a, b test) int {
		return strings.Count(b.name, "/") - strings.Count(a.name, "/")
	})
	for _, at := range byDepth {
		end := t.ended[at]
		if !t.parents[at] || (end != passed && !explained[at]) {
			leaves = append(leaves, at)
		}
		if cut := strings.LastIndex(at.name, "/"); cut > 0 {
			parent := test{at.pkg, at.name[:cut]}
			explained[parent] = explained[parent] || (end != passed && end == t.ended[parent])
		}
	}
	slices.SortFunc(leaves, func(a, b test) int {
		return strings.Compare(a.pkg+" "+a.name, b.pkg+" "+b.name)
	})
	return leaves
}
