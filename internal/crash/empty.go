//go:build !crashpoints

package crash

import "time"

// Before is the moment right before a durable write.
func Before(Write) {}

// After is the moment right after a durable write.
func After(Write) {}

// Wall is the machine's clock.
func Wall() time.Time { return time.Now() }
