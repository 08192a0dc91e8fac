package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// again repeats a step after a backoff, until its attempts are used up. Only
// the step waits, not the org.
func (x event) again(p Policy, base, ceiling time.Duration, retries int) weir.Decision {
	if x.attempts >= retries {
		return x.exhausted(ratio("attempts", int64(x.attempts), int64(retries)))
	}
	wait := backoff(base, ceiling, x.attempts, x.jitter)
	return park(x.due, after(x.now, wait), x.fault.Category, []weir.Evidence{
		ratio("attempts", int64(x.attempts)+1, int64(retries)), span("backoff", wait),
	})
}

// requeue repeats what another element of the same call kept from being
// carried out. It is no attempt: the culprit's own budget ends the series.
func (x event) requeue(p Policy) weir.Decision {
	wait := Backoff(p, 0, x.jitter)
	return park(x.due, after(x.now, wait), x.fault.Category, []weir.Evidence{span("backoff", wait)})
}

// reread plans a record again that has changed, within a small budget: a
// record that changes all the time needs a person.
func (x event) reread(p Policy) weir.Decision {
	e := ratio("conflicts", int64(x.conflicts)+1, int64(p.ConflictRetries))
	if x.conflicts >= p.ConflictRetries {
		return x.exhausted(e)
	}
	return weir.Decision{Ruling: weir.Reread, Wait: weir.Wait{Until: moment(x.now), Cause: weir.Conflict, Evidence: []weir.Evidence{e}}}
}

// restart goes on from the keyset bookmark.
func (x event) restart(p Policy) weir.Decision {
	e := ratio("attempts", int64(x.attempts)+1, int64(p.Retries))
	if x.attempts >= p.Retries {
		return x.exhausted(e)
	}
	return weir.Decision{Ruling: weir.Restart, Wait: weir.Wait{Until: moment(x.now), Cause: x.fault.Category, Evidence: []weir.Evidence{e}}}
}

// bury hands a step to a person at once: a repeat would give the same answer.
func (x event) bury(c weir.Category) weir.Decision {
	return weir.Decision{Ruling: weir.DeadLetter, Wait: weir.Wait{Cause: c, Evidence: x.facts()}}
}

func (x event) exhausted(e weir.Evidence) weir.Decision {
	return weir.Decision{Ruling: weir.DeadLetter, Wait: weir.Wait{Cause: x.fault.Category, Evidence: append([]weir.Evidence{e}, x.facts()...)}}
}

// facts is the fault in codes and numbers. A code is the org's own word and
// was cut to its shape by the classifier.
func (x event) facts() []weir.Evidence {
	var out []weir.Evidence
	if x.fault.Status != 0 {
		out = append(out, number("status", int64(x.fault.Status)))
	}
	if x.fault.Code != "" {
		out = append(out, weir.Evidence{Name: "code", Value: x.fault.Code})
	}
	return out
}
