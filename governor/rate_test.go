package governor_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// bucket is an org with a hidden rate: it holds so many calls and is refilled
// by one every gap.
type bucket struct {
	holds, level int
	gap          time.Duration
	filled       time.Time
}

func (b *bucket) take(now time.Time) bool {
	came := max(now.Sub(b.filled)/b.gap, 0)
	b.filled = b.filled.Add(came * b.gap)
	b.level = min(b.level+int(came), b.holds)
	if b.level == 0 {
		return false
	}
	b.level--
	return true
}

// work sends one call at a time, each of 10 ms, until a time; a call waits as
// long as it is told to. It counts what the org took and refused.
func (g *org) work(b interface{ take(time.Time) bool }, until time.Time) (taken, refused int) {
	g.p.LearnRate = true
	for g.now.Before(until) {
		if d := g.admit(); d.Ruling != weir.Proceed {
			g.now = d.Wait.Until
			continue
		}
		ok := b.take(g.now)
		sentAt := g.now
		g.wait(10 * time.Millisecond)
		if ok {
			g.observe(nil, sent(sentAt))
			taken++
		} else {
			g.observe(fault(weir.ThrottledBurst), sent(sentAt), jitter(1<<31))
			refused++
		}
	}
	return taken, refused
}

// rude refuses calls by chance, whatever their pace.
type rude struct {
	rng   *rand.Rand
	share float64
}

func (r rude) take(time.Time) bool { return r.rng.Float64() >= r.share }

// Rejects by chance lower the pace like those of a rate, and do not let it sink:
// trials find out.
func TestRejectsByChanceDoNotSinkThePace(t *testing.T) {
	for seed := range uint64(10) {
		g := newOrg(t)
		taken, refused := g.work(rude{rand.New(rand.NewPCG(seed, 1)), 0.03}, start.Add(20*time.Minute))
		if perSecond := taken / 1200; perSecond < 4 {
			t.Errorf("seed %d: %d calls a second, %d of %d refused", seed, perSecond, refused, taken+refused)
		}
	}
}

// Where a call is sent every hour, one that is refused by chance does not mean a
// rate of one call in an hour.
func TestSeldomCallsDoNotSinkThePace(t *testing.T) {
	g, _ := learnt(t)
	was := g.s.Rate.Pace
	for i := range 200 {
		g.wait(time.Hour)
		g.ruling(g.admit(), weir.Proceed, "")
		g.wait(100 * time.Millisecond)
		if i%4 == 0 {
			g.observe(fault(weir.ThrottledBurst))
		} else {
			g.observe(nil)
		}
	}
	if now := g.s.Rate.Pace; now < was/2 {
		t.Errorf("%d calls a minute were learnt, and now %d are sent", was*60/1e6, now*60/1e6)
	}
}

func TestAHiddenRateIsLearnt(t *testing.T) {
	for _, b := range []bucket{
		{holds: 1, gap: 100 * time.Millisecond},
		{holds: 50, gap: 100 * time.Millisecond},
		{holds: 3, gap: time.Second},
		{holds: 200, gap: 25 * time.Millisecond},
	} {
		b.level, b.filled = b.holds, start
		g := newOrg(t)
		could := b.holds + int(10*time.Minute/b.gap)
		taken, refused := g.work(&b, start.Add(10*time.Minute))
		if taken*100 < could*95 {
			t.Errorf("%d calls of a bucket of %d and one every %v: the org would have taken %d", taken, b.holds, b.gap, could)
		}
		if refused*100 > taken*2 {
			t.Errorf("%d of %d calls refused", refused, taken+refused)
		}
		shown, truly := governor.Look(g.p, g.s, g.now).Pace, int64(time.Minute/b.gap)
		if shown < truly*8/10 || shown > truly*12/10 {
			t.Errorf("a pace of %d calls a minute is shown, where the org takes %d", shown, truly)
		}
		g.p.LearnRate = false
		if shown := governor.Look(g.p, g.s, g.now).Pace; shown != 0 {
			t.Errorf("a pace of %d is shown that nothing keeps to", shown)
		}
	}
}

func TestAChangedRateIsFollowed(t *testing.T) {
	b := &bucket{holds: 5, level: 5, gap: 50 * time.Millisecond, filled: start}
	g := newOrg(t)
	g.work(b, start.Add(5*time.Minute))
	b.gap = 400 * time.Millisecond
	if taken, refused := g.work(b, start.Add(10*time.Minute)); taken < 600 || refused > 25 {
		t.Errorf("after a fall to 2.5 a second: %d taken, %d refused in 5 minutes", taken, refused)
	}
	b.gap = 40 * time.Millisecond
	if taken, refused := g.work(b, start.Add(20*time.Minute)); taken < 7000 || refused > 40 {
		t.Errorf("after a rise to 25 a second: %d taken, %d refused in 10 minutes", taken, refused)
	}
}

// TestAKnownLimitSurvivesARestart: the state is JSON in the org's row. A new
// process goes on at the pace that the old one had learnt.
func TestAKnownLimitSurvivesARestart(t *testing.T) {
	b := &bucket{holds: 10, level: 10, gap: 100 * time.Millisecond, filled: start}
	g := newOrg(t)
	g.work(b, start.Add(5*time.Minute))
	doc := encode(t, g.s)
	g.s = governor.State{}
	if err := json.Unmarshal([]byte(doc), &g.s); err != nil {
		t.Fatal(err)
	}
	if taken, refused := g.work(b, start.Add(6*time.Minute)); taken < 550 || refused > 3 {
		t.Errorf("in the first minute after a restart: %d taken, %d refused", taken, refused)
	}
}

// TestAnOldStateStillDecodes: a row that an earlier version wrote has no rate.
func TestAnOldStateStillDecodes(t *testing.T) {
	g := newOrg(t)
	doc := `{"gate":{"until":1,"cut_at":1,"cause":"throttled_burst"},"strikes":1,"bursts":[2000],"own":{"past":[29923921,5],"made":5}}`
	if err := json.Unmarshal([]byte(doc), &g.s); err != nil {
		t.Fatal(err)
	}
	g.ruling(g.admit(), weir.Proceed, "")
	g.wait(time.Second).observe(nil)
	g.ruling(g.admit(), weir.Proceed, "")
}

// TestEveryPace holds for all histories: no call goes before the pace allows
// it, the bounds do not cross, and nothing leaves its range.
func TestEveryPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hostile := rapid.Bool().Draw(t, "hostile")
		p, now := governor.DefaultPolicy(), start
		p.LearnRate = true
		var s governor.State
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(5*time.Second)).Draw(t, "passes")))
			if rapid.Bool().Draw(t, "ask") {
				next := s.Rate.NextAt
				var d weir.Decision
				s, d = governor.Admit(p, s, drawAsk(t, now))
				if d.Ruling == weir.Proceed && now.UnixNano() < next {
					t.Fatalf("a call went %v before its time", time.Duration(next-now.UnixNano()))
				}
			} else {
				s, _ = governor.Observe(p, s, drawOutcome(t, now, hostile))
			}
			r := s.Rate
			if r.Low < 0 || r.High < 0 || r.High > 0 && r.Low > r.High || r.Pace < 0 || r.Sent < 0 || r.Late < 0 || r.Hold < 0 {
				t.Fatalf("out of range: %+v", r)
			}
			if r.Hold > int64(10*time.Minute) {
				t.Fatalf("holds for %v", time.Duration(r.Hold))
			}
		}
	})
}
