package governor

import "github.com/weirhq/weir"

// downAfter is how many calls in a row must fail before the org is taken for down.
// It is more than the tries of one step that always fails.
const downAfter = 8

// down is the breaker for a platform that fails whatever is asked: each step would
// use up its attempts within a minute, and thousands would reach people. The gate
// closes, and one call at a time asks. Answers open it in steps, whatever they say,
// as after a burst.
func (s *State) down(p Policy, x event) {
	if x.cost <= 0 {
		return // an element of a composite that was taken
	}
	s.Fails = min(s.Fails+1, maxStrikes)
	if s.Fails >= downAfter {
		s.strike(p, x, p.Base, weir.PlatformFault, number("failed-in-a-row", int64(s.Fails)))
	}
}

// failsWholly says whether a fault may mean that the org is down.
func (x event) failsWholly() bool {
	return x.fault != nil && (x.fault.Category == weir.PlatformFault || x.fault.Category == weir.UnknownOutcome)
}
