package governor_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// hours are how the quiet hours lie around an ask.
func hours(quiet bool, turns time.Duration) func(*weir.Ask) {
	return func(a *weir.Ask) { a.Quiet, a.TurnsAt = quiet, a.Now.Add(turns) }
}

// TestQuietHours shows the share in force, and how a wait for it ends. The org
// takes 1000 calls a day and 100 are its floor; weir made 200 at noon and 100 two
// hours later, and asks at six.
func TestQuietHours(t *testing.T) {
	const soon, later = 3 * time.Hour, 20 * time.Hour
	next := start.Add(24*time.Hour + time.Minute).Sub(start.Add(6 * time.Hour)) // noon's calls have left
	for _, c := range []struct {
		name         string
		share, quiet int // per mille
		ask          func(*weir.Ask)
		wait         time.Duration // 0 = it goes
		evidence     string
	}{
		{"by day the day's share counts", 400, 100, hours(false, soon), 0, ""},
		{"and at night the night's", 400, 100, hours(true, soon), soon, "quiet-until"},
		{"a share that is larger at night", 200, 400, hours(true, soon), 0, ""},
		{"is worth waiting for", 200, 400, hours(false, soon), soon, "quiet-from"},
		{"unless there is room before", 200, 400, hours(false, later), next, ""},
		{"not before it begins", 100, 200, hours(false, 19*time.Hour), 19 * time.Hour, "quiet-from"},
		{"a night that is no better", 200, 200, hours(false, soon), next, ""},
		{"a night that is worse", 200, 100, hours(false, soon), next, ""},
		{"in which nothing may go", 400, 0, hours(true, soon), soon, "quiet-until"},
		{"a day that is no better than the night", 200, 200, hours(true, soon), next, "quiet-until"},
		{"an org without quiet hours", 200, 0, func(*weir.Ask) {}, next, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newOrg(t)
			g.p.Share, g.p.QuietShare, g.p.FloorCalls, g.p.FloorShare = c.share, c.quiet, 100, 0
			g.observe(nil, cost(200), daily(200, 1000))
			g.wait(2*time.Hour).observe(nil, cost(100), daily(300, 1000))
			g.s.Widest = 1
			g.wait(4 * time.Hour)
			d := g.admit(c.ask)
			if c.wait == 0 {
				g.ruling(d, weir.Proceed, "")
				return
			}
			g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
			g.until(d, c.wait)
			for _, name := range []string{"quiet-from", "quiet-until"} {
				if (evidence(d, name) != "") != (name == c.evidence) {
					t.Errorf("evidence %v, want %q", d.Wait.Evidence, c.evidence)
				}
			}
			g.ruling(g.admit(c.ask, urgent), weir.Proceed, "") // the share is not theirs to keep
			g.observe(nil, cost(0), daily(900, 1000))
			g.p.QuietShare = 1000
			g.ruling(g.admit(hours(true, soon)), weir.WaitUntil, weir.ThrottledDaily) // the floor stays
		})
	}
}

// A step that can go in the quiet hours is not given up because the share of the
// day comes back only after its due date.
func TestQuietHoursSaveWhatIsDue(t *testing.T) {
	g := newOrg(t)
	g.p.Share, g.p.QuietShare, g.p.FloorCalls = 100, 500, 100
	g.observe(nil, cost(100), daily(100, 1000))
	g.s.Widest = 1
	law := dueAsk(g.now.Add(12 * time.Hour))
	g.ruling(g.admit(law), weir.DeadLetter, weir.DeadlineRisk)
	d := g.admit(law, hours(false, 10*time.Hour))
	g.ruling(d, weir.WaitUntil, weir.ThrottledDaily)
	g.until(d, 10*time.Hour)
	g.ruling(g.admit(law, hours(false, 13*time.Hour)), weir.DeadLetter, weir.DeadlineRisk)
}

// The schedule counts on the share of each hour.
func TestCapacityInQuietHours(t *testing.T) {
	p := governor.DefaultPolicy()
	p.Share, p.QuietShare, p.FloorCalls, p.FloorShare = 100, 300, 0, 0
	s, _ := governor.Observe(p, governor.State{}, weir.Outcome{
		Now: start, SentAt: start.Add(-time.Second), Readings: []weir.Reading{{Kind: weir.ReadDaily, Limit: 1000}},
	})
	night := func(at time.Time) bool { return at.Hour() < 5 } // the test begins at noon
	got := governor.Capacity(p, s, start, 48, night)
	for h, want := range map[int]int64{0: 100, 1: 0, 11: 0, 12: 200, 13: 0, 24: 0, 36: 300} {
		if got[h] != want {
			t.Errorf("hour %d takes %d calls, want %d: %v", h, got[h], want, got)
		}
	}
}

// TestQuietAsksReplay: what an ask says of the quiet hours is in the replay log,
// and a wait that they end is never longer than without them.
func TestQuietAsksReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &org{t: t, p: governor.DefaultPolicy(), now: start}
		g.p.Share, g.p.QuietShare = rapid.IntRange(1, 1000).Draw(t, "share"), rapid.IntRange(0, 1000).Draw(t, "quiet share")
		for range rapid.IntRange(1, 20).Draw(t, "events") {
			g.wait(time.Duration(rapid.Int64Range(int64(time.Second), int64(5*time.Hour)).Draw(t, "passes")))
			g.observe(nil, cost(rapid.IntRange(0, 400).Draw(t, "made")), daily(rapid.Int64Range(0, 4000).Draw(t, "used"), 10_000))
			ask := weir.Ask{
				Now: g.now, Cost: 1, Quiet: rapid.Bool().Draw(t, "quiet"),
				TurnsAt: g.now.Add(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(24*time.Hour)).Draw(t, "turns"))),
			}
			_, d := governor.Admit(g.p, g.s, ask)
			_, again := governor.Admit(throughJSON(t, g.p), throughJSON(t, g.s), throughJSON(t, ask))
			if text(t, d) != text(t, again) {
				t.Fatalf("decided\n%s\nand replayed\n%s", text(t, d), text(t, again))
			}
			_, plain := governor.Admit(g.p.During(ask.Quiet), g.s, weir.Ask{Now: g.now, Cost: 1})
			if d.Ruling != plain.Ruling || d.Wait.Until.After(plain.Wait.Until) {
				t.Fatalf("with a turn: %s\nwithout: %s", governor.Explain(d), governor.Explain(plain))
			}
			if d.Ruling == weir.WaitUntil && !d.Wait.Until.After(g.now) {
				t.Fatalf("waits until now: %s", governor.Explain(d))
			}
		}
	})
}
