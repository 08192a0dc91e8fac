// Package tampertest alters logs as somebody would who can write where a log is
// kept: it edits, deletes, inserts and moves entries, with and without numbering
// the rest again. Every verifier has to find each of them.
//
// The package is for tests only. What it does follows from the seed of the
// random numbers that it is given.
package tampertest
