package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// The retry budget keeps repeats a small part of what is sent. An org that fails
// some calls and takes others trips no breaker, and each step that met a failure
// would use up its attempts within a minute: calls are wasted, and people get
// letters about an hour's weakness. So answers earn repeats, a tenth of one each, as
// in Finagle's RetryBudget, and each ceiling's time earns one. When more than the
// stock was spent, what fails is the org: repeats wait for minutes and spend no
// attempt of their steps, and nothing else waits. A request has a budget as well:
// one that takes far more calls than it was expected to must not use up what belongs
// to others.
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
func (s *State) earned(x event) {
	s.Retries = max(min(s.Retries, retryStock)-retryEarned*x.cost, 0)
}

// forgotten is what time earns, so that steps which always fail reach a person also
// where nobody else's answers earn anything.
func (s *State) forgotten(p Policy, now int64) {
	if s.Retries <= 0 || s.RetriesAt > now {
		s.RetriesAt = 0
	}
	if s.RetriesAt <= 0 || p.Ceiling <= 0 {
		return
	}
	if n := (now - s.RetriesAt) / int64(p.Ceiling); n > 0 {
		s.Retries = max(min(s.Retries, retryStock)-min(n, retryStock)*retryPart, 0)
		s.RetriesAt = now
	}
}

// repeated sends a step again after a failure that says nothing about it.
func (s *State) repeated(p Policy, x event) weir.Decision {
	d := x.again(p, p.Base, p.Ceiling, p.Retries)
	unknown := x.fault.Effect == weir.EffectUnknown
	patient := after(x.now, patience(p, x.jitter))
	late := x.due > 0 && patient > x.due // the law's time is dearer than calls
	parts := retryShared
	if x.cost > 0 {
		parts = retryPart
	}
	if s.Retries > retryStock-parts {
		if late {
			return d
		}
		if unknown {
			patient = after(x.now, Backoff(p, 0, x.jitter))
		}
		d = waitFor(patient, x.fault.Category, []weir.Evidence{
			ratio("retries-of-org", s.Retries/retryPart, retryStock/retryPart), ratio("attempts", int64(x.attempts), int64(p.Retries)),
		})
		d.Spared = true
		return d
	}
	if d.Ruling != weir.WaitUntil || unknown {
		return d
	}
	if s.Retries += parts; s.RetriesAt <= 0 {
		s.RetriesAt = x.now
	}
	most := requestMost*x.expected + requestFree
	if late || x.expected <= 0 || x.spent <= most {
		return d
	}
	e := ratio("calls-of-request", x.spent, most)
	return waitFor(max(patient, nanos(d.Wait.Until)), d.Wait.Cause, append([]weir.Evidence{e}, d.Wait.Evidence...))
}

// patience is how long a repeat waits for which there is no budget: between a
// quarter of the ceiling and the ceiling.
func patience(p Policy, jitter uint32) time.Duration {
	least := max(p.Ceiling, 0) / 4
	return least + time.Duration(mulDiv(int64(jitter), int64(3*least), 1<<32))
}
