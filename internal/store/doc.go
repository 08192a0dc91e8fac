// Package store is weir's memory: every table, every migration and every SQL
// statement that is ours. It runs on SQLite (one machine) and on PostgreSQL
// (many nodes) with the same statements.
//
// The invariants it protects:
//
//   - One transaction has one time. A Tx carries the moment that stamps every
//     row it writes and bounds every row it reads; no statement asks the
//     database for the time, which would be a second clock.
//   - A step or a request moves only along an edge of the tables in package
//     weir, and only from the state, epoch or version that the caller held.
//     Whoever lost the race gets ErrMovedElsewhere and has changed nothing.
//   - No personal data: identifiers, codes, field names, keyed hashes and
//     ciphertext only.
//
// Times are kept as milliseconds since 1970 in integers, where 0 stands for
// the zero time. An empty byte slice is kept as NULL and read back as nil.
//
// Start reading at tx.go (how a transaction runs), then step.go and claim.go
// (how work moves). The tables are in migration/.
package store
