package governor_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

func TestFloor(t *testing.T) {
	g := newOrg(t)
	g.p.Share = 1000
	g.observe(nil, cost(12_998), daily(12_998, 15_000)) // all ours, and the floor is 2000 calls: two are left
	g.s.Widest = 1                                      // they were many small ones
	v := governor.Look(g.p, g.s, g.now)
	if v.Floor != 2000 || v.Headroom != 2 || !v.Known || v.Used != 12_998 {
		t.Errorf("view %+v", v)
	}
	g.ruling(g.admit(asking(1)), weir.Proceed, "")
	d := g.admit(asking(2)) // those in flight count as spent
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	if evidence(d, "floor") != "2000" || evidence(d, "daily") != "12998/15000" {
		t.Errorf("evidence %v", d.Wait.Evidence)
	}
	g.ruling(g.admit(func(a *weir.Ask) { a.Cost = 3 }), weir.WaitUntil, weir.ThrottledDaily)
	g.ruling(g.admit(asking(2), urgent), weir.WaitUntil, weir.ThrottledDaily) // urgent or not

	g.p.FloorShare = 200 // a fifth of 15,000 is more than 2000
	if v := governor.Look(g.p, g.s, g.now); v.Floor != 3000 || v.Headroom != 0 {
		t.Errorf("view %+v", v)
	}
}

func TestOwnCallsAgeOutByTheMinute(t *testing.T) {
	g := newOrg(t)
	g.p.Share, g.p.FloorCalls, g.p.FloorShare = 1000, 10, 0
	for i := range 90 { // one call a minute, and the org counts nobody else
		g.observe(nil, daily(int64(i+1), 100))
		g.wait(time.Minute)
	}
	d := g.admit()
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	// The first call was made at 12:00; it has surely left at 12:01 of tomorrow.
	if want := start.Add(24*time.Hour + time.Minute); !d.Wait.Until.Equal(want) {
		t.Fatalf("until %v, want %v", d.Wait.Until, want)
	}
	g.now = d.Wait.Until.Add(-time.Second)
	g.ruling(g.admit(), weir.WaitUntil, weir.ThrottledDaily)
	g.wait(time.Second)
	g.ruling(g.admit(), weir.Proceed, "")
	v := governor.Look(g.p, g.s, g.now)
	if v.Headroom != 1 || v.Own24h != 89 || !v.CapacityAt.Equal(g.now.Add(time.Minute)) || !v.CapacitySure {
		t.Errorf("view %+v", v)
	}
}

func TestShareBindsUsButNotTheUrgent(t *testing.T) {
	g := newOrg(t)
	for range 4 {
		g.observe(nil, cost(100), daily(2000, 1000)) // above the soft limit: no error in itself
	}
	g.p.FloorCalls, g.p.FloorShare = 0, 0
	if v := governor.Look(g.p, g.s, g.now); !v.OverSoftLimit || v.Share != 400 || v.Own24h != 400 {
		t.Errorf("view %+v", v)
	}
	g.observe(nil, cost(0), daily(500, 1000))
	g.wait(time.Minute).observe(nil, cost(0), daily(500, 1000))
	d := g.admit()
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	if evidence(d, "own-24h") != "400/400" {
		t.Errorf("evidence %v", d.Wait.Evidence)
	}
	g.ruling(g.admit(urgent), weir.Proceed, "")
}

func TestAnAbsentHeaderKeepsTheSample(t *testing.T) {
	g := newOrg(t)
	g.observe(nil, daily(1000, 15_000))
	g.wait(time.Minute).observe(nil)
	v := governor.Look(g.p, g.s, g.now)
	if !v.Stale || v.Used != 1000 || v.Estimate != 1001 || v.SampleAge != time.Minute {
		t.Errorf("view %+v", v)
	}
	g.observe(nil, daily(1002, 15_000))
	if v := governor.Look(g.p, g.s, g.now); v.Stale || v.Used != 1002 {
		t.Errorf("view %+v", v)
	}
	// After a day the sample says nothing: one call at a time asks anew.
	g.wait(25 * time.Hour)
	g.ruling(g.admit(asking(1)), weir.WaitUntil, weir.ThrottledDaily)
	g.ruling(g.admit(), weir.Proceed, "")
}

