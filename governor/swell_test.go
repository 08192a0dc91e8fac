package governor_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// shared is an org of 40,000 calls a day without a floor or a share of ours, so
// that only what the neighbours may come to need stands against a call.
func shared(t failer) *org {
	g := &org{t: t, p: governor.DefaultPolicy(), now: start}
	g.p.Share, g.p.FloorCalls, g.p.FloorShare = 1000, 0, 0
	return g
}

// reads tells the governor the level of the neighbours and costs nothing.
func (g *org) reads(level int64) {
	g.observe(nil, cost(0), daily(level+governor.Look(g.p, g.s, g.now).Own24h, 40_000))
}

// watches does so every hour.
func (g *org) watches(level int64, hours int) {
	for range hours {
		g.wait(time.Hour).reads(level)
	}
}

func (g *org) headroom() int64 { return governor.Look(g.p, g.s, g.now).Headroom }

func TestRoomForARiseOfTheNeighbours(t *testing.T) {
	g := shared(t)
	g.reads(20_000)
	if got := g.headroom(); got != 16_000 { // a fifth of 20,000 is kept free
		t.Errorf("headroom %d", got)
	}
	ask := func(n int) func(*weir.Ask) { return func(a *weir.Ask) { a.Cost = n } }
	g.ruling(g.admit(ask(16_000)), weir.Proceed, "")
	d := g.admit(ask(16_001))
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	if evidence(d, "neighbours-24h") != "20000" || evidence(d, "swell") != "4000" || evidence(d, "daily") != "20000/40000" {
		t.Errorf("evidence %v", d.Wait.Evidence)
	}
	// A forecast may be overruled by a person, the floor may not.
	g.ruling(g.admit(ask(16_001), urgent), weir.Proceed, "")
	g.p.FloorCalls = 4000
	g.ruling(g.admit(ask(16_001), urgent), weir.WaitUntil, weir.ThrottledDaily)

	first, sum := governor.Capacity(g.p, g.s, g.now, 24, nil), int64(0)
	for _, calls := range first {
		sum += calls
	}
	if sum != 16_000 {
		t.Errorf("the schedule counts on %d calls", sum)
	}
}

func TestNoNeighboursNoSwell(t *testing.T) {
	g := shared(t)
	for range 30 {
		g.observe(nil, cost(100), daily(governor.Look(g.p, g.s, g.now).Own24h+100, 40_000))
		if v := governor.Look(g.p, g.s, g.now); v.Headroom != v.Limit-v.Own24h {
			t.Fatalf("headroom %d with %d of our own", v.Headroom, v.Own24h)
		}
		g.wait(time.Hour)
	}
}

// Who turns the swell off keeps the floor and nothing else free.
func TestTheSwellCanBeTurnedOff(t *testing.T) {
	g := shared(t)
	g.reads(30_000)
	on := governor.Look(g.p, g.s, g.now)
	g.p.Swell = 0
	off := governor.Look(g.p, g.s, g.now)
	if on.Swell != 6000 || off.Swell != 0 || on.Headroom >= off.Headroom || off.Headroom != 10_000-off.Floor {
		t.Errorf("with a swell of %d weir may send %d, with %d it may send %d", on.Swell, on.Headroom, off.Swell, off.Headroom)
	}
	g.ruling(g.admit(), weir.Proceed, "")
}

// What is kept free shrinks while the neighbours are watched and do not rise.
func TestWatchingShrinksTheSwell(t *testing.T) {
	g := shared(t)
	g.reads(20_000)
	for i, want := range []int64{4000, 2400, 1860, 1600, 1440} { // 4 % and 16 % divided by the days
		if got := 20_000 - g.headroom(); got != want {
			t.Errorf("after %d days %d are kept free, want %d", i, got, want)
		}
		g.watches(20_000, 24)
	}
	// Without a look nothing is learnt: a day of silence counts as three hours.
	g, blind := shared(t), shared(t)
	g.reads(20_000)
	g.watches(20_000, 3)
	blind.reads(20_000)
	blind.wait(24 * time.Hour).reads(20_000)
	if g.headroom() != blind.headroom() {
		t.Errorf("headroom %d after three hours and %d after a silent day", g.headroom(), blind.headroom())
	}
}

