//go:build !crashpoints

package crash

// Before is the moment right before a durable write.
func Before(Write) {}

// After is the moment right after a durable write.
func After(Write) {}
