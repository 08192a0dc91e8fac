package governor

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// longSeen is how long people are told that calls run long after the last that did.
const longSeen = 10 * time.Minute

// slowSeen is how long an object counts as slow after the last long call about it.
const slowSeen = 24 * time.Hour

// slowKept bounds the state; the one whose last long call is oldest gives way.
const slowKept = 16

// A long call weighs a quarter in its object's share, and so does a short one.
// Below slowLeast the object is no longer slow: four short calls after one long
// one, or nine of ten calls in the long run.
const (
	slowWeight = 4
	slowLeast  = 100
)

// Long is what is known of calls that stay open for 20 s or longer. Salesforce
// counts these, everybody's, and refuses every new call of the org while there
// are as many as it allows (wire reference, section 1.5). It does not say how
// many there are: we know our own, and what it refused.
type Long struct {
	Cap    int    `json:"cap,omitempty"`     // fewer of ours may be open while others are sent; 0 = as many as the policy says
	CapAt  int64  `json:"cap_at,omitempty"`  // when it was cut or last grew
	Held   bool   `json:"held,omitempty"`    // everybody waited for one to end, and no call has been taken since
	SeenAt int64  `json:"seen_at,omitempty"` // when one was last seen
	Slow   []Slow `json:"slow,omitempty"`    // objects about which calls run long
}

// Slow is an object about which calls of late ran long: its next one will, too.
type Slow struct {
	Name   string `json:"name"`
	Writes bool   `json:"writes,omitempty"`
	Share  int    `json:"share"` // of the calls about it that ran long, per mille; newer ones weigh more
	At     int64  `json:"at"`    // when one last did
}

// SlowObjects lists what the calls are about that run long.
func SlowObjects(s State) []Slow { return slices.Clone(s.Long.Slow) }

// RunsLong says whether calls about an object, that change it or that do not,
// run long. Such a call goes without steps about others, so that none waits with it.
func RunsLong(s State, name string, writes bool) bool { return s.Long.slowAt(name, writes) >= 0 }

func (l *Long) slowAt(name string, writes bool) int {
	if name == "" {
		return -1
	}
	return slices.IndexFunc(l.Slow, func(o Slow) bool { return o.Name == name && o.Writes == writes })
}

// longCap is how many of our calls may be open for 20 s while others are sent.
func (s *State) longCap(p Policy) int64 {
	c := max(p.LongCap, 1)
	if s.Long.Cap > 0 {
		c = min(c, s.Long.Cap)
	}
	return int64(c)
}

// slowHeld holds back a call that will run long, when it would be the last that
// the org takes: then everybody's calls would be refused for as long as it runs
// (performance reference, section 7, line 15). One may always go.
func (s *State) slowHeld(p Policy, now int64, a weir.Ask) (weir.Decision, bool) {
	i := s.Long.slowAt(a.Object, a.Mutates)
	if i < 0 {
		return weir.Decision{}, false
	}
	long, room := clampCalls(a.Long)+clampCalls(a.Likely), max(s.longCap(p)-1, 1)
	if long < room {
		return weir.Decision{}, false
	}
	d := waitFor(after(now, max(p.Base, slowAgain)), weir.ThrottledConcurrent, []weir.Evidence{
		{Name: "object", Value: a.Object},
		number("ran-long-per-mille", int64(s.Long.Slow[i].Share)),
		number("open-20s", clampCalls(a.Long)), number("likely", clampCalls(a.Likely)), number("long-cap", s.longCap(p)),
	})
	d.Object = a.Object
	return d, true
}

// slowAgain is after how long is looked again for the end of a long call: a
// quarter of the least that it takes.
const slowAgain = 5 * time.Second

// ranLong learns from one call how long those about its objects run. What was
// refused was short and says nothing.
func (s *State) ranLong(x event) {
	long := x.now-x.sent >= longCall
	if long {
		s.Long.SeenAt = x.now
	}
	switch {
	case x.cost <= 0: // an element of a call, of which the whole has been observed
	case long:
		s.Long.slower(x, x.object)
		for _, name := range x.answered {
			if name != x.object {
				s.Long.slower(x, name)
			}
		}
	default:
		for _, name := range x.answered {
			s.Long.quicker(x, name)
		}
	}
}

func (l *Long) slower(x event, name string) {
	if name == "" {
		return
	}
	i := l.slowAt(name, x.writes)
	l.Slow = slices.Clone(l.Slow) // states share their lists
	if i < 0 {
		if len(l.Slow) >= slowKept {
			oldest := 0
			for k, o := range l.Slow {
				if o.At < l.Slow[oldest].At {
					oldest = k
				}
			}
			l.Slow = slices.Delete(l.Slow, oldest, oldest+1)
		}
		l.Slow = append(l.Slow, Slow{Name: name, Writes: x.writes})
		i = len(l.Slow) - 1
	}
	o := &l.Slow[i]
	o.Share, o.At = o.Share+(perMille-o.Share)/slowWeight, x.now
}

func (l *Long) quicker(x event, name string) {
	i := l.slowAt(name, x.writes)
	if i < 0 {
		return
	}
	l.Slow = slices.Clone(l.Slow)
	if l.Slow[i].Share -= l.Slow[i].Share / slowWeight; l.Slow[i].Share < slowLeast {
		l.forget(func(o Slow) bool { return o.Name == name && o.Writes == x.writes })
	}
}

func (l *Long) forget(which func(Slow) bool) {
	if !slices.ContainsFunc(l.Slow, which) {
		return
	}
	if l.Slow = slices.DeleteFunc(slices.Clone(l.Slow), which); len(l.Slow) == 0 {
		l.Slow = nil // as if there had never been one
	}
}

// crowdedByLong handles a refusal while calls of ours were open for 20 s: with
// those of others they were as many as the org allows, so that one fewer of ours
// leaves it room. The others may come and go: the cap grows back.
func (s *State) crowdedByLong(p Policy, x event) []weir.Evidence {
	s.Long.Cap, s.Long.CapAt = int(min(x.long, s.longCap(p))), x.now
	return []weir.Evidence{number("long-cap", int64(s.Long.Cap)), number("open-20s", x.long)}
}

func (l *Long) tick(p Policy, now int64) {
	if l.Cap > 0 && p.Regrow > 0 && now > l.CapAt {
		grown := min((now-l.CapAt)/int64(p.Regrow), int64(max(p.LongCap, 1)))
		l.Cap += int(grown)
		l.CapAt += grown * int64(p.Regrow)
		if l.Cap >= max(p.LongCap, 1) {
			l.Cap, l.CapAt = 0, 0
		}
	}
	if l.SeenAt > 0 && now-l.SeenAt >= int64(longSeen) {
		l.SeenAt = 0
	}
	l.forget(func(o Slow) bool { return now-o.At >= int64(slowSeen) })
}
