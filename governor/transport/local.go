package transport

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// local keeps the governor's state in this process. The pure core decides; here
// are the lock, the clock, the dice and the count of open calls.
type local struct {
	opt Options

	mu    sync.Mutex
	state governor.State
	open  calls
	saver saver
}

func newLocal(o Options) (*local, error) {
	l := &local{opt: o, saver: saver{memory: o.Memory}}
	if o.Memory == nil {
		return l, nil
	}
	state, err := o.Memory.Load()
	if err != nil {
		return nil, fmt.Errorf("load the governor's state: %w", err)
	}
	l.state = state
	return l, nil
}

// unlock ends what may have changed the state, and saves it when that is due:
// not under the lock.
func (l *local) unlock() {
	due := l.saver.due
	l.saver.due = false
	l.mu.Unlock()
	if due {
		l.save()
	}
}

func (l *local) save() {
	l.saver.mu.Lock()
	defer l.saver.mu.Unlock()
	l.mu.Lock()
	state := l.state
	l.mu.Unlock()
	l.saver.err = l.saver.memory.Save(state)
}

// close saves the state for the last time.
func (l *local) close() error {
	if l.saver.memory == nil {
		return nil
	}
	l.save()
	l.saver.mu.Lock()
	defer l.saver.mu.Unlock()
	if l.saver.err != nil {
		return fmt.Errorf("save the governor's state: %w", l.saver.err)
	}
	return nil
}

func (l *local) instant() bool { return true }

func (l *local) enter(_ context.Context, c *call) (answer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.opt.Now()
	a := l.ask(now, c.cost)
	if a.ruling == crowded && l.open.reap(now) {
		a = l.ask(now, c.cost)
	}
	if a.ruling == goes {
		c.sent = now
		l.open.add(c)
	}
	return a, nil
}

func (l *local) ask(now time.Time, cost int) answer {
	ask := weir.Ask{Now: now, Cost: cost, InFlight: l.open.n, Long: l.open.long(now), DueAt: now}
	next, d := governor.Admit(l.opt.Policy, l.state, ask)
	if l.opt.Record != nil {
		kept := ask // only what is recorded is kept on the heap
		l.record(Record{Ask: &kept, Decision: d})
	}
	l.state = next
	return read(d)
}

func (l *local) observe(_ context.Context, c *call, o weir.Outcome, open bool) weir.Decision {
	l.mu.Lock()
	defer l.unlock()
	c.answered = o.Now
	o.InFlight = l.open.n - 1 // an unanswered call is never reaped
	if !open {
		l.open.drop(c)
	}
	if f := o.Fault; f != nil && f.Category == weir.ThrottledConcurrent {
		o.Long = l.open.long(o.Now)
	}
	return l.learn(o)
}

func (l *local) learn(o weir.Outcome) weir.Decision {
	o.Jitter = l.opt.Jitter()
	before := l.state.Gate.Until
	next, d := governor.Observe(l.opt.Policy, l.state, o)
	if l.opt.Record != nil {
		l.record(Record{Outcome: recorded(o), Decision: d})
	}
	l.state = next
	l.saver.note(o.Now, next.Gate.Until != before)
	return d
}

// recorded copies an outcome whose readings lie in the call's own buffer.
func recorded(o weir.Outcome) *weir.Outcome {
	o.Readings = append([]weir.Reading(nil), o.Readings...)
	return &o
}

func (l *local) record(r Record) {
	r.Before = governor.Hash(l.state)
	l.opt.Record(r)
}

func (l *local) end(c *call) {
	l.mu.Lock()
	defer l.unlock()
	l.open.drop(c)
	now := l.opt.Now()
	if now.Sub(c.sent) >= longCall && c.answered.Sub(c.sent) < longCall {
		// The answer began in time and then took long: that too makes a long call.
		l.learn(weir.Outcome{Now: now, SentAt: c.sent, DueAt: noDue, InFlight: l.open.n})
	}
}

func (l *local) renewed() {
	l.mu.Lock()
	defer l.unlock()
	now := l.opt.Now()
	l.learn(weir.Outcome{Now: now, SentAt: now, InFlight: l.open.n})
}

func (l *local) token(o weir.Outcome) {
	l.mu.Lock()
	defer l.unlock()
	o.InFlight = l.open.n
	l.learn(o)
}

func (l *local) gate() answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.state.Gate
	if until := time.Unix(0, g.Until); until.After(l.opt.Now()) {
		return answer{ruling: parked, until: until, class: g.Cause, evidence: g.Evidence}
	}
	return answer{}
}

func (l *local) look() governor.View {
	l.mu.Lock()
	defer l.mu.Unlock()
	return governor.Look(l.opt.Policy, l.state, l.opt.Now())
}
