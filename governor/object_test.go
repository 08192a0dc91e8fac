package governor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// about makes an outcome that of one object's element, in a call that was taken.
func about(object string) func(*weir.Outcome) {
	return func(o *weir.Outcome) { o.Object, o.Cost, o.DueAt = object, 0, o.Now.Add(30*24*time.Hour) }
}

func writes(o *weir.Outcome)   { o.Mutates = true }
func readBack(o *weir.Outcome) { o.ReadBack = true }
func whole(o *weir.Outcome)    { o.Cost = 1 }

func answered(objects ...string) func(*weir.Outcome) {
	return func(o *weir.Outcome) { o.Answered = objects }
}

func asks(object string) func(*weir.Ask) { return func(a *weir.Ask) { a.Object = object } }
func mutates(a *weir.Ask)                { a.Mutates = true }

// breaks lets an object fail so many times, in calls of their own.
func (g *org) breaks(times int, edit ...func(*weir.Outcome)) weir.Decision {
	var d weir.Decision
	for range times {
		d = g.wait(time.Second).observe(fault(weir.PlatformFault), append([]func(*weir.Outcome){about("Case")}, edit...)...)
	}
	return d
}

func TestABrokenObject(t *testing.T) {
	for _, c := range []weir.Category{weir.PlatformFault, weir.QueryTimeout} {
		g := newOrg(t)
		fails := func() weir.Decision { return g.wait(time.Second).observe(fault(c), about("Case"), attempts(4)) }
		for range 7 {
			if d := fails(); d.Object != "" || evidence(d, "attempts") != "5/5" {
				t.Fatalf("before the eighth failure: %+v", d)
			}
			g.ruling(g.admit(asks("Case")), weir.Proceed, "")
		}
		d := fails()
		g.ruling(d, weir.WaitUntil, c)
		g.until(d, 2*time.Second)
		if d.Object != "Case" || evidence(d, "object") != "Case" || evidence(d, "failed-in-a-row") != "8" || evidence(d, "asked") != "reads" {
			t.Errorf("decided %+v", d)
		}
		if s := governor.Explain(d); !strings.Contains(s, "nothing that is asked of Case succeeds") {
			t.Error(s)
		}
		g.until(g.admit(asks("Case")), 2*time.Second)
		g.ruling(g.admit(asks("Contact")), weir.Proceed, "")
		g.ruling(g.admit(asks("Case"), mutates), weir.Proceed, "") // changing it is another matter
		g.ruling(g.admit(), weir.Proceed, "")
		if got := governor.ClosedUntil(g.s, "Case", false); got != d.Wait.Until || !governor.ClosedUntil(g.s, "Contact", false).IsZero() {
			t.Errorf("closed until %v", got)
		}
		if !governor.Barred(g.s, "Case", false) || governor.Barred(g.s, "Case", true) || governor.Barred(g.s, "Contact", false) {
			t.Errorf("barred: %+v", g.s.Objects)
		}
		if o := governor.Look(g.p, g.s, g.now).Objects; len(o) != 1 || o[0].Name != "Case" || o[0].Fails != 8 || o[0].Until != d.Wait.Until {
			t.Errorf("shown %+v", o)
		} else if s := governor.ExplainObject(o[0]); !strings.Contains(s, "To read Case has failed 8 times in a row because") {
			t.Error(s)
		}

		calls := 0 // one at a time, further apart
		for end := g.now.Add(time.Hour); g.now.Before(end); {
			if d := g.admit(asks("Case")); d.Ruling == weir.WaitUntil {
				g.now = d.Wait.Until
				continue
			}
			calls++
			g.ruling(g.admit(asks("Case"), asking(1)), weir.WaitUntil, c)
			g.wait(100*time.Millisecond).observe(nil, about("Case"), whole)
			if d := g.observe(fault(c), about("Case"), attempts(5)); d.Ruling != weir.WaitUntil || d.Object != "Case" {
				t.Fatalf("the step of a call that asked: %+v", d)
			}
		}
		if calls < 12 || calls > 25 { // 300 s apart in the end
			t.Errorf("%d calls about it in an hour", calls)
		}
		for d := g.admit(asks("Case")); d.Ruling == weir.WaitUntil; d = g.admit(asks("Case")) {
			g.now = d.Wait.Until
		}
		for range 8 { // strikes are halved, and it is forgotten
			g.wait(time.Second).observe(nil, about("Case"), whole, answered("Case"))
			g.ruling(g.admit(asks("Case"), asking(1)), weir.Proceed, "")
		}
		if governor.Barred(g.s, "Case", false) || g.s.Objects != nil {
			t.Errorf("left behind: %+v", g.s.Objects)
		}
	}
}

