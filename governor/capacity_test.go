package governor_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// TestCapacity shows what bounds a forecast, and that used calls come back a
// day later.
func TestCapacity(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	p := governor.DefaultPolicy()
	p.Slots, p.Share, p.FloorCalls, p.FloorShare = 1, 400, 2000, 50
	known := func(used, limit int64) governor.State {
		s, _ := governor.Observe(p, governor.State{}, weir.Outcome{
			Now: noon, SentAt: noon.Add(-6 * time.Minute), Cost: 1,
			Readings: []weir.Reading{{Kind: weir.ReadDaily, Used: used, Limit: limit}},
		})
		return s
	}
	gated := known(0, 15_000)
	gated.Gate.Until = noon.Add(90 * time.Minute).UnixNano()
	for _, c := range []struct {
		name  string
		state governor.State
		want  [4]int64 // calls of hours 0, 1, 2 and 25
	}{
		{"nothing is known: a call a second", governor.State{}, [4]int64{3600, 3600, 3600, 3600}},
		{"calls of six minutes each", known(0, 15_000), [4]int64{10, 10, 10, 10}},
		{"the neighbours leave nothing above the floor", known(14_000, 15_000), [4]int64{}},
		{"closed for an hour and a half", gated, [4]int64{0, 5, 10, 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := governor.Capacity(p, c.state, noon, 26, nil)
			if have := [4]int64{got[0], got[1], got[2], got[25]}; have != c.want {
				t.Errorf("hours 0, 1, 2 and 25 take %v, want %v", have, c.want)
			}
		})
	}
	quick := known(0, 15_000)
	quick.Took = 1000
	got := governor.Capacity(p, quick, noon, 48, nil)
	if got[0] != 3600 || got[1] != 2399 || got[2] != 0 || got[24] != 3600 {
		t.Errorf("the share of 6,000 less the one call made is used up in two hours and back after a day, got %v", got)
	}
}

// TestCapacityKeepsTheShare: no 24 hours of a forecast hold more than ours.
func TestCapacityKeepsTheShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := governor.DefaultPolicy()
		p.Share = rapid.IntRange(1, 1000).Draw(t, "share")
		now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		limit := rapid.Int64Range(1, 2_000_000).Draw(t, "limit")
		s, _ := governor.Observe(p, governor.State{}, weir.Outcome{
			Now: now, SentAt: now.Add(-time.Duration(rapid.Int64Range(1, 10_000).Draw(t, "ms")) * time.Millisecond),
			Cost:     rapid.IntRange(1, 1000).Draw(t, "cost"),
			Readings: []weir.Reading{{Kind: weir.ReadDaily, Used: rapid.Int64Range(0, 2_000_000).Draw(t, "used"), Limit: limit}},
		})
		got := governor.Capacity(p, s, now, 100, nil)
		for from := range got {
			sum := int64(0)
			for _, calls := range got[from:min(from+24, len(got))] {
				sum += calls
			}
			if most := limit * int64(p.Share) / 1000; sum > most {
				t.Fatalf("%d calls in the 24 hours from hour %d, %d are ours", sum, from, most)
			}
		}
	})
}

// Today is not what every day to come is like: once it has left the window, the
// mean of the days counts. On three of four days the neighbours are at one level,
// and on the fourth at another.
func TestCapacityOfOtherDays(t *testing.T) {
	for _, c := range []struct {
		name              string
		before, today     int64 // level of the neighbours
		sparse, plentiful int64 // bounds of what is foreseen for tomorrow
	}{
		{"a busy day after calm ones", 4000, 40_000, 20_000, 32_000},
		{"a calm day after busy ones", 40_000, 4000, 4000, 20_000},
		{"as always", 4000, 4000, 30_000, 36_000},
		{"always busy", 40_000, 40_000, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := shared(t)
			g.reads(c.before)
			g.watches(c.before, 71)
			g.watches(c.today, 2)
			tomorrow := int64(0)
			for _, calls := range governor.Capacity(g.p, g.s, g.now, 48, nil)[24:] {
				tomorrow += calls
			}
			if tomorrow < c.sparse || tomorrow > c.plentiful {
				t.Errorf("%d calls are foreseen for tomorrow, want %d to %d", tomorrow, c.sparse, c.plentiful)
			}
		})
	}
}
