// Package weir holds the words of the product: what a data subject request,
// a plan, a step, a fault and a wait are, and which moves between their states
// exist. It has no I/O, no clock, no dice and no interfaces; it imports only
// the standard library, and every other package imports it.
//
// The invariant it protects: a step or a request can only move along an edge
// that stands in the tables of state.go and stage.go.
//
// Start reading at request.go (what people ask for), then step.go (what weir
// does about it), fault.go (what a Salesforce answer means) and decision.go
// (what weir decides because of it).
package weir
