package emulator

import (
	"slices"
	"time"
)

// day is the window of the allocation: the 24 hours before each call. Nothing
// is reset at midnight.
const day = 24 * time.Hour

// ring counts calls in a trailing window. Moments come in ascending order.
type ring struct {
	spent []spending
	total int
}

type spending struct {
	at time.Time
	n  int
}

func (g *ring) add(at time.Time, n int) {
	if n <= 0 {
		return
	}
	g.total += n
	if last := len(g.spent) - 1; last >= 0 && g.spent[last].at.Equal(at) {
		g.spent[last].n += n
		return
	}
	g.spent = append(g.spent, spending{at, n})
}

// used is what the 24 hours before now hold.
func (g *ring) used(now time.Time) int { return g.within(now, day) }

func (g *ring) within(now time.Time, window time.Duration) int {
	gone := 0
	for gone < len(g.spent) && now.Sub(g.spent[gone].at) >= window {
		g.total -= g.spent[gone].n
		gone++
	}
	if gone > 0 {
		g.spent = slices.Delete(g.spent, 0, gone)
	}
	return g.total
}

// reported is what a counter that lags behind shows.
func (g *ring) reported(now time.Time, lag time.Duration) int {
	total := g.used(now)
	for i := len(g.spent) - 1; i >= 0 && lag > 0 && now.Sub(g.spent[i].at) < lag; i-- {
		total -= g.spent[i].n
	}
	return total
}
