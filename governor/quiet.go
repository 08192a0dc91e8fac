package governor

import (
	"time"

	"github.com/weirhq/weir"
)

// Quiet hours are a part of the day in which our share is another one than
// otherwise: smaller where an org's own batches run at night, larger where
// nobody else works then. The shell knows zones and summer time; an ask brings
// whether it is quiet now and when that turns, so that a decision can be
// recomputed without them. The floor and the neighbours' room stay.

// turned shortens the wait for our share where the one that is in force after
// the next turn leaves room sooner. Where that one is smaller, the wait may end too
// early, and the question is asked again; it never ends too late, or a step would
// be given up that can be in time.
func (s *State) turned(p Policy, now, need int64, a weir.Ask, lack shortage) shortage {
	turns := nanos(a.TurnsAt)
	if !lack.share || turns <= now {
		return lack
	}
	if a.Quiet {
		lack.evidence = append(lack.evidence, at("quiet-until", turns))
	}
	until, sure := turns, true
	if over := s.Own.window(now) + need - p.During(!a.Quiet).share(s.Daily.Limit); over > 0 {
		until, sure = s.ownReturns(now, over, after(now, windowMinutes*time.Minute))
		until = max(until, turns)
	}
	if until >= lack.until {
		return lack
	}
	if !a.Quiet {
		lack.evidence = append(lack.evidence, at("quiet-from", turns))
	}
	lack.until, lack.sure = until, sure
	return lack
}
