// Command testcount reads what `go test -json` prints, shows the failures as
// go test itself would, and counts.
//
// The invariant it protects: silence is not success. It fails when a test was
// skipped, when no test ran, or when SQLite and PostgreSQL did not run exactly
// the same tests, and then names those that are missing.
//
// Start reading at Tally.Read.
package main
