package transport

import (
	"container/heap"
	"sync"
	"sync/atomic"
	"time"
)

// queue holds the calls that wait, the most urgent first. Only the first one
// asks the judge; the others sleep until they are first, until their time is
// over, or until the first one has learnt that they will not be in time.
type queue struct {
	waiting atomic.Int32 // so that a call that finds nobody waiting takes no lock

	mu     sync.Mutex
	places places
	came   uint64
}

// place is one call's place in the queue.
type place struct {
	order
	due   time.Time // the last instant at which it may be sent; zero = any
	came  uint64
	index int           // in the heap; -1 = it has left
	turn  chan struct{} // something has changed: look again
	late  *answer       // the wait that it would not survive
}

func (q *queue) empty() bool { return q.waiting.Load() == 0 }

func (q *queue) join(o order, due time.Time) *place {
	p := &place{order: o, due: due, turn: make(chan struct{}, 1)}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.came++
	p.came = q.came
	heap.Push(&q.places, p)
	q.waiting.Add(1)
	return p
}

// leave gives the place up and calls the next one.
func (q *queue) leave(p *place) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remove(p)
	q.callFirst()
}

func (q *queue) remove(p *place) {
	if p.index >= 0 {
		heap.Remove(&q.places, p.index)
		q.waiting.Add(-1)
	}
}

// first says whether it is the place's turn to ask, and what it has been told.
func (q *queue) first(p *place) (bool, *answer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.places) > 0 && q.places[0] == p, p.late
}

// kick lets the first one ask again: a call has ended, or something was learnt.
func (q *queue) kick() {
	if q.empty() {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.callFirst()
}

// callAll lets everybody look again.
func (q *queue) callAll() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range q.places {
		p.call()
	}
}

func (q *queue) callFirst() {
	if len(q.places) > 0 {
		q.places[0].call()
	}
}

// park sends home everybody whose time is over before the org takes calls
// again.
func (q *queue) park(a answer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var late []*place
	for _, p := range q.places {
		if !p.due.IsZero() && p.due.Before(a.until) {
			late = append(late, p)
		}
	}
	for _, p := range late {
		p.late = &a
		q.remove(p)
		p.call()
	}
}

func (p *place) call() {
	select {
	case p.turn <- struct{}{}:
	default: // it was called already and has not looked yet
	}
}

// places implements heap.Interface: higher priority, then earlier deadline,
// then who came first.
type places []*place

func (h places) Len() int { return len(h) }

func (h places) Less(i, j int) bool {
	a, b := h[i], h[j]
	switch {
	case a.priority != b.priority:
		return a.priority > b.priority
	case a.due.IsZero() != b.due.IsZero():
		return b.due.IsZero()
	case !a.due.Equal(b.due):
		return a.due.Before(b.due)
	}
	return a.came < b.came
}

func (h places) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *places) Push(x any) {
	p := x.(*place) //nolint:forcetypeassert // heap.Push is called in join only
	p.index = len(*h)
	*h = append(*h, p)
}

func (h *places) Pop() any {
	old := *h
	p := old[len(old)-1]
	old[len(old)-1] = nil
	*h, p.index = old[:len(old)-1], -1
	return p
}