// A row ends with what worked, and only with that; and only such failures make one
// as concern the object and nobody else.
func TestWhatBreaksNoObject(t *testing.T) {
	row := newOrg(t)
	for range 5 {
		row.breaks(7)
		row.observe(nil, answered("Contact", "Case"))
		row.ruling(row.admit(asks("Case")), weir.Proceed, "")
	}
	for _, f := range []*weir.Fault{fault(weir.LockContention), fault(weir.Validation), fault(weir.Conflict), fault(weir.UnknownOutcome), fault(weir.ThrottledBurst)} {
		g := newOrg(t)
		g.breaks(5)
		for range 20 {
			g.observe(f, about("Case"))
		}
		g.wait(time.Hour).breaks(2)
		g.ruling(g.admit(asks("Case")), weir.Proceed, "")
		g.breaks(1) // nor did it work
		g.ruling(g.admit(asks("Case")), weir.WaitUntil, weir.PlatformFault)
	}
	g := newOrg(t) // the read before each write
	for range 8 {
		g.breaks(1, writes)
		g.observe(nil, answered("Case"))
		g.observe(fault(weir.PlatformFault), about("Case"), readBack)
	}
	g.ruling(g.admit(asks("Case")), weir.Proceed, "")
	g.ruling(g.admit(asks("Case"), mutates), weir.WaitUntil, weir.PlatformFault)
	d := g.observe(fault(weir.PlatformFault), about("Case"), readBack, attempts(5))
	if d.Ruling != weir.WaitUntil || d.Object != "Case" || evidence(d, "failed-in-a-row") != "8" {
		t.Errorf("what was not written, because nothing is: %+v", d)
	}
}

// A call that fails as a whole speaks for an object when it was about no other. What
// may have been done is read back first, without regard to the object's wait.
func TestAWholeCallAboutOneObject(t *testing.T) {
	g := newOrg(t)
	g.breaks(7)
	g.observe(fault(weir.PlatformFault), whole)
	g.ruling(g.admit(asks("Case")), weir.Proceed, "")
	if d := g.breaks(1, whole); d.Object != "Case" {
		t.Errorf("decided %+v", d)
	}
	g.breaks(8, writes)
	f := fault(weir.PlatformFault)
	f.Effect = weir.EffectUnknown
	d := g.wait(time.Minute).observe(f, about("Case"), writes, jitter(0))
	if g.ruling(d, weir.Readback, weir.PlatformFault); d.Object != "Case" {
		t.Errorf("decided %+v", d)
	}
	g.until(d, g.p.Settle)
}

// Nobody waits behind a closed object past the due date without being told, and of
// one that stays broken a person hears once a day.
func TestABrokenObjectTellsPeople(t *testing.T) {
	g := newOrg(t)
	g.breaks(12)
	late := g.now.Add(time.Second)
	d := g.admit(asks("Case"), dueAsk(late))
	if g.ruling(d, weir.DeadLetter, weir.DeadlineRisk); d.Object != "Case" || evidence(d, "cause") != string(weir.PlatformFault) {
		t.Errorf("asked %+v", d)
	}
	g.ruling(g.admit(asks("Contact"), dueAsk(late)), weir.Proceed, "")
	d = g.breaks(1, func(o *weir.Outcome) { o.DueAt = late.Add(time.Second) })
	if g.ruling(d, weir.DeadLetter, weir.DeadlineRisk); d.Object != "Case" {
		t.Errorf("decided %+v", d)
	}
	told := 0
	for range 5 * 24 * 12 {
		d := g.wait(5*time.Minute).observe(fault(weir.PlatformFault), about("Case"), attempts(9))
		if d.Ruling == weir.DeadLetter {
			g.ruling(d, weir.DeadLetter, weir.PlatformFault)
			told++
		}
	}
	if told != 5 && told != 4 {
		t.Errorf("a person was told %d times in five days", told)
	}
}

