// Package runner is the only package that knows River. River distributes slot
// jobs over the nodes; our tables are the truth.
//
// A slot job is one unique job per {org, slot}: as many slots as calls of the
// org may be open at once, across all nodes. A slot takes turns for up to
// twenty seconds and completes when a turn finds nothing to do. The org's own
// wake time is the only clock: a control loop on every node inserts the slots
// of due orgs, so a lost wake-up costs one tick and never a request. Each node has a
// queue of its own, and slots go round in the circle of the nodes that run.
//
// The invariant it protects: a job's arguments are an org's alias and a slot
// number, and nothing else; no personal data can reach the queue's tables.
//
// Start reading at runner.go, then slot.go and circle.go.
package runner
