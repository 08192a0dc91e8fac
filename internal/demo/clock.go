package demo

import (
	"context"
	"sync"
	"time"
)

// Clock is the demonstration's time. It begins in the past and runs faster
// than the wall's, so that what it stamps still lies in the past when somebody
// reads it afterwards. It never goes back.
type Clock struct {
	mu    sync.Mutex
	at    time.Time // its time when the wall showed since
	since time.Time
	speed float64
	jumps bool // whoever sleeps on it moves it instead
}

// NewClock makes a clock that stands still until SetSpeed. With jumps, whoever
// sleeps on it passes the time at once.
func NewClock(start time.Time, jumps bool) *Clock {
	return &Clock{at: start, since: time.Now(), jumps: jumps}
}

// Now is the demonstration's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	return c.at.Add(time.Duration(float64(time.Since(c.since)) * c.speed))
}

// SetSpeed goes on from now at another speed.
func (c *Clock) SetSpeed(speed float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.since = c.now(), time.Now()
	c.speed = speed
}

// SkipTo goes on from a later time. An earlier one changes nothing.
func (c *Clock) SkipTo(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); t.After(now) {
		c.at, c.since = t, time.Now()
	}
}

// Sleep waits until so much of the demonstration's time has passed.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	speed, end := c.speed, c.now().Add(d)
	c.mu.Unlock()
	if c.jumps || speed <= 0 {
		c.SkipTo(end)
		return context.Cause(ctx)
	}
	timer := time.NewTimer(time.Duration(float64(d) / speed))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