func TestObjectsAreBounded(t *testing.T) {
	g := newOrg(t)
	name := func(i int) string { return fmt.Sprintf("Object_%d__c", i) }
	for i := range 20 {
		g.breaks(8, func(o *weir.Outcome) { o.Object = name(i) })
	}
	for i := range 100 { // each fails once
		g.breaks(1, func(o *weir.Outcome) { o.Object = name(100 + i) })
	}
	if len(g.s.Objects) != 32 || len(encode(t, g.s)) > 8000 {
		t.Errorf("%d objects in %d bytes", len(g.s.Objects), len(encode(t, g.s)))
	}
	for i := range 20 {
		if !governor.Barred(g.s, name(i), false) {
			t.Errorf("%s was forgotten", name(i))
		}
	}
	for i := range 40 {
		g.breaks(8, func(o *weir.Outcome) { o.Object = name(200 + i) })
	}
	if len(g.s.Objects) != 32 {
		t.Errorf("%d objects", len(g.s.Objects))
	}
	before := encode(t, g.s)
	moved := governor.Shift(g.s, time.Hour)
	if encode(t, g.s) != before {
		t.Error("a state was changed in place")
	}
	was, _ := governor.Admit(g.p, g.s, weir.Ask{Now: g.now, Cost: 1, Object: name(0)})
	_, a := governor.Admit(g.p, was, weir.Ask{Now: g.now, Cost: 1, Object: name(200)})
	_, b := governor.Admit(g.p, moved, weir.Ask{Now: g.now.Add(time.Hour), Cost: 1, Object: name(200)})
	if b.Wait.Until.Sub(a.Wait.Until) != time.Hour && a.Ruling == weir.WaitUntil {
		t.Errorf("the clock was stepped by an hour: %v, then %v", a.Wait.Until, b.Wait.Until)
	}
}

// TestObjectsStandAlone holds for all histories: nothing is asked about a closed
// object before its time, one call at a time asks then, and what names another
// object is decided as if this one had never been named.
func TestObjectsStandAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now := governor.DefaultPolicy(), start
		var s, without governor.State
		closed := map[bool]time.Time{}
		for range rapid.IntRange(1, 120).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "passes")))
			mutates := rapid.IntRange(0, 4).Draw(t, "mutates") == 0
			if rapid.Bool().Draw(t, "ask") {
				a := weir.Ask{Now: now, Cost: 1, Mutates: mutates, Object: rapid.SampledFrom([]string{"", "Case", "Contact"}).Draw(t, "object")}
				next, d := governor.Admit(p, s, a)
				other, want := governor.Admit(p, without, a)
				if a.Object != "Case" && text(t, d) != text(t, want) {
					t.Fatalf("decided %s, and %s without Case", text(t, d), text(t, want))
				}
				if a.Object == "Case" && d.Ruling == weir.Proceed && now.Before(closed[mutates]) {
					t.Fatalf("asked at %v; closed until %v", now, closed[mutates])
				}
				if d.Ruling == want.Ruling {
					s, without = next, other
				}
				continue
			}
			o := weir.Outcome{Now: now, SentAt: now.Add(-time.Second), DueAt: now.AddDate(1, 0, 0), Mutates: mutates, Jitter: rapid.Uint32().Draw(t, "jitter"), Object: "Case"}
			if rapid.IntRange(0, 30).Draw(t, "works") == 0 {
				o.Answered = []string{"Case"}
				closed[mutates] = now
			} else {
				o.Fault = fault(rapid.SampledFrom([]weir.Category{weir.PlatformFault, weir.QueryTimeout, weir.LockContention}).Draw(t, "category"))
			}
			var d weir.Decision
			s, d = governor.Observe(p, s, o)
			o.Object, o.Answered = "", nil
			without, _ = governor.Observe(p, without, o)
			if d.Object != "" && d.Wait.Until.Sub(now) > p.Ceiling {
				t.Fatalf("closed for longer than the ceiling: %s", governor.Explain(d))
			}
			for _, v := range governor.Look(p, s, now).Objects {
				closed[v.Writes] = v.Until
			}
			s2 := s
			if s2.Objects = nil; governor.Hash(s2) != governor.Hash(without) {
				t.Fatalf("more than the objects differs: %s and %s", text(t, s2), text(t, without))
			}
		}
	})
}
