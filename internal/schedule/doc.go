// Package schedule decides which requests can still be fulfilled in time. It
// is given what each open request still costs in API calls and how many calls
// the org will take by when; it keeps the largest set of requests that can all
// meet their due dates (Moore and Hodgson 1968), puts them in the order of
// those dates, and says of the others how many calls are lacking and when they
// would be done.
//
// The invariant it protects: a request that is not kept is named together with
// its shortfall, so that a person hears of it before its due date; and giving
// one up never makes a kept one late.
//
// Start reading at arrange.go; supply.go is the org's capacity over time.
package schedule
