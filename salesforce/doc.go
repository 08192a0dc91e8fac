// Package salesforce is the wire: it speaks OAuth, REST, Composite and the one
// SOAP call that weir needs to one Salesforce org, and it turns every answer
// into readings of the org's limits and, when something failed, into one
// classified weir.Fault.
//
// The invariant it protects: what leaves this package never lies about the
// org's state. A mutation whose answer did not arrive whole has EffectUnknown,
// a page that did not arrive whole is a fault, and a subject's value appears in
// no URL, no error and no log line. It never retries, never sleeps, never
// follows a redirect and never talks to a host other than the configured one.
//
// Start reading at client.go (what a caller holds), then call.go (the one
// exchange that every method goes through), classify.go and table.go (what an
// answer means).
package salesforce
