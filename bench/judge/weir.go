package judge

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// Result is what one policy made of one scenario.
type Result struct {
	Policy   string
	Scenario string
	Seed     uint64
	Text     string
	Makespan time.Duration
	Optimum  time.Duration
	Count    Count
	Begun    int           // pieces of work that a first call was sent for
	P50, P99 time.Duration // of a call, from the moment a worker took it
	Finished bool
}

// Ratio is makespan over the offline optimum.
func (r Result) Ratio() float64 { return float64(r.Makespan) / float64(r.Optimum) }

// Rejected is the share of calls that were refused.
func (r Result) Rejected() float64 { return float64(r.Count.Rejected) / float64(max(r.Count.Calls, 1)) }

// Retries is the share of calls that were sent again after a refusal.
func (r Result) Retries() float64 {
	return float64(max(r.Count.Calls-r.Begun, 0)) / float64(max(r.Count.Calls, 1))
}

// attemptsMost ends a run of a policy that only hammers.
func attemptsMost(sc *Scenario) int { return 4 * sc.Calls }

// epoch is when all runs begin.
var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // Go has no constant times

// Weir does the work with the real governor: its slots are the workers, and a
// call waits as a row would, so that each wait ends exactly when it was told.
func Weir(sc *Scenario, learn bool) Result {
	r := newRun(sc, learn)
	r.loop()
	r.w.Settle(r.now)
	res := Result{
		Scenario: sc.Name, Seed: sc.Seed, Text: sc.Text,
		Makespan: r.end, Optimum: Optimum(sc), Count: r.w.Count, Begun: r.begun, Finished: r.todo == 0,
	}
	res.P50, res.P99 = quantiles(r.took)
	return res
}

type run struct {
	sc  *Scenario
	p   governor.Policy
	s   governor.State
	w   *World
	rng *rand.Rand

	now     time.Duration
	todo    int
	waiting []piece // of work, that were refused or held
	begun   int
	open    calls
	end     time.Duration
	took    []time.Duration
	trace   func(now time.Duration, s governor.State, what string)
}

// lawful is the time that the law gives a request, longer than any scenario:
// every step has a due date.
const lawful = 30 * 24 * time.Hour

func newRun(sc *Scenario, learn bool) run {
	p := governor.DefaultPolicy()
	p.LearnRate = learn
	p.Slots = sc.Workers
	return run{sc: sc, p: p, w: NewWorld(sc), rng: rng(sc), todo: sc.Calls}
}

// piece is one call's worth of work.
type piece struct {
	since time.Duration // it waits to be done
	again bool          // it was sent before
}

type call struct {
	piece

	at, sent time.Duration
	answer   Answer
}

// loop sends what may be sent, then goes to the next event.
func (r *run) loop() {
	wake := time.Duration(0)
	for r.todo > 0 || len(r.open) > 0 {
		if r.w.Count.Calls >= attemptsMost(r.sc) || r.sc.over(r.now) {
			return
		}
		wake = forever
		for r.todo > len(r.open) && len(r.open) < r.sc.Workers {
			if at := r.comes(); at > r.now {
				wake = at
				break
			}
			until, sent := r.send()
			if !sent {
				wake = until
				break
			}
		}
		if len(r.open) > 0 && r.open[0].at <= wake {
			r.now = r.open[0].at
			r.finish(heap.Pop(&r.open).(call))
			continue
		}
		r.now = max(wake, r.now+1)
	}
}

// comes is when the next call's work is there.
func (r *run) comes() time.Duration {
	return r.sc.Every * time.Duration(r.sc.Calls-r.todo+len(r.open))
}

func (r *run) send() (time.Duration, bool) {
	var d weir.Decision
	r.s, d = governor.Admit(r.p, r.s, weir.Ask{
		Now: epoch.Add(r.now), Cost: 1, InFlight: len(r.open), Long: r.long(), DueAt: epoch.Add(lawful),
	})
	if len(r.waiting) == 0 {
		r.waiting = append(r.waiting, piece{since: r.now})
	}
	if d.Ruling != weir.Proceed {
		return d.Wait.Until.Sub(epoch), false
	}
	next := r.waiting[0]
	r.waiting = r.waiting[1:]
	if !next.again {
		r.begun++
	}
	a := r.w.Arrive(r.now)
	heap.Push(&r.open, call{piece: next, at: r.now + a.Took, sent: r.now, answer: a})
	return 0, true
}

// long counts our calls that have been open for 20 s.
func (r *run) long() int {
	n := 0
	for _, c := range r.open {
		if r.now-c.sent >= longCall {
			n++
		}
	}
	return n
}

func (r *run) finish(c call) {
	o := weir.Outcome{
		Now: epoch.Add(r.now), SentAt: epoch.Add(c.sent), Cost: 1, Jitter: r.rng.Uint32(), InFlight: len(r.open),
	}
	if c.answer.Limit > 0 {
		o.Readings = []weir.Reading{{Kind: weir.ReadDaily, Used: c.answer.Used, Limit: c.answer.Limit, At: o.Now}}
	}
	if c.answer.Reject != Taken {
		o.Fault, o.Long = fault(c.answer), r.long()
		r.waiting = append([]piece{{c.since, true}}, r.waiting...)
	} else {
		r.todo--
		r.end = r.now
		r.took = append(r.took, r.now-c.since)
	}
	r.s, _ = governor.Observe(r.p, r.s, o)
	if r.trace != nil {
		r.trace(r.now, r.s, string(c.answer.Reject))
	}
}

func fault(a Answer) *weir.Fault {
	f := &weir.Fault{Scope: weir.ScopeOrg, Effect: weir.EffectNone, Status: 403, RetryAfter: a.RetryAfter}
	switch a.Reject {
	case Taken:
	case Burst:
		f.Category, f.Status = weir.ThrottledBurst, 429
	case Concurrent:
		f.Category = weir.ThrottledConcurrent
	case Daily:
		f.Category = weir.ThrottledDaily
	}
	return f
}

func quantiles(d []time.Duration) (p50, p99 time.Duration) {
	if len(d) == 0 {
		return 0, 0
	}
	slices.Sort(d)
	return d[len(d)/2], d[len(d)*99/100]
}

// calls is a heap of open calls, the next to end first.
type calls []call

func (c calls) Len() int           { return len(c) }
func (c calls) Less(i, j int) bool { return c[i].at < c[j].at }
func (c calls) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *calls) Push(x any)        { *c = append(*c, x.(call)) }
func (c *calls) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// rng draws the jitter of a run.
func rng(sc *Scenario) *rand.Rand { return rand.New(rand.NewPCG(sc.Seed, 42)) }
