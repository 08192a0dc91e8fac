package governor_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// took reports a call that did something for one object and took so long.
func (g *org) took(d time.Duration, object string) {
	g.t.Helper()
	g.observe(nil, sent(g.now.Add(-d)), func(o *weir.Outcome) { o.Object, o.Answered = object, []string{object} })
}

func longOpen(long, likely int, object string) func(*weir.Ask) {
	return func(a *weir.Ask) { a.InFlight, a.Long, a.Likely, a.Object = long+likely, long, likely, object }
}

func refusedWith(long int) func(*weir.Outcome) {
	return func(o *weir.Outcome) { o.InFlight, o.Long = 6, long }
}

// The org refuses while three long calls of ours are open: others have the
// rest. From then on two are enough for us, and one more with each clean minute.
func TestARefusalBesideLongCallsLeavesRoomForOthers(t *testing.T) {
	g := newOrg(t)
	g.s.Own.Made = 10
	d := g.observe(fault(weir.ThrottledConcurrent), refusedWith(3))
	if evidence(d, "long-cap") != "3" || evidence(d, "open-20s") != "3" {
		t.Errorf("the evidence is %v", d.Wait.Evidence)
	}
	if g.s.Cap != 0 {
		t.Errorf("a cap of %d for all calls: short ones were cut for the long", g.s.Cap)
	}
	raw := encode(t, g.s) // a restart
	g.s = governor.State{}
	if err := json.Unmarshal([]byte(raw), &g.s); err != nil {
		t.Fatal(err)
	}
	g.now = d.Wait.Until
	g.ruling(g.admit(longOpen(3, 0, "")), weir.WaitUntil, weir.ThrottledConcurrent)
	g.ruling(g.admit(longOpen(2, 0, "")), weir.Proceed, "")
	if v := governor.Look(g.p, g.s, g.now); v.LongCap != 3 {
		t.Errorf("people are shown a cap of %d, want 3", v.LongCap)
	}
	g.wait(time.Minute).ruling(g.admit(longOpen(3, 0, "")), weir.Proceed, "")
	g.wait(time.Minute).ruling(g.admit(longOpen(4, 0, "")), weir.Proceed, "")
	g.ruling(g.admit(longOpen(5, 0, "")), weir.WaitUntil, weir.ThrottledConcurrent)
	if v := governor.Look(g.p, g.s, g.now); v.LongCap != 0 {
		t.Errorf("people are shown a cap of %d that has grown back", v.LongCap)
	}
}

// A call about an object that took 20 s of late is not sent when it would be
// the last that the org takes; a call about another one is.
func TestASlowObjectLeavesTheOrgOneCall(t *testing.T) {
	g := newOrg(t)
	g.s.Own.Made = 10
	g.took(25*time.Second, "Task")
	for _, c := range []struct {
		long, likely int
		goes         bool
	}{{0, 3, true}, {3, 0, true}, {0, 4, false}, {2, 2, false}, {4, 0, false}} {
		d := g.admit(longOpen(c.long, c.likely, "Task"))
		if got := d.Ruling == weir.Proceed; got != c.goes || !got && d.Object != "Task" {
			t.Errorf("with %d long and %d likely: %s about %q", c.long, c.likely, d.Ruling, d.Object)
		}
	}
	g.ruling(g.admit(longOpen(4, 0, "Contact")), weir.Proceed, "")
	g.ruling(g.admit(longOpen(2, 2, "Task"), func(a *weir.Ask) { a.Mutates = true }), weir.Proceed, "") // only its reads are slow
	if s := governor.Explain(g.admit(longOpen(4, 0, "Task"))); s != "It waits until 2026-11-23 12:00:05 UTC because calls about Task run for 20 s or longer: enough calls are open already "+
		"(object Task, ran-long-per-mille 250, open-20s 4, likely 0, long-cap 5)." {
		t.Error(s)
	}
	g.p.LongCap = 1
	g.ruling(g.admit(longOpen(0, 0, "Task")), weir.Proceed, "") // one may always go
}

// What is slow is learnt and forgotten: by short calls, or by a day without a
// long one. A call that the org refused says nothing.
func TestSlowObjectsAreForgotten(t *testing.T) {
	g := newOrg(t)
	slow := func(want bool, when string) {
		t.Helper()
		if got := governor.RunsLong(g.s, "Task", false); got != want {
			t.Errorf("%s Task is slow: %v, want %v", when, got, want)
		}
	}
	g.took(19*time.Second, "Task")
	slow(false, "after 19 s")
	g.took(20*time.Second, "Task")
	slow(true, "after 20 s")
	for range 10 {
		g.observe(fault(weir.ThrottledBurst), func(o *weir.Outcome) { o.Object = "Task" })
		g.now = g.now.Add(time.Minute)
	}
	slow(true, "after refusals")
	for range 3 {
		g.took(time.Second, "Task")
	}
	slow(true, "after three short calls")
	g.took(time.Second, "Task")
	slow(false, "after four short calls")

	g.took(time.Minute, "Task")
	g.wait(24*time.Hour - time.Second).admit()
	slow(true, "within a day")
	g.wait(time.Second).admit()
	slow(false, "after a day")

	for i := range 100 {
		g.wait(time.Second).took(time.Minute, fmt.Sprint("Object", i))
	}
	if n := len(governor.SlowObjects(g.s)); n != 16 || !governor.RunsLong(g.s, "Object99", false) {
		t.Errorf("%d objects are kept", n)
	}
}

// One call about several objects makes all of them suspect, also when it failed
// as a whole after its time.
func TestALongCallSuspectsAllItsObjects(t *testing.T) {
	g := newOrg(t)
	g.observe(nil, sent(g.now.Add(-time.Minute)), func(o *weir.Outcome) { o.Answered = []string{"Task", "Case"} })
	g.observe(fault(weir.QueryTimeout), sent(g.now.Add(-2*time.Minute)), func(o *weir.Outcome) { o.Object, o.Mutates = "Lead", true })
	for _, c := range []struct {
		name   string
		writes bool
	}{{"Task", false}, {"Case", false}, {"Lead", true}} {
		if !governor.RunsLong(g.s, c.name, c.writes) {
			t.Errorf("%s is not slow", c.name)
		}
	}
	if governor.RunsLong(g.s, "Lead", false) || governor.RunsLong(g.s, "", false) {
		t.Error("what no call was about is slow")
	}
}
