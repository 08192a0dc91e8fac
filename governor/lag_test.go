package governor_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// lagging is an org whose counter shows a call some time after it was made, or is
// counted anew from time to time. Neighbours call as they like.
type lagging struct {
	limit, floor    int64
	lag, every      time.Duration
	own, neighbours []int64 // when, in order
}

// between counts calls in (from, to].
func between(calls []int64, from, to int64) int64 {
	i, _ := slices.BinarySearch(calls, from+1)
	j, _ := slices.BinarySearch(calls, to+1)
	return int64(max(j-i, 0))
}

// shows is what the counter says at now, of ours and of theirs.
func (l *lagging) shows(now int64) int64 {
	upTo := now - int64(l.lag)
	if l.every > 0 {
		upTo -= upTo % int64(l.every)
	}
	return between(l.own, now-day, upTo) + between(l.neighbours, now-day, upTo)
}

// used is the truth.
func (l *lagging) used(now int64) int64 {
	return between(l.own, now-day, now) + between(l.neighbours, now-day, now)
}

// crossing lets workers send calls for some hours, and returns by how many calls
// the org was below the floor at most, and how many calls were sent.
func (l *lagging) crossing(g *org, took time.Duration, hours int) (most int64, sent int) {
	type call struct{ at, used int64 }
	var open []call
	for end := g.now.Add(time.Duration(hours) * time.Hour); g.now.Before(end); {
		now := g.now.UnixNano()
		if d := g.admit(asking(len(open))); d.Ruling == weir.Proceed {
			most = max(most, l.used(now)+1-(l.limit-l.floor))
			l.own = append(l.own, now)
			open = append(open, call{now, l.shows(now)})
			sent++
			continue
		} else if len(open) == 0 {
			g.now = d.Wait.Until
			continue
		} else if done := open[0].at + int64(took); d.Wait.Until.UnixNano() < done {
			g.now = d.Wait.Until
			continue
		}
		c := open[0]
		open = open[1:]
		g.now = time.Unix(0, max(c.at+int64(took), now)).UTC()
		g.observe(nil, func(o *weir.Outcome) { o.SentAt = time.Unix(0, c.at) }, inFlight(len(open)), daily(c.used, l.limit))
	}
	return most, sent
}

// neighboursOf makes so many calls a day, evenly, from one day to another.
func (l *lagging) neighboursOf(perDay, from, to int64) {
	for i := range (to - from) * perDay {
		l.neighbours = append(l.neighbours, start.UnixNano()+from*day+i*day/perDay)
	}
}

// Where the counter lags the floor is crossed by calls that the neighbours make in
// about that time, of which nobody can know. Whoever believes the counter crosses it
// by all that we send meanwhile.
func TestTheFloorWhereTheCounterLags(t *testing.T) {
	for _, c := range []struct {
		limit, floor int64
		before, now  int64 // what the neighbours do in a day
		perSecond    int
	}{
		{15_000, 2000, 8000, 8000, 40},
		{15_000, 2000, 2000, 8000, 2},
		{100_000, 5000, 80_000, 80_000, 4},
		{100_000, 5000, 20_000, 60_000, 8},
		{100_000, 5000, 80_000, 30_000, 40},
	} {
		for _, lag := range []time.Duration{0, 10 * time.Second, 5 * time.Minute} {
			l := &lagging{limit: c.limit, floor: c.floor, lag: lag}
			l.neighboursOf(c.before, -1, 0)
			l.neighboursOf(c.now, 0, 1)
			g := newOrg(t)
			g.p.Share, g.p.Swell, g.p.FloorShare, g.p.FloorCalls = 1000, 0, 0, c.floor
			g.p.Slots = min(c.perSecond, 8)
			most, sent := l.crossing(g, time.Duration(g.p.Slots)*time.Second/time.Duration(c.perSecond), 8)
			t.Logf("%d of %d are the floor, neighbours %d a day and then %d, %d calls a second of ours, lag %v: at most %d calls below, of %d",
				c.floor, c.limit, c.before, c.now, c.perSecond, lag, most, sent)
			allowed := int64(0)
			if lag > 0 { // lags are learnt by the minute
				allowed = 1 + 2*max(c.before, c.now)*int64(lag+time.Minute)/day
			}
			if most > allowed {
				t.Errorf("%d calls below the floor: more than %d", most, allowed)
			}
			if room := c.limit - c.floor - max(c.before, c.now); int64(sent) < room*9/10 {
				t.Errorf("%d calls sent where there was room for %d", sent, room)
			}
		}
	}
}

