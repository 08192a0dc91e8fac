package governor_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// together answers eight calls that were sent at the same moment, a tenth of a
// second apart from each other: so many are refused, the rest taken.
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

// One call in ten is refused, whoever sends it, however many are under way: no
// pace is ever made of that, and calls that go one by one never show a rate.
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
