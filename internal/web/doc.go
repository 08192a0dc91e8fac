// Package web is weir's programming face: one table of operations that the
// command line uses in its own process or, while a weir runs, through its unix
// socket. Handlers hold no rules; they translate documents and errors.
//
// The invariant it protects: both ways run the same operation with the same
// documents, so a verb cannot behave differently while a weir runs.
//
// Start reading at operation.go (the table), then document.go (what goes in
// and out) and failure.go (errors and exit codes).
package web
