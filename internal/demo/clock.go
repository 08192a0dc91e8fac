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
}

// NewClock starts a clock that runs so many times as fast as the wall's.
func NewClock(start time.Time, speed float64) *Clock {
	return &Clock{at: start, since: time.Now(), speed: speed}
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
	wall := time.Duration(float64(d) / c.speed)
	c.mu.Unlock()
	timer := time.NewTimer(wall)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
