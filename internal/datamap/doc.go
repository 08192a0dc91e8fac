// Package datamap reads the data map: which objects of an org hold personal
// data, how a subject is found, and what each right does to each field. The
// map is law for the plan, so it is read strictly: every mistake is reported
// at once, each with file, line and column, and nothing is guessed.
//
// The invariant it protects: a map that parses can be walked. Every object in
// it is reachable from the subject, links and deletion order have no cycles,
// every name is a plain API name, and the hash changes with every line that
// means something.
//
// Start reading at map.go (the structs), then parse.go (from text to structs)
// and check.go (the map against what describe says).
package datamap
