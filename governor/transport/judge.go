package transport

import (
	"context"
	"time"

	"github.com/weirhq/weir"
)

// judge asks the governor: the one in this process, or a running weir's.
type judge interface {
	// enter asks whether a call may be sent now. When it says goes, the call
	// counts as in flight until end.
	enter(ctx context.Context, c *call) (answer, error)
	// observe tells what the call gave. While its answer is open the call stays
	// in flight until end.
	observe(ctx context.Context, c *call, o weir.Outcome, open bool) weir.Decision
	// end says that the call's answer has been read, closed or given up.
	end(c *call)
	// renewed says that the client has got new credentials.
	renewed()
	// gate is the instant until which the org takes no call at all, tokens
	// included; zero when it does.
	gate() answer
	// token tells what a call to the token endpoint gave.
	token(o weir.Outcome)
	close() error
	// instant says whether enter is arithmetic: then it may be asked without a
	// place in the queue.
	instant() bool
}

// ruling is what a judge may say.
type ruling int

const (
	goes    ruling = iota // send it now
	crowded               // for our own slots, pace or probe: ask again when one ends, or at the time
	parked                // for the org: nothing goes before the time
)

// answer is a judge's answer.
type answer struct {
	ruling   ruling
	until    time.Time
	class    weir.Category
	evidence []weir.Evidence
}

// noDue stands in asks and outcomes for "no deadline". Its outcome belongs to a
// call of a program and not to a renewal of the token, which has neither cost
// nor due date; see governor.Observe.
var noDue = time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // constant; Go has no constant times

// read turns the decision about an ask that was due at once into an answer.
// The governor makes a dead letter of a wait for the org that would end after
// the due date, and of no other: so such an ask tells the two kinds of wait
// apart. Who can live with which wait is then decided in the queue.
func read(d weir.Decision) answer {
	a := answer{until: d.Wait.Until, class: d.Wait.Cause, evidence: d.Wait.Evidence}
	switch d.Ruling {
	case weir.Proceed:
		a.ruling = goes
	case weir.DeadLetter:
		a.ruling = parked
		kept := a.evidence[:0:0]
		for _, e := range a.evidence {
			switch e.Name {
			case "cause":
				a.class = weir.Category(e.Value)
			case "latest":
			default:
				kept = append(kept, e)
			}
		}
		a.evidence = kept
	default:
		a.ruling = crowded
	}
	return a
}

// deferred makes the error of a call that cannot wait that long.
func (t *Transport) deferred(a answer, cause error) *DeferredError {
	return &DeferredError{Org: t.opt.Org, Until: a.until, Class: a.class, Evidence: a.evidence, cause: cause}
}