func TestHostileReadingsAreNoSamples(t *testing.T) {
	g := newOrg(t)
	g.observe(nil, daily(1000, 15_000))
	g.wait(time.Minute).observe(nil, daily(5, 0), daily(7, -1))
	if v := governor.Look(g.p, g.s, g.now); v.Used != 1000 || v.Limit != 15_000 {
		t.Errorf("view %+v", v)
	}
}

func TestAnOlderAnswerThatComesLater(t *testing.T) {
	g := newOrg(t)
	g.observe(nil, daily(100, 15_000))
	g.wait(time.Second)
	g.observe(nil, sent(g.now.Add(-2*time.Second)), daily(99, 15_000))
	if v := governor.Look(g.p, g.s, g.now); v.Used != 100 {
		t.Errorf("used %d: an answer overtaken by another lowered the count", v.Used)
	}
	g.wait(time.Second).observe(nil, daily(40, 15_000)) // but a later call may
	if v := governor.Look(g.p, g.s, g.now); v.Used != 40 {
		t.Errorf("used %d", v.Used)
	}
}

func TestNeighboursAreInferred(t *testing.T) {
	g := newOrg(t)
	used := int64(1000)
	for range 60 { // each minute we make one call and they make five
		used += 6
		g.wait(time.Minute).observe(nil, daily(used, 15_000))
	}
	v := governor.Look(g.p, g.s, g.now)
	if v.PerHour < 280 || v.PerHour > 320 || v.Velocity < v.PerHour+55 {
		t.Errorf("neighbours %d per hour, velocity %d", v.PerHour, v.Velocity)
	}
	if v.TimeToFloor < 5*time.Hour || v.TimeToFloor > 20*time.Hour {
		t.Errorf("time to floor %v", v.TimeToFloor)
	}
	// An hour of silence later they are likely to have gone on.
	g.wait(time.Hour)
	if w := governor.Look(g.p, g.s, g.now); w.Estimate < v.Used+280 || w.Estimate > v.Used+320 {
		t.Errorf("estimate %d after %d", w.Estimate, v.Used)
	}
}

func TestDailyBlockWithoutHistoryIsProbed(t *testing.T) {
	g := newOrg(t)
	d := g.observe(fault(weir.ThrottledDaily), jitter(1<<31))
	g.until(d, 15*time.Minute+500*time.Millisecond)
	g.ruling(g.admit(), weir.WaitUntil, weir.ThrottledDaily)
	g.now = d.Wait.Until
	for _, want := range []time.Duration{5, 10, 20, 40, 60, 60} {
		g.ruling(g.admit(), weir.Proceed, "")
		g.ruling(g.admit(), weir.WaitUntil, weir.ThrottledDaily) // one probe at a time
		if governor.Cleared(g.p, g.s, weir.ReleaseByAllocation, g.now) {
			t.Fatal("cleared because time has passed")
		}
		g.wait(time.Second)
		d = g.observe(fault(weir.ThrottledDaily))
		g.until(d, want*time.Minute)
		g.now = d.Wait.Until
	}
	for !governor.Cleared(g.p, g.s, weir.ReleaseByAllocation, g.now) {
		g.ruling(g.admit(), weir.Proceed, "")
		g.wait(time.Second).observe(nil)
	}
	if v := governor.Look(g.p, g.s, g.now); v.AllocationOut || v.Width != g.p.Slots {
		t.Errorf("view %+v", v)
	}
}

