package governor

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// objectAfter is how many failures in a row close an object: downAfter's number, for
// its reason. One step that always fails has fewer tries.
const objectAfter = downAfter

// objectsKept bounds the state. Of an object that finds no place nothing is known,
// and its steps spend their attempts.
const objectsKept = 32

// objectTells is how long an object may fail before a person hears of it, by one
// dead letter, and once more after each such time.
const objectTells = int64(24 * time.Hour)

// objectLease is how long a call that asks may be under way before the next may go:
// Salesforce ends a query after two minutes.
const objectLease = int64(2 * time.Minute)

// Object is the breaker for one object of an org: a trigger that always throws, a
// table that is too large for every query. Without it each step about the object
// uses up its attempts within a minute, as all of the org's would; see down.go. Its
// steps wait until the object opens and spend no attempt, nobody else waits, and
// then one call at a time asks. What reads and what writes is kept apart: the
// read that precedes every write says nothing about the trigger. An object that
// works has no entry.
type Object struct {
	Name    string        `json:"name"`
	Writes  bool          `json:"writes,omitempty"`
	Fails   int           `json:"fails,omitempty"`   // in a row
	Strikes int           `json:"strikes,omitempty"` // above 0 one call about it at a time
	Cause   weir.Category `json:"cause,omitempty"`   // of the newest failure
	FailAt  int64         `json:"fail_at,omitempty"` // when that was
	Until   int64         `json:"until,omitempty"`   // nothing is asked before
	CutAt   int64         `json:"cut_at,omitempty"`  // calls sent before belong to the event that closed it
	ProbeAt int64         `json:"probe_at,omitempty"`
	ToldAt  int64         `json:"told_at,omitempty"` // when it first closed, or a person was told since
}

// broken says that the object closed and has not worked since.
func (o Object) broken() bool { return o.Strikes > 0 && o.Fails >= objectAfter }

func (o Object) evidence() []weir.Evidence {
	what := "reads"
	if o.Writes {
		what = "writes"
	}
	return []weir.Evidence{
		{Name: "object", Value: o.Name},
		{Name: "asked", Value: what},
		number("failed-in-a-row", int64(o.Fails)), number("strikes", int64(o.Strikes)),
	}
}

// Apart says whether steps about an object must not ride along in a call about
// another one: it is closed, or calls about it run long.
func Apart(s State, name string, writes bool) bool {
	return Barred(s, name, writes) || RunsLong(s, name, writes)
}

// Barred says whether an object is closed, or asked by one call at a time.
func Barred(s State, name string, writes bool) bool {
	i := s.objectAt(name, writes)
	return i >= 0 && s.Objects[i].Strikes > 0
}

// ClosedUntil is when a closed object is asked again, by one call; zero when it is
// not closed.
func ClosedUntil(s State, name string, writes bool) time.Time {
	if i := s.objectAt(name, writes); i >= 0 && s.Objects[i].Strikes > 0 {
		return moment(s.Objects[i].Until)
	}
	return time.Time{}
}

func (s *State) objectAt(name string, writes bool) int {
	if name == "" {
		return -1
	}
	return slices.IndexFunc(s.Objects, func(o Object) bool { return o.Name == name && o.Writes == writes })
}

// setObject replaces an entry: states share their lists.
func (s *State) setObject(i int, o Object) {
	s.Objects = slices.Clone(s.Objects)
	s.Objects[i] = o
}

// objectHeld holds a call back whose first step is about a closed object, or about
// one that another call is asking.
func (s *State) objectHeld(p Policy, now, open int64, a weir.Ask) (weir.Decision, bool) {
	i := s.objectAt(a.Object, a.Mutates)
	if i < 0 || s.Objects[i].Strikes <= 0 {
		return weir.Decision{}, false
	}
	o := s.Objects[i]
	until, evidence := o.Until, o.evidence()
	if asked := now - o.ProbeAt; until <= now && o.ProbeAt > 0 && asked < objectLease && (open > 0 || asked < unclaimedLease) {
		// As long again as it has been asked: it waits for nobody twice as long.
		until = after(now, max(time.Duration(asked), p.Base, time.Millisecond))
		evidence = append(evidence, at("probe-since", o.ProbeAt))
	}
	if until <= now {
		return weir.Decision{}, false
	}
	d := park(deadlineOf(a.DueAt, 0), until, o.Cause, evidence)
	d.Object = o.Name
	return d, true
}

