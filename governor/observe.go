package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// event is an outcome in the form that the arithmetic wants: instants instead
// of times, and every number from outside cut to a safe range.
type event struct {
	now, sent int64
	cost      int64
	inFlight  int64
	long      int64 // of those, open for 20 s
	jitter    uint32
	readings  []weir.Reading
	fault     *weir.Fault
	attempts  int
	conflicts int
	due       int64
	spent     int64 // calls that the request has taken,
	expected  int64 // and those that it was expected to take
	ofStep    bool  // belongs to a step; a renewal of the token does not
	object    string
	answered  []string
	writes    bool
	readBack  bool
}

func newEvent(o weir.Outcome) event {
	x := event{
		now: max(nanos(o.Now), 1), sent: nanos(o.SentAt), cost: clampCalls(o.Cost),
		inFlight: clampCalls(o.InFlight), long: clampCalls(o.Long), jitter: o.Jitter, readings: o.Readings, fault: o.Fault,
		attempts: max(o.Attempts, 0), conflicts: max(o.Conflicts, 0),
		spent: clamp(o.Spent), expected: clamp(o.Expected),
		due: deadlineOf(o.DueAt, o.Remaining), ofStep: o.Cost > 0 || !o.DueAt.IsZero(),
		object: o.Object, answered: o.Answered, writes: o.Mutates || o.ReadBack, readBack: o.ReadBack,
	}
	if x.sent == 0 || x.sent > x.now {
		x.sent = x.now
	}
	return x
}

// retryAfter is the longest wait that the response asked for: what the fault
// carries, or a reading of the same response.
func (x event) retryAfter() time.Duration {
	if x.fault == nil {
		return x.askedToWait()
	}
	return max(x.fault.RetryAfter, x.askedToWait(), 0)
}

func (x event) askedToWait() time.Duration {
	d := time.Duration(0)
	for _, r := range x.readings {
		if r.Kind == weir.ReadRetryAfter {
			seconds := min(max(r.Used, 0), int64(lastInstant/int64(time.Second)))
			d = max(d, time.Duration(seconds)*time.Second)
		}
	}
	return d
}

// Observe learns from one call's outcome and decides what becomes of its step.
// An outcome without cost and due date is that of a token renewal: it belongs
// to no step, and the org counts no call. A failed element of a composite is
// observed by itself, after the whole call and without cost.
func Observe(p Policy, s State, o weir.Outcome) (State, weir.Decision) {
	x := newEvent(o)
	s.tick(p, x.now)
	if s.ProbeAt > 0 && x.sent >= s.ProbeAt {
		s.ProbeAt = 0
		s.Long.Held = s.Long.Held && x.fault != nil
	}
	s.count(p, x)
	s.took(x)
	s.ranLong(x)
	s.gatewayCap(p, x)
	s.forgotten(p, x.now)
	if x.cost > 0 && !x.failsWholly() {
		s.Fails = 0
		s.earned(x)
	}
	s.objectsAnswered(x)
	if x.fault == nil {
		s.answered(x)
		s.remaining(p, x)
		return s, weir.Decision{Ruling: weir.Proceed}
	}
	d := s.objectFailed(p, x, s.fault(p, x))
	s.remaining(p, x)
	return s, x.guard(p, d)
}

// fault sends each category to the part of the governor that knows it.
func (s *State) fault(p Policy, x event) weir.Decision {
	switch c := x.fault.Category; c {
	case weir.ThrottledBurst:
		s.burst(p, x)
		return s.parked(p, x)
	case weir.ThrottledDaily:
		s.blockDaily(p, x)
		return s.parked(p, x)
	case weir.ThrottledConcurrent:
		s.crowded(p, x)
		return s.parked(p, x)
	case weir.ThrottledLogin, weir.Maintenance:
		// Both last for minutes: the first wait is a minute (wire reference,
		// section 3.3), and the ceiling bounds the others.
		s.Auth.RenewAt = 0
		s.strike(p, x, max(p.Base, time.Minute), c)
		return s.parked(p, x)
	case weir.StorageFull:
		// A full disk is a state of ours and not a failure of the step: nothing is
		// fetched for the org until there is room, and one call at a time asks.
		s.strike(p, x, p.Base, c)
		return s.parked(p, x)
	case weir.AuthDrift, weir.AuthConfig:
		return s.refused(p, x)
	case weir.EndpointMoved:
		return s.moved(p, x)
	case weir.PlatformFault, weir.QueryTimeout, weir.UnknownOutcome, weir.StorageFault:
		s.stumbled(p, x)
		return s.repeated(p, x)
	case weir.LockContention:
		s.answered(x)
		return x.again(p, p.LockBase, p.LockCeiling, p.LockRetries)
	case weir.NotExecuted:
		s.answered(x)
		return x.requeue(p)
	case weir.Conflict:
		s.answered(x)
		return x.reread(p)
	case weir.CursorLost:
		s.answered(x)
		return x.restart(p)
	case weir.Gone, weir.Success, weir.PartialFailure:
		s.answered(x)
		return weir.Decision{Ruling: weir.Proceed}
	case weir.Permission, weir.Validation, weir.NotFound, weir.AmbiguousMatch, weir.Capacity, weir.UnknownClient:
		s.answered(x)
		return x.bury(c)
	case weir.Drift, weir.DeadlineRisk, weir.Residue:
		return x.bury(c)
	}
	return x.bury(x.fault.Category)
}

// answered is for faults that concern the step only: the org took the call and
// the credentials.
func (s *State) answered(x event) {
	s.accepted(x)
	s.authenticated(x)
}

// parked lets the step wait at the gate that its own outcome has closed. The
// outcome of a call that outlived its gate waits a little of its own.
func (s *State) parked(p Policy, x event) weir.Decision {
	if s.Gate.Until > x.now {
		return park(x.due, s.Gate.Until, s.Gate.Cause, s.Gate.Evidence)
	}
	wait := Backoff(p, 0, x.jitter)
	return park(x.due, after(x.now, wait), x.fault.Category, []weir.Evidence{span("backoff", wait)})
}

// guard is the last word on every decision about a fault. Where the effect is
// unknown nothing is sent again but a read, after the first call has had time
// to land; and nothing is ever sent before Retry-After has passed.
func (x event) guard(p Policy, d weir.Decision) weir.Decision {
	switch d.Ruling {
	case weir.WaitUntil, weir.Restart, weir.Reread, weir.Readback:
	case weir.Proceed, weir.DeadLetter, weir.Reauth:
		return d // a refused token did nothing
	}
	unknown, ra := x.fault.Effect == weir.EffectUnknown, x.retryAfter()
	if !unknown && ra <= 0 {
		return d
	}
	until, cause, evidence := nanos(d.Wait.Until), d.Wait.Cause, d.Wait.Evidence
	if asked := after(x.now, ra); asked > until {
		until, evidence = asked, append([]weir.Evidence{span("retry-after", ra)}, evidence...)
	}
	if unknown {
		until, cause = max(until, after(x.now, p.Settle)), x.fault.Category
		evidence = append([]weir.Evidence{span("settle", p.Settle)}, evidence...)
	}
	out := park(x.due, until, cause, evidence)
	out.Object, out.Spared = d.Object, d.Spared
	if unknown && out.Ruling == weir.WaitUntil {
		out.Ruling = weir.Readback
	}
	return out
}