func TestDailyBlockWithHistoryIsPredicted(t *testing.T) {
	g := newOrg(t)
	g.p.Share, g.p.FloorCalls, g.p.FloorShare = 1000, 0, 0
	for i := range 100 {
		g.observe(nil, daily(int64(i+1), 100))
		g.wait(time.Minute)
	}
	d := g.observe(fault(weir.ThrottledDaily), cost(0), jitter(1<<31))
	if want := start.Add(24*time.Hour + time.Minute + 500*time.Millisecond); !d.Wait.Until.Equal(want) {
		t.Errorf("until %v, want %v", d.Wait.Until, want)
	}
	if evidence(d, "release") == "" || evidence(d, "own-24h") != "100/100" && evidence(d, "own-24h") != "100" {
		t.Errorf("evidence %v", d.Wait.Evidence)
	}
	late := g.observe(fault(weir.ThrottledDaily), cost(0), due(g.now.Add(time.Hour)))
	g.ruling(late, weir.DeadLetter, weir.DeadlineRisk)
}

// Calls that were under way together are refused together, and any of their
// answers may be the one that says how long.
func TestALaterAnswerOfADailyBlockMaySayHowLong(t *testing.T) {
	g := newOrg(t)
	g.observe(fault(weir.ThrottledDaily))
	d := g.observe(retryAfter(weir.ThrottledDaily, 2*time.Hour))
	g.until(d, 2*time.Hour)
	if evidence(d, "retry-after") != "2h0m0s" {
		t.Errorf("evidence %v", d.Wait.Evidence)
	}
	d = g.wait(time.Hour).admit()
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	g.until(d, time.Hour)
}

func TestQuotaOfTheApp(t *testing.T) {
	app := func(used, limit int64) func(*weir.Outcome) {
		return reading(weir.Reading{Kind: weir.ReadApp, App: "weir", Used: used, Limit: limit})
	}
	g := newOrg(t)
	g.observe(nil, daily(25, 5000), app(249, 250), reading(weir.Reading{Kind: weir.ReadBursts, Used: 1, Limit: 750}))
	g.p.Share = 1000
	g.ruling(g.admit(), weir.Proceed, "")
	d := g.admit(asking(1))
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	if evidence(d, "app") != "249/250" {
		t.Errorf("evidence %v", d.Wait.Evidence)
	}
	if v := governor.Look(g.p, g.s, g.now); v.App != "weir" || v.AppUsed != 249 || v.BurstsLimit != 750 {
		t.Errorf("view %+v", v)
	}
}

// model is an org with a rolling window and neighbours, and knows the truth.
type model struct {
	limit      int64
	own        []int64 // when each of our calls was counted
	neighbours []int64
}

const day = int64(24 * time.Hour)

func inWindow(calls []int64, now, until int64) int64 {
	n := int64(0)
	for _, at := range calls {
		if at > now-day && at <= until {
			n++
		}
	}
	return n
}

func (m *model) used(now int64) int64 {
	return inWindow(m.own, now, now) + inWindow(m.neighbours, now, now)
}