// objectAsked notes the one call that asks about an object which was closed.
func (s *State) objectAsked(now int64, a weir.Ask) {
	i := s.objectAt(a.Object, a.Mutates)
	if i < 0 || s.Objects[i].Strikes <= 0 {
		return
	}
	o := s.Objects[i]
	o.ProbeAt = now
	s.setObject(i, o)
}

// objectsAnswered records what a call says of the objects that it was about. One
// that did something ends the row of its failures; if it was sent since the object
// closed, the strikes are halved, as of an org that takes calls again.
func (s *State) objectsAnswered(x event) {
	if i := s.objectAt(x.object, x.writes); i >= 0 && s.Objects[i].ProbeAt > 0 && x.cost > 0 && x.sent >= s.Objects[i].ProbeAt {
		o := s.Objects[i]
		o.ProbeAt = 0
		s.setObject(i, o)
	}
	for _, name := range x.answered {
		i := s.objectAt(name, x.writes)
		if i < 0 || s.Objects[i].Strikes > 0 && x.sent <= s.Objects[i].CutAt {
			continue
		}
		o := s.Objects[i]
		o.Fails, o.Strikes = 0, o.Strikes/2
		if o.Strikes > 0 {
			s.setObject(i, o)
			continue
		}
		s.Objects = slices.Delete(slices.Clone(s.Objects), i, i+1)
		if len(s.Objects) == 0 {
			s.Objects = nil // as if it had never failed
		}
	}
}

// objectFailed counts a failure that concerns one object, and overrules what was
// decided for its step once the object is broken. A lock is none: it has a budget of
// its own, and is one record's. What a read-back found was counted as the write.
func (s *State) objectFailed(p Policy, x event, d weir.Decision) weir.Decision {
	counts := x.fault.Category == weir.PlatformFault || x.fault.Category == weir.QueryTimeout
	if !counts || x.object == "" {
		return d
	}
	tells := false
	i := s.objectAt(x.object, x.writes)
	if !x.readBack {
		if i = s.objectPlace(x, i); i < 0 {
			return d
		}
		o := s.Objects[i]
		o.Fails, o.Cause, o.FailAt = min(o.Fails+1, maxStrikes), x.fault.Category, x.now
		if o.Fails >= objectAfter && x.sent > o.CutAt {
			if o.Strikes <= 0 {
				o.Strikes, o.ToldAt = 0, x.now
			}
			if tells = x.now-o.ToldAt >= objectTells; tells {
				o.ToldAt = x.now
			}
			o.Until = after(x.now, Backoff(p, o.Strikes, x.jitter))
			o.Strikes, o.CutAt, o.ProbeAt = min(o.Strikes+1, maxStrikes), x.now, 0
		}
		s.setObject(i, o)
	}
	if i < 0 || !s.Objects[i].broken() {
		return d
	}
	o := s.Objects[i]
	until := max(o.Until, after(x.now, Backoff(p, 0, x.jitter)))
	if x.fault.Effect == weir.EffectUnknown {
		until = after(x.now, Backoff(p, 0, x.jitter)) // it is read back first, whatever becomes of writes
	}
	d = park(x.due, until, x.fault.Category, o.evidence())
	d.Object, d.Spared = o.Name, true
	if tells && d.Ruling == weir.WaitUntil {
		d.Ruling = weir.DeadLetter
	}
	return d
}

// objectPlace finds or makes the entry of an object that failed. The one that
// failed least lately gives way, if it is not closed.
func (s *State) objectPlace(x event, i int) int {
	if i >= 0 {
		return i
	}
	s.Objects = slices.Clone(s.Objects)
	if len(s.Objects) >= objectsKept {
		old := -1
		for k, o := range s.Objects {
			if o.Strikes <= 0 && (old < 0 || o.FailAt < s.Objects[old].FailAt) {
				old = k
			}
		}
		if old < 0 {
			return -1
		}
		s.Objects = slices.Delete(s.Objects, old, old+1)
	}
	s.Objects = append(s.Objects, Object{Name: x.object, Writes: x.writes})
	return len(s.Objects) - 1
}
