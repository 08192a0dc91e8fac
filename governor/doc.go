// Package governor decides when a call to an org may be sent and what its
// outcome means: proceed, wait until a time, renew the token, read back, read
// again, restart, or hand the step to a person. Nobody else decides.
//
// It is arithmetic: policy, remembered state and one event go in, the next
// state and a decision come out. Time and jitter are part of the event, all
// numbers are integers, and a State that was handed in never changes. So whoever has
// the recorded events can compute every decision again, bit for bit, on any
// machine.
//
// The invariants it protects: no call is sent before a Retry-After has passed,
// none while the org's newest reading, corrected by what we know, is at or
// below the floor that belongs to the business, and no wait ends after the due
// date without a person knowing when it began.
//
// Start reading at admit.go and observe.go, the two doors. The rooms behind
// them: burst.go and concurrency.go (throttles), daily.go and forecast.go (the
// rolling window of 24 hours), credential.go (the breaker), retry.go (faults
// of one step), down.go and object.go (what fails whatever is asked). view.go
// and explain.go tell people.
package governor
