// Package deadletter says everything about dead letters that is not storage:
// which event lets one go by itself, what a person may do with it and in which
// role, in which order people see them, and what to tell them.
//
// The invariant it protects: no dead letter is released by a timer. Either its
// recorded cause has cleared, or a person decides.
//
// Start reading at release.go; action.go, order.go and suggest.go stand alone.
package deadletter
