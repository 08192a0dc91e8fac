//go:build !unix

package vault

// ReexecScrubbed does nothing here: a process cannot replace itself.
func ReexecScrubbed() error { return nil }
