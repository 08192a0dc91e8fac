package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// The retry budget keeps repeats a small part of what is sent. An org that fails
// some calls and takes others trips no breaker, and each step that met a failure
// would use up its attempts within a minute: calls are wasted, and people get
// letters about an hour's weakness. So answers earn repeats, a tenth of one each, as
// in Finagle's RetryBudget. When more than the stock was spent, repeats wait for
// minutes, and nothing else does. A request has a budget as well: one that takes
// far more calls than it was expected to must not use up what belongs to others.
//
// Locks and conflicts have counts of their own, and a read-back is no repeat.
const (
	retryPart   = int64(1000)    // a repeat is counted in so many parts;
	retryEarned = retryPart / 10 // so many an answered call earns,
	retryStock  = 20 * retryPart // so many may be spent beforehand,
	retryShared = retryPart / 25 // and so many an element takes: 25 go again in one call
	requestMost = int64(2)       // a request may take so many times the calls that were expected,
	requestFree = int64(20)      // and so many beyond
)

// earned counts an answer.
func (s State) earned(x event) State {
	s.Retries = max(min(s.Retries, retryStock)-retryEarned*x.cost, 0)
	return s
}

// repeated sends a step again after a failure that says nothing about it.
func (s State) repeated(p Policy, x event) (State, weir.Decision) {
	d := x.again(p, p.Base, p.Ceiling, p.Retries)
	if d.Ruling != weir.WaitUntil || x.fault.Effect == weir.EffectUnknown {
		return s, d
	}
	parts := retryShared
	if x.cost > 0 {
		parts = retryPart
	}
	var over []weir.Evidence
	if s.Retries+parts > retryStock {
		over = append(over, ratio("retries-of-org", s.Retries/retryPart, retryStock/retryPart))
	} else {
		s.Retries += parts
	}
	if most := requestMost*x.expected + requestFree; x.expected > 0 && x.spent > most {
		over = append(over, ratio("calls-of-request", x.spent, most))
	}
	if len(over) == 0 {
		return s, d
	}
	until := after(x.now, patience(p, x.jitter))
	if x.due > 0 && until > x.due {
		return s, d // the law's time is dearer than calls
	}
	return s, waitFor(max(until, nanos(d.Wait.Until)), d.Wait.Cause, append(over, d.Wait.Evidence...))
}

// patience is how long a repeat waits for which there is no budget: between a
// quarter of the ceiling and the ceiling.
func patience(p Policy, jitter uint32) time.Duration {
	least := max(p.Ceiling, 0) / 4
	return least + time.Duration(mulDiv(int64(jitter), int64(3*least), 1<<32))
}
