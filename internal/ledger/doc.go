// Package ledger makes weir's history tamper-evident. Every numbered entry is a
// leaf of an RFC 6962 Merkle tree, checkpoints are C2SP signed notes over the
// tree's root, and certificates are signed documents that carry the proofs of
// the entries they rest on.
//
// The invariant it protects: nothing that was signed can change without being
// seen, and a report claims no more than was proven. What nobody can see, such
// as a complete rewrite when no checkpoint was saved elsewhere, the report says.
//
// Entry number n is the tree's leaf n-1. The package is pure: randomness, time
// and stored hashes are arguments, so that an auditor can run all of it offline.
//
// Start reading at line.go (what is hashed), tree.go (how the log grows),
// verify.go (how tampering is found) and certificate.go.
package ledger
