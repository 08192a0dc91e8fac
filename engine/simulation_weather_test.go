//go:build !race

package engine_test

import (
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// wire is the way to the org. Armed, it kills the goroutine of the turn right
// before or right after the next call that does something: what the process
// knew is gone, and what the org did is done.
type wire struct {
	next          http.RoundTripper
	before, after bool
	died          bool
}

func (w *wire) armed() bool { return w.before || w.after }

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if !w.armed() || strings.HasSuffix(req.URL.Path, "/token") {
		return w.next.RoundTrip(req)
	}
	if w.after {
		resp, err := w.next.RoundTrip(req)
		if err == nil && resp.StatusCode == http.StatusTooManyRequests {
			return resp, nil // nobody can keep a promise that died with the process
		}
	}
	w.before, w.after, w.died = false, false, true
	runtime.Goexit()
	return nil, nil
}

// eat lets the neighbours use up to so many calls.
func (s *simulation) eat(calls int) {
	denied := s.org.Truth().NeighboursDenied
	s.org.Neighbour(calls)
	if got := calls - (s.org.Truth().NeighboursDenied - denied); got > 0 {
		s.eaten = append(s.eaten, meal{time.Now(), got})
	}
}

// eatTo lets the neighbours leave so many calls of the allocation.
func (s *simulation) eatTo(left int) {
	since, used := time.Now().Add(-day), 0
	for _, m := range s.eaten {
		if m.at.After(since) {
			used += m.calls
		}
	}
	for _, c := range s.org.Log() {
		if c.At.After(since) {
			used += c.Used - c.UsedBefore
		}
	}
	s.eat(dailyLimit - left - used)
}

// trouble makes every call go wrong in one way for a while.
func (s *simulation) trouble(at time.Duration, kind emulator.Fault, length time.Duration) {
	s.at(at, func() { s.org.SetFaults(emulator.FaultScript{{Kind: kind, For: length}}) })
}

// revoke breaks the credentials, and a person repairs them later.
func (s *simulation) revoke(at, length time.Duration) {
	s.at(at, func() {
		s.org.SetCredentialsValid(false)
		s.in(length, func() {
			s.org.SetCredentialsValid(true)
			s.in(15*time.Minute, func() {
				for _, l := range s.letters() {
					if l.Release == weir.ReleaseByAuth {
						s.t.Errorf("%s is still open a quarter of an hour after the credentials were repaired", l.ID)
					}
				}
			})
		})
	})
}

// kill ends weir in the middle of its next call.
func (s *simulation) kill(at time.Duration, after bool) {
	s.at(at, func() { s.wire.before, s.wire.after = !after, after })
}

