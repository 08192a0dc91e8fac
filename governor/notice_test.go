package governor_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// together sends eight calls at the same moment, which are answered a tenth of a
// second later: so many are refused, the rest taken.
func (g *org) together(refused int) {
	g.t.Helper()
	sentAt := g.now
	for i := range 8 {
		g.admit(asking(i))
	}
	g.wait(100 * time.Millisecond)
	for i := range 8 {
		var f *weir.Fault
		if i < refused {
			f = fault(weir.ThrottledBurst)
		}
		g.observe(f, sent(sentAt), inFlight(7-i))
	}
}

// open lets time pass until the gate is open.
func (g *org) open() {
	g.t.Helper()
	for {
		at := governor.Look(g.p, g.s, g.now).GateUntil
		if at.IsZero() {
			return
		}
		g.now = at
	}
}

func (g *org) paced() bool { return governor.Look(g.p, g.s, g.now).Pace > 0 }

func TestARateIsNoticed(t *testing.T) {
	g := newOrg(t)
	g.s.Own.Made = 100
	g.together(2)
	if g.paced() {
		t.Error("two of eight refused is chance")
	}
	g.open()
	g.together(7)
	if !g.paced() {
		t.Error("seven of eight refused is a rate")
	}
	raw := encode(t, g.s) // a restart
	g.s = governor.State{}
	if err := json.Unmarshal([]byte(raw), &g.s); err != nil {
		t.Fatal(err)
	}
	g.open()
	g.ruling(g.admit(), weir.Proceed, "")
	g.observe(nil)
	g.ruling(g.admit(), weir.WaitUntil, weir.ThrottledBurst) // calls are sent apart from each other
	g.wait(24*time.Hour - time.Minute).admit()
	if !g.paced() {
		t.Error("forgotten within a day")
	}
	g.wait(time.Minute).admit()
	if g.paced() {
		t.Error("still believed after a day in which nothing was refused")
	}
}

// One of eight calls under way together is refused, each time: no pace is made of
// that, nor of calls that go one by one and are all refused.
func TestChanceIsNoRate(t *testing.T) {
	g := newOrg(t)
	g.s.Own.Made = 100
	for range 200 {
		g.together(1)
		g.open()
		g.wait(time.Second)
	}
	if g.paced() {
		t.Error("one refusal of eight made a pace")
	}
	for range 20 {
		g.open()
		g.admit()
		g.wait(time.Second).observe(fault(weir.ThrottledBurst), sent(g.now.Add(-time.Second)))
	}
	if g.paced() {
		t.Error("calls that went one by one made a pace")
	}
}

// alone sends calls one by one until one is refused after so many.
func (g *org) alone(taken int) {
	g.t.Helper()
	g.open()
	for i := range taken + 1 {
		g.ruling(g.admit(), weir.Proceed, "")
		g.wait(10 * time.Millisecond)
		var f *weir.Fault
		if i == taken {
			f = fault(weir.ThrottledBurst)
		}
		g.observe(f, sent(g.now.Add(-10*time.Millisecond)))
	}
}

// A bucket that is filled while the gate is closed takes about as many calls each
// time, also where refusals come so fast that none is under way beside another.
func TestARateIsNoticedByItsBucket(t *testing.T) {
	g := newOrg(t)
	for i, taken := range []int{12, 14, 12, 13, 12, 14, 13} {
		if g.paced() {
			t.Fatalf("noticed after %d refusals", i)
		}
		g.alone(taken)
	}
	if !g.paced() {
		t.Error("seven buckets alike are no rate")
	}
}

// With one call in twenty refused by chance, a hundred times, the numbers of calls
// in between are seldom alike for long. That it happens at all does little harm.
func TestCallsBetweenChanceRefusalsAreUnlike(t *testing.T) {
	dice, wrong := rand.New(rand.NewPCG(3, 5)), 0
	for range 100 {
		g := newOrg(t)
		for range 100 {
			taken := 0
			for dice.IntN(20) > 0 {
				taken++
			}
			if g.alone(taken); g.paced() {
				wrong++
				break
			}
		}
	}
	t.Logf("%d of 100 orgs were taken for others", wrong)
	if wrong > 8 {
		t.Errorf("%d of 100 orgs that refuse by chance have a rate", wrong)
	}
}

// Who does not want a pace never gets one.
func TestARateIsNotNoticedWhereThatIsOff(t *testing.T) {
	g := newOrg(t)
	g.p.NoticeRate = false
	g.s.Own.Made = 100
	for range 5 {
		g.together(8)
		g.open()
	}
	if g.paced() || g.s.Rate != (governor.Rate{}) {
		t.Errorf("the pace is %+v", g.s.Rate)
	}
}
