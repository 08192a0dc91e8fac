// Package engine is weir's front door for programs: Open, Submit, Plan,
// Approve, Run, Close. It wires store, vault, governor and the Salesforce
// client, and it is the shell around the pure core: it reads the clock, draws
// the dice, sends the calls and commits what the core decided.
//
// The invariant it protects: a call to an org happens only between two
// transactions. The first claims the steps, asks the governor and commits the
// intents; the second commits the outcome together with the decision that it
// caused. Whatever dies in between is found by its claim, and a mutation whose
// effect is unknown is read back before anything else.
//
// Start reading at turn.go (one call, from claim to commit), then advance.go
// (how a request goes from stage to stage) and erase.go (how a mutation is
// applied once).
package engine