// month writes the calendar of the thirty days.
func (s *simulation) month() {
	for d := range 30 {
		for h := range 8 { // other integrations, all the time
			s.at(time.Duration(d)*day+time.Duration(3*h)*hour, func() { s.eat(20 + s.dice.IntN(40)) })
		}
	}
	s.at(3*day+9*hour, func() { s.eat(dailyLimit) }) // unseen, between two calls of ours
	for i := range 12 {                              // under our eyes, step by step
		s.at(9*day+9*hour+time.Duration(i)*5*time.Minute, func() { s.eat(150) })
	}
	s.at(16*day+8*hour, func() { s.eat(dailyLimit) })
	s.at(17*day+8*hour+30*time.Minute, func() { s.eat(dailyLimit) }) // and the day after again
	for _, d := range []int{5, 13, 20, 22, 25, 27} {                 // one of them meets requests at work, whatever else the month brings
		s.at(time.Duration(d)*day+9*hour, func() { s.eatTo(floorCalls + 15) })
	}

	s.trouble(2*day+10*hour, emulator.FaultBurstSeconds, 20*time.Minute)
	s.trouble(7*day+10*hour, emulator.FaultBurstBare, 30*time.Minute)
	s.trouble(12*day+10*hour, emulator.FaultBurstDate, 15*time.Minute)
	s.trouble(14*day+10*hour, emulator.FaultConcurrent, 10*time.Minute)
	s.trouble(11*day+12*hour, emulator.FaultHTML, 40*time.Minute)
	s.trouble(20*day+12*hour, emulator.FaultPlatform, 3*time.Minute)
	s.trouble(21*day+9*hour, emulator.FaultRowLock, time.Minute)
	s.at(8*day+8*hour, func() { s.breakObject("Case", 40*time.Minute) }) // when somebody asks
	for _, d := range []int{4, 10, 15, 19, 23} {
		s.at(time.Duration(d)*day+9*hour, func() {
			s.org.InjectNext(emulator.FaultLostAck, 3, emulator.Match{Writes: true})
			s.org.InjectNext(emulator.FaultLateEffect, 1, emulator.Match{Writes: true})
			s.org.InjectNext(emulator.FaultChanged, 2, emulator.Match{Writes: true})
			s.org.InjectNext(emulator.FaultTruncated, 1, emulator.Match{})
		})
	}
	s.revoke(6*day+9*hour, 6*hour)
	s.revoke(18*day+14*hour, 3*hour)
	for i, d := range []int{1, 5, 8, 13, 19, 24} {
		s.kill(time.Duration(d)*day+time.Duration(9+i)*hour, i%2 == 0)
	}
	s.at(13*day+20*hour, s.reopen)
	s.at(10*day, func() {
		var err error
		if s.held, err = s.engine.Checkpoint(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	})
	s.arrivals()
}

// arrivals has 66 requests come in during the first 24 days.
func (s *simulation) arrivals() {
	rights := []weir.Right{weir.Access, weir.Erasure, weir.Access, weir.Access, weir.Erasure}
	laws := []string{"gdpr", "ccpa", "gdpr"}
	for i := range 36 {
		s.at(s.between(8*hour, 24*day), func() {
			age := s.between(0, 5*day)
			if i%6 == 0 {
				age = s.between(18*day, 26*day) // lay on somebody's desk
			}
			s.ask(rights[i%len(rights)], i, laws[i%len(laws)], age, usual)
		})
	}
	for i := range 16 { // a wave, more than our share of a day can serve
		s.at(9*day+8*hour+time.Duration(i)*4*time.Minute, func() {
			s.ask(rights[i%2], 20+i, laws[i%len(laws)], s.between(0, 3*day), usual)
		})
	}
	// While the neighbours have left us next to nothing: on day 22 they used up
	// everything within the last week, so that what is left stays free for them,
	// and on day 27 they did not, so that calls go down to the floor.
	for _, d := range []int{22, 27} {
		for i := range 6 {
			s.at(time.Duration(d)*day+8*hour+time.Duration(i)*10*time.Minute, func() { s.ask(weir.Access, 7*i, "gdpr", hour, usual) })
		}
	}
	for i, f := range []fate{cancelled, rejected, touched, locked, dropped, touched} {
		s.at(time.Duration(2+3*i)*day+8*hour, func() { s.ask(weir.Erasure, 40+i, "gdpr", hour, f) })
	}
	// Received so long ago that the proof alone outlasts the deadline.
	s.at(19*day+9*hour, func() { s.ask(weir.Erasure, 39, "gdpr", 29*day, usual) })
	s.at(16*day+9*hour, func() { s.ask(weir.Access, 38, "gdpr", 30*day, usual) })
}

// anyDays draws a short calendar.
func (s *simulation) anyDays(days int) {
	length := time.Duration(days) * day
	some := func(n int, do func(at time.Duration)) {
		for range s.dice.IntN(n + 1) {
			do(s.between(hour, length-day))
		}
	}
	for i := range 10 {
		rights := []weir.Right{weir.Access, weir.Erasure}
		fates := []fate{usual, usual, usual, rejected, touched, locked, dropped}
		who, age := s.dice.IntN(len(s.subjects)), s.between(0, 28*day)
		right, f := rights[s.dice.IntN(2)], fates[s.dice.IntN(len(fates))]
		if right == weir.Access {
			f = usual
		}
		s.at(s.between(time.Minute, 2*day)+time.Duration(i), func() { s.ask(right, who, "gdpr", age, f) })
	}
	some(4, func(at time.Duration) { s.at(at, func() { s.eat(s.dice.IntN(2 * dailyLimit)) }) })
	some(1, func(at time.Duration) { s.revoke(at, s.between(time.Minute, 10*hour)) })
	some(4, func(at time.Duration) { s.kill(at, s.dice.IntN(2) == 0) })
	kinds := emulator.Faults()
	some(8, func(at time.Duration) {
		s.trouble(at, kinds[s.dice.IntN(len(kinds))], s.between(time.Second, 10*time.Minute))
	})
}
