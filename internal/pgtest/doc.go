// Package pgtest gives a test a store to run on: the same function once on
// SQLite and once on PostgreSQL. Only test files import it.
//
// The invariant it protects: no store is tested less than the other. A test
// written with Each has the subtests "sqlite" and "postgres"; `make test`
// starts a PostgreSQL server, counts both kinds and fails when one store ran
// fewer tests or when anything was skipped.
//
// Start reading at Each.
package pgtest
