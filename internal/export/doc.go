// Package export renders an access package: one zip file with what an org holds
// about a subject, as JSON for machines, CSV for spreadsheets and a page for
// people, and a manifest with the hash of each file.
//
// The invariant it protects: whatever a record holds comes out harmless in
// every form (no formula runs, no markup acts, no terminal obeys) and complete
// in at least one: the JSON keeps each value as the org sent it. No row is kept
// in memory; each form reads the rows anew from the caller's source.
//
// Start reading at writer.go (the order of the files), then guard.go (what
// makes a cell harmless), flat.go (how a nested record becomes columns) and
// page.go (what people read).
package export