// TestNoCallOfOursIsForgotten holds for every counter that is late by five minutes
// at most, steadily or in steps. Neighbours who only leave are never taken for us, so
// that two calls cross the floor at most: the first, of which no reading tells, and one
// of a minute that yesterday's calls leave.
func TestNoCallOfOursIsForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &lagging{limit: rapid.Int64Range(100, 3000).Draw(t, "limit")}
		late := rapid.Int64Range(0, int64(5*time.Minute)).Draw(t, "late")
		if rapid.Bool().Draw(t, "in steps") {
			l.every = time.Duration(late)
		} else {
			l.lag = time.Duration(late)
		}
		l.floor = rapid.Int64Range(0, l.limit/2).Draw(t, "floor")
		l.neighboursOf(rapid.Int64Range(0, l.limit/3).Draw(t, "neighbours"), -1, 0)
		g := &org{t: t, p: governor.DefaultPolicy(), now: start}
		g.p.Share, g.p.FloorShare, g.p.FloorCalls = 1000, 0, l.floor
		g.p.Slots, g.p.Swell = rapid.IntRange(1, 12).Draw(t, "slots"), rapid.SampledFrom([]int{0, 200}).Draw(t, "swell")
		took := time.Duration(rapid.Int64Range(int64(10*time.Millisecond), int64(5*time.Second)).Draw(t, "a call takes"))
		if most, sent := l.crossing(g, took, 30); most > 2 {
			t.Fatalf("%d calls of %d below the floor", most, sent)
		}
	})
}

// A counter that does not show our calls may have seen others leave instead: one
// call looks when it must have come up.
func TestOneCallLooksWhetherTheCounterHasComeUp(t *testing.T) {
	g := newOrg(t)
	g.p.Share, g.p.Swell, g.p.FloorCalls, g.p.FloorShare = 1000, 0, 10, 0
	g.observe(nil, daily(50, 100))
	for range 39 {
		g.wait(time.Second).observe(nil, daily(50, 100))
	}
	d := g.admit()
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	g.until(d, 5*time.Minute+21*time.Second) // the minute of the last call ends in 21 seconds
	if v := governor.Look(g.p, g.s, g.now); evidence(d, "not-counted-yet") != "40" || v.Estimate != 90 || v.Headroom != 0 {
		t.Errorf("evidence %v, view %+v", d.Wait.Evidence, v)
	}
	g.now = d.Wait.Until
	g.ruling(g.admit(asking(1)), weir.WaitUntil, weir.ThrottledDaily)
	g.ruling(g.admit(), weir.Proceed, "")
	seen := g.s
	g.wait(time.Second).observe(nil, daily(90, 100))
	g.ruling(g.admit(), weir.WaitUntil, weir.ThrottledDaily)
	g.s = seen
	g.observe(nil) // and where its answer tells nothing, no other looks at once
	d = g.wait(time.Minute).admit()
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	g.until(d, 5*time.Minute-time.Second)
	g.s = seen
	g.observe(nil, daily(51, 100))
	g.ruling(g.admit(), weir.Proceed, "")
}

// An org that refuses knows what it has counted: nobody looks before calls leave.
func TestNobodyLooksWhereTheOrgRefused(t *testing.T) {
	g := newOrg(t)
	g.p.Share, g.p.Swell, g.p.FloorCalls, g.p.FloorShare = 1000, 0, 10, 0
	for range 60 {
		g.wait(time.Second).observe(nil, daily(20, 100))
	}
	d := g.wait(time.Second).observe(fault(weir.ThrottledDaily), cost(0))
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	if wait := d.Wait.Until.Sub(g.now); wait < 15*time.Minute {
		t.Errorf("waits %v: %s", wait, governor.Explain(d))
	}
}

// The quota of our own app has no neighbours, and lags as well.
func TestTheAppsCounterLags(t *testing.T) {
	g := newOrg(t)
	g.p.Share = 1000
	for range 49 {
		g.wait(time.Second).observe(nil, reading(weir.Reading{Kind: weir.ReadApp, App: "weir", Used: 1, Limit: 50}))
	}
	d := g.admit()
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	if evidence(d, "app") != "1/50" || evidence(d, "not-counted-yet") == "" {
		t.Errorf("evidence %v", d.Wait.Evidence)
	}
}
