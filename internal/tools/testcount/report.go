package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The stores that a test can run on. A conformance test has a subtest of each
// name somewhere in its path; every other test is counted as other.
const (
	sqlite   = "sqlite"
	postgres = "postgres"
	other    = "other"
)

// Report ends a run: it weighs the counts, says what is wrong and closes with
// the counts in one line.
func (t *Tally) Report() {
	ran := map[string]int{}
	count := map[outcome]int{}
	pairs := map[string]map[string]bool{} // test without its store's name → stores that ran it
	for _, at := range t.leaves() {
		end := t.ended[at]
		count[end]++
		if end == skipped {
			t.blame("skipped: %s %s", at.pkg, at.name)
			continue
		}
		store, rest := storeOf(at.name)
		ran[store]++
		if store != other {
			key := at.pkg + " " + rest
			if pairs[key] == nil {
				pairs[key] = map[string]bool{}
			}
			pairs[key][store] = true
		}
	}
	for _, pkg := range t.broken {
		t.blame("package %s failed outside its tests", pkg)
	}
	count[failed] += len(t.broken)
	if count[failed] > 0 {
		t.blame("%d failed", count[failed])
	}
	if count[passed] == 0 {
		t.blame("no test passed")
	}
	t.comparePairs(pairs)
	t.show("\n")
	for _, reason := range t.verdict {
		t.show("NOT GOOD: " + reason + "\n")
	}
	t.show(fmt.Sprintf("tests run: sqlite %d, postgres %d, other %d\n", ran[sqlite], ran[postgres], ran[other]))
	t.show(fmt.Sprintf("%d passed, %d failed, %d skipped\n", count[passed], count[failed], count[skipped]))
}

// comparePairs names every test that ran on one store only.
func (t *Tally) comparePairs(pairs map[string]map[string]bool) {
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		for _, store := range []string{sqlite, postgres} {
			if !pairs[key][store] {
				t.blame("did not run on %s: %s", store, key)
			}
		}
	}
}

func (t *Tally) blame(format string, args ...any) {
	t.verdict = append(t.verdict, fmt.Sprintf(format, args...))
}

// storeOf says which store a test ran on, and the test's name without it. The
// testing package appends #01 to the second subtest of a name.
func storeOf(name string) (store, rest string) {
	elements := strings.Split(name, "/")
	for i, element := range elements {
		base, number, _ := strings.Cut(element, "#")
		if i > 0 && (base == sqlite || base == postgres) {
			elements[i] = "*" + number
			return base, strings.Join(elements, "/")
		}
	}
	return other, name
}
