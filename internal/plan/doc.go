// Package plan turns a data map, what describe says and what discovery found
// into the plan of one request, and the plan into steps. It is arithmetic:
// the same input gives the same plan, the same hash and the same cost.
//
// The invariant it protects: nothing is done to a record that the approved
// plan does not name. The hash covers every record with its version, every
// action, the meaning of the data map and the describe of every mapped
// object, so that a change in any of them voids the approval.
//
// Start reading at find.go (how records are found), then build.go (what
// happens to each) and step.go (in which order and in which calls).
package plan
