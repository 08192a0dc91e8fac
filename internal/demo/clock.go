package demo

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Clock is the demonstration's time. It begins in the past, so that what it
// stamps still lies in the past when somebody reads it afterwards, and it never
// goes back.
//
// It runs at two speeds. While everything waits it runs fast, so that a day
// passes in seconds. From the moment a call is sent until all is quiet again it
// runs at the lower one: at the higher, the few milliseconds that a call and
// its transaction take would be minutes, and the org and weir would judge each
// other by delays that nobody has.
type Clock struct {
	mu    sync.Mutex
	at    time.Time // its time when the wall showed since
	since time.Time
	speed float64 // now

	working, waiting float64 // the two speeds
	open             int     // calls under way
	calls            uint64  // calls begun so far
	jumps            bool    // whoever sleeps on it moves it instead
}

// workingSpeed is the lower speed: a second is a minute.
const workingSpeed = 60

// NewClock makes a clock that stands still until Run. Speed is the higher
// speed; at 0 the clock runs with the wall's, and whoever sleeps on it passes
// the time at once.
func NewClock(start time.Time, speed float64) *Clock {
	c := &Clock{at: start, since: time.Now(), working: min(workingSpeed, speed), waiting: speed}
	if speed <= 0 {
		c.working, c.waiting, c.jumps = 1, 1, true
	}
	return c
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

func (c *Clock) setSpeed(speed float64) {
	c.at, c.since = c.now(), time.Now()
	c.speed = speed
}

// Run lets time pass at the lower speed.
func (c *Clock) Run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setSpeed(c.working)
}

// Rest lets time pass as on the wall: somebody is awaited. A call ends it.
func (c *Clock) Rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == 0 {
		c.setSpeed(1)
	}
}

// Slow says whether the clock does not run at its higher speed, and how many
// calls have begun so far.
func (c *Clock) Slow() (calls uint64, slow bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls, c.speed < c.waiting
}

// Hurry goes on at the higher speed, unless a call has begun since Slow.
func (c *Clock) Hurry(calls uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == 0 && c.calls == calls {
		c.setSpeed(c.waiting)
	}
}

// SkipTo goes on from a later time. An earlier one changes nothing.
func (c *Clock) SkipTo(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); t.After(now) {
		c.at, c.since = t, time.Now()
	}
}

// Sleep waits until so much of the demonstration's time has passed. The org
// sleeps on it while a call is under way, at the lower speed.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if c.jumps {
		c.SkipTo(c.Now().Add(d))
		return context.Cause(ctx)
	}
	timer := time.NewTimer(time.Duration(float64(d) / c.working))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// paced tells the clock of every call that goes through it.
type paced struct {
	clock *Clock
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (p paced) RoundTrip(r *http.Request) (*http.Response, error) {
	p.clock.begin()
	defer p.clock.end()
	return p.next.RoundTrip(r)
}

func (c *Clock) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open++
	c.calls++
	c.setSpeed(c.working)
}

func (c *Clock) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
}
