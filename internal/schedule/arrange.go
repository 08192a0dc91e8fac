package schedule

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// Job is one open request as the schedule sees it.
type Job struct {
	ID    weir.RequestID
	Due   time.Time
	Calls int64 // that it still costs, as far as known; at least 1 is counted
	Right weir.Right
	Risk  weir.Risk
	Shed  bool // the last arrangement gave it up

	Urgent bool // goes before all that are not
}

// Place is a job's place in an arrangement.
type Place struct {
	Job
	Shed   bool      // not among those that can all be in time
	Finish time.Time // when it will be done in this order; zero when that is not in sight
	Short  int64     // calls that are lacking at its due date; 0 when it is in time
}

// Arrange orders the jobs: first the urgent ones, by due date, which get their
// calls from a supply of their own. Of the others those come next that can all be
// in time, by due date, and then the rest by due date. No other choice keeps more of
// them (Moore and Hodgson 1968; the axis of time is that of cumulative calls,
// which every supply turns into). Of two jobs that cost the same, the one that is
// given up first is the one with the lower risk: an access request before an
// erasure, a normal one before one that was declared risky.
//
// What the urgent ones use is missing to the others. One that will be late is
// marked as such, and goes first all the same.
//
// A job that was given up before is counted a tenth dearer, so that a small
// change of the forecast does not move it to and fro.
func Arrange(jobs []Job, supply, urgent Supply) []Place {
	order := make([]*Job, len(jobs)) // moving jobs about took most of the time
	for i := range jobs {
		order[i] = &jobs[i]
	}
	slices.SortFunc(order, byDue)
	places := make([]Place, 0, len(jobs))
	done := int64(0)
	add := func(j *Job, from Supply, shed bool) {
		p := Place{Job: *j, Shed: shed}
		p.Finish, _ = from.When(done)
		if shed {
			p.Short = max(done-from.By(j.Due), 1)
		}
		places = append(places, p)
	}
	var rest []*Job
	for _, j := range order {
		if !j.Urgent {
			rest = append(rest, j)
			continue
		}
		done += cost(j)
		add(j, urgent, done > urgent.By(j.Due))
	}
	gone := givenUp(rest, supply, done)
	for _, shed := range []bool{false, true} {
		for _, j := range rest {
			if gone[j] == shed {
				done += cost(j)
				add(j, supply, shed)
			}
		}
	}
	return places
}

// givenUp takes the jobs in the order of their due dates and, whenever one
// would be late, gives up the dearest of those taken so far. So many calls are
// spent before the first.
func givenUp(order []*Job, supply Supply, spent int64) map[*Job]bool {
	var in dearest
	gone := map[*Job]bool{}
	for _, j := range order {
		heap.Push(&in, j)
		spent += weight(j)
		for len(in) > 0 && spent > supply.By(j.Due) {
			out := heap.Pop(&in).(*Job) //nolint:forcetypeassert // the heap holds jobs only
			spent -= weight(out)
			gone[out] = true
		}
	}
	return gone
}

func cost(j *Job) int64 { return min(max(j.Calls, 1), maxCalls) }

func weight(j *Job) int64 {
	c := cost(j)
	if j.Shed {
		c += (c + 9) / 10
	}
	return c
}

func byDue(a, b *Job) int {
	return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID))
}

// dearest is a heap of jobs with the one on top that is given up first.
type dearest []*Job

func (h dearest) Len() int      { return len(h) }
func (h dearest) Swap(i, k int) { h[i], h[k] = h[k], h[i] }
func (h *dearest) Push(x any)   { *h = append(*h, x.(*Job)) } //nolint:forcetypeassert // only keep pushes

func (h dearest) Less(i, k int) bool {
	a, b := h[i], h[k]
	return cmp.Or(
		cmp.Compare(weight(b), weight(a)),
		cmp.Compare(gravity(a), gravity(b)),
		cmp.Compare(b.ID, a.ID),
	) < 0
}

func (h *dearest) Pop() any {
	last := len(*h) - 1
	j := (*h)[last]
	*h = (*h)[:last]
	return j
}

// gravity is how much it matters that a job is in time, among those that cost
// the same: the order of design section 11.
func gravity(j *Job) int {
	g := 0
	if j.Right == weir.Erasure || j.Right == weir.OptOut {
		g += 2
	}
	if j.Risk == weir.RiskHigh {
		g++
	}
	return g
}