// Working days and weekends take turns: the highest level of a week is
// remembered, as far as the level now can explain it, and not for longer.
func TestABusyDayIsRemembered(t *testing.T) {
	g := shared(t)
	g.reads(20_000)
	g.watches(26_000, 24)
	for day := range 12 {
		g.watches(20_000, 24)
		peak := 40_000 - g.headroom()
		if day < 7 && peak < 26_000 || day > 8 && peak > 21_200 || peak > 28_000 {
			t.Errorf("%d days later the neighbours are expected to reach %d", day+1, peak)
		}
	}
	// The clock's being stepped changes none of it.
	g.watches(26_000, 24)
	g.watches(20_000, 24)
	for _, by := range []time.Duration{26 * time.Hour, -time.Hour, 7 * time.Second} {
		moved := governor.Look(g.p, governor.Shift(g.s, by), g.now.Add(by))
		if moved.Headroom != g.headroom() {
			t.Errorf("stepped by %v: headroom %d, want %d", by, moved.Headroom, g.headroom())
		}
	}
}

// While most of the swell is free, one call an hour looks how they are.
func TestOneCallLooks(t *testing.T) {
	g := shared(t)
	g.observe(nil, cost(8200), daily(34_900, 40_000)) // 26,700 and a fifth are 32,040
	d := g.admit()
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	g.until(d, time.Hour)
	g.now = d.Wait.Until
	g.ruling(g.admit(), weir.Proceed, "")
	g.ruling(g.admit(asking(1)), weir.WaitUntil, weir.ThrottledDaily)
	g.observe(nil, daily(34_901, 40_000))
	g.until(g.admit(), time.Hour)
	g.observe(nil, cost(0), daily(37_000, 40_000)) // they have risen: nothing goes before ours have left
	if d := g.admit(); !d.Wait.Until.Equal(start.Add(24*time.Hour + time.Minute)) {
		t.Errorf("until %v", d.Wait.Until)
	}
}

// Where hardly anything could follow from the answer, one call asks after a
// day, and again after one, two and four; but no request dies of that patience.
func TestAskingAnewWhereNothingIsFree(t *testing.T) {
	g := shared(t)
	g.reads(37_500)
	expiry, law := 24*time.Hour+time.Minute, dueAsk(start.AddDate(0, 1, 0))
	for i, want := range []time.Duration{expiry, expiry, 48 * time.Hour, 96 * time.Hour, 96 * time.Hour} {
		g.wait(expiry - time.Second)
		g.ruling(g.admit(law), weir.WaitUntil, weir.ThrottledDaily)
		g.wait(time.Second)
		if d := g.admit(law); d.Ruling == weir.WaitUntil {
			if wait := d.Wait.Until.Sub(g.now) + expiry; wait != want {
				t.Fatalf("call %d asks after %v, want %v", i, wait, want)
			}
			g.ruling(g.admit(urgent, law), weir.Proceed, "")
			g.ruling(g.admit(), weir.Proceed, "") // nobody knows when that is due
			g.ruling(g.admit(dueAsk(d.Wait.Until.Add(-time.Second))), weir.Proceed, "")
			g.ruling(g.admit(dueAsk(d.Wait.Until)), weir.WaitUntil, weir.ThrottledDaily)
			g.now = d.Wait.Until
		} else if want != expiry {
			t.Fatalf("call %d asks after a day, want %v", i, want)
		}
		g.ruling(g.admit(law), weir.Proceed, "")
		g.observe(nil, daily(37_501, 40_000))
	}
	g.reads(20_000) // they have left
	g.wait(expiry)
	g.ruling(g.admit(law), weir.Proceed, "")
}

// TestNeighboursAreNotStarved lets neighbours wander by as much as is kept free
// for them after any time of watching, and sends whatever may be sent: both
// together never reach the limit.
func TestNeighboursAreNotStarved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := shared(t)
		base := rapid.Int64Range(1000, 36_000).Draw(t, "base")
		type sent struct {
			at    time.Time
			calls int64
		}
		var ours []sent
		g.reads(base) // a first call is sent blind
		for range rapid.IntRange(1, 150).Draw(t, "events") {
			g.wait(time.Duration(rapid.Int64Range(1, int64(9*time.Hour)).Draw(t, "passes")))
			level := base * rapid.Int64Range(950, 1042).Draw(t, "level") / 1000
			own := int64(0)
			for _, s := range ours {
				if g.now.Sub(s.at) < 24*time.Hour {
					own += s.calls
				}
			}
			if own > 0 && level+own > 40_000 {
				t.Fatalf("at %v the neighbours use %d and we %d", g.now, level, own)
			}
			n := rapid.Int64Range(1, 40_000).Draw(t, "calls")
			if head := g.headroom(); rapid.Bool().Draw(t, "all that may go") && head > 0 {
				n = head
			}
			if g.admit(func(a *weir.Ask) { a.Cost = int(n) }).Ruling != weir.Proceed {
				g.observe(nil, cost(0), daily(level+own, 40_000))
				continue
			}
			ours = append(ours, sent{g.now, n})
			g.observe(nil, cost(int(n)), daily(level+own+n, 40_000))
		}
	})
}
