// Package arch has no code, only the test that keeps the house in order: who
// may import whom, what the pure core may not touch, how long a file may get.
//
// The invariant it protects: imports point down. A rule of the core that needs
// a clock, a database or the network cannot be written by accident.
//
// Start reading at table_test.go: that is the law. rules_test.go applies it to
// one file, arch_test.go to the repository.
package arch