// TestTheFloorIsNeverCrossed lets random workers work against a model org for
// three days. At every admission it asks the truth, as far as any reading
// could have told it: our own calls, those in flight included, and the
// neighbours' calls up to the newest reading.
func TestTheFloorIsNeverCrossed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := model{limit: rapid.Int64Range(60, 250).Draw(t, "limit")}
		g := &org{t: t, p: governor.DefaultPolicy(), now: start}
		g.p.Share, g.p.FloorCalls, g.p.FloorShare = 1000, rapid.Int64Range(0, 40).Draw(t, "floor"), 50
		floor := max(g.p.FloorCalls, m.limit/20)
		perDay := rapid.Int64Range(0, 300).Draw(t, "neighbours")
		seed := rapid.Uint64().Draw(t, "seed")
		rnd := func(n int64) int64 { // a linear congruential generator is enough here
			seed = seed*6364136223846793005 + 1442695040888963407
			return int64(seed>>33) % max(n, 1)
		}
		for range perDay / 2 { // there was a yesterday
			m.neighbours = append(m.neighbours, start.UnixNano()-rnd(day))
		}
		type call struct {
			sent, done int64
			f          *weir.Fault
			used       int64
		}
		var open []call
		sampled, step, calls := int64(0), int64(0), 0
		end := start.Add(72 * time.Hour)
		for g.now.Before(end) {
			now := g.now.UnixNano()
			if rnd(day) < perDay*step {
				m.neighbours = append(m.neighbours, now)
			}
			for len(open) > 0 && open[0].done <= now {
				c := open[0]
				open = open[1:]
				edits := []func(*weir.Outcome){sent(time.Unix(0, c.sent)), inFlight(len(open)), jitter(uint32(rnd(1 << 32)))}
				if c.f == nil || c.f.Category != weir.UnknownOutcome {
					edits = append(edits, daily(c.used, m.limit))
					sampled = max(sampled, c.done)
				}
				g.observe(c.f, edits...)
			}
			d := weir.Decision{}
			if len(open) < governor.Width(g.p, g.s) {
				d = g.admit(asking(len(open)))
			}
			if d.Ruling == weir.Proceed {
				known := inWindow(m.own, now, now) + 1
				if sampled > 0 {
					known += inWindow(m.neighbours, now, min(sampled, now)-int64(time.Second))
					if known > m.limit-floor {
						t.Fatalf("at %v a call went although %d of %d are used and the floor is %d", g.now, known, m.limit, floor)
					}
				}
				c := call{sent: now, done: now + int64(time.Second), used: m.used(now)}
				switch {
				case c.used >= m.limit:
					c.f = fault(weir.ThrottledDaily)
				default:
					m.own = append(m.own, now)
					c.used++
					if rnd(50) == 0 {
						c.f = fault(weir.UnknownOutcome)
					}
				}
				open = append(open, c)
				calls++
			}
			step = (1 + rnd(20)) * int64(time.Second)
			if d.Wait.Until.Sub(g.now) > 10*time.Minute {
				step = int64(5 * time.Minute)
			}
			g.wait(time.Duration(step))
		}
		if perDay == 0 && int64(calls) < 2*(m.limit-floor) {
			t.Fatalf("only %d calls in three days of %d a day", calls, m.limit-floor)
		}
	})
}

func TestStateStaysSmall(t *testing.T) {
	g := newOrg(t)
	for i := range 30 * 60 { // a call in every minute of 30 hours, neighbours always
		g.now = start.Add(time.Duration(i) * time.Minute)
		g.observe(nil, cost(9), daily(int64(5*i%900_000), 1_000_000))
	}
	for range 100 {
		g.wait(time.Hour).observe(fault(weir.ThrottledBurst))
		g.wait(time.Hour).observe(nil)
	}
	if n := len(encode(t, g.s)); n > 12_000 {
		t.Errorf("the state takes %d bytes", n)
	}
	g = newOrg(t)
	if s := fmt.Sprintf("%d bytes", len(encode(t, g.s))); s != "2 bytes" {
		t.Errorf("the zero state takes %s", s)
	}
}

// A number that had to be cut is no measurement: the last one is kept, and is
// stale, as if the header had been absent.
func TestCutReadingsAreNoMeasurement(t *testing.T) {
	p := governor.DefaultPolicy()
	at := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	var s governor.State
	for i, r := range []weir.Reading{
		{Kind: weir.ReadDaily, Used: 14_000, Limit: 15_000},
		{Kind: weir.ReadDaily, Used: 0, Limit: 15_000, Clamped: true},
		{Kind: weir.ReadDaily, Used: 14_000, Limit: 1e12, Clamped: true},
	} {
		now := at.Add(time.Duration(i) * time.Minute)
		s, _ = governor.Observe(p, s, weir.Outcome{Now: now, SentAt: now, Cost: 1, Readings: []weir.Reading{r}})
		if v := governor.Look(p, s, now); v.Used != 14_000 || v.Limit != 15_000 || v.Stale != (i > 0) {
			t.Errorf("reading %d: %d of %d, stale %v", i, v.Used, v.Limit, v.Stale)
		}
	}
}
