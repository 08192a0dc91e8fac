package governor_test

import (
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// A governor whose clock was stepped decides as one whose clock was not: the
// same rulings, and the same time to wait.
func TestShiftIsInvisible(t *testing.T) {
	p := governor.DefaultPolicy()
	for _, by := range []time.Duration{time.Second, time.Hour, 26 * time.Hour, -time.Minute, -time.Hour, -40 * 24 * time.Hour} {
		at := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
		var s governor.State
		for i := range 50 {
			at = at.Add(7 * time.Second)
			s, _ = governor.Observe(p, s, weir.Outcome{Now: at, SentAt: at.Add(-time.Second), Cost: 1, Readings: []weir.Reading{
				{Kind: weir.ReadDaily, Used: int64(100 + 3*i), Limit: 15_000},
			}})
		}
		s, _ = governor.Observe(p, s, weir.Outcome{Now: at, SentAt: at, Cost: 1, Jitter: 7, Fault: &weir.Fault{
			Category: weir.ThrottledBurst, RetryAfter: 10 * time.Minute, Effect: weir.EffectNone, Retryable: true,
		}})
		moved := governor.Shift(s, by)
		for _, later := range []time.Duration{0, time.Minute, 9*time.Minute + 59*time.Second, 10 * time.Minute, time.Hour} {
			_, want := governor.Admit(p, s, weir.Ask{Now: at.Add(later), Cost: 1, DueAt: at.AddDate(0, 1, 0)})
			_, got := governor.Admit(p, moved, weir.Ask{Now: at.Add(later + by), Cost: 1, DueAt: at.AddDate(0, 1, 0).Add(by)})
			if got.Ruling != want.Ruling {
				t.Errorf("stepped by %s, %s later: %s, want %s", by, later, got.Ruling, want.Ruling)
			}
			if want.Ruling == weir.WaitUntil && got.Wait.Until.Add(-by).Sub(want.Wait.Until).Abs() > time.Second {
				t.Errorf("stepped by %s, %s later: until %s, want %s", by, later, got.Wait.Until.Add(-by), want.Wait.Until)
			}
		}
		if a, b := governor.Look(p, s, at), governor.Look(p, moved, at.Add(by)); a.Own24h != b.Own24h || a.Headroom != b.Headroom {
			t.Errorf("stepped by %s: %d own calls and headroom %d, want %d and %d", by, b.Own24h, b.Headroom, a.Own24h, a.Headroom)
		}
		if len(s.Own.Past) > 0 && &s.Own.Past[0] == &moved.Own.Past[0] {
			t.Error("the states share a ring")
		}
	}
	if governor.Hash(governor.Shift(governor.State{}, time.Hour)) != governor.Hash(governor.State{}) {
		t.Error("what never happened has a time")
	}
}

// TestShiftMovesEveryInstant fails when a field of the state that holds an
// instant is forgotten: by their names, those are all that end so.
func TestShiftMovesEveryInstant(t *testing.T) {
	const at = int64(1_700_000_000_000_000_000)
	var one governor.State
	var set, check func(v reflect.Value, path string)
	found := 0
	walk := func(v reflect.Value, path string, each func(reflect.Value, string), instant func(reflect.Value, string)) {
		for i := range v.NumField() {
			name, f := v.Type().Field(i).Name, v.Field(i)
			switch {
			case f.Kind() == reflect.Struct:
				each(f, path+name+".")
			case f.Kind() == reflect.Int64 && regexp.MustCompile(`(At|Until|Since|To)$`).MatchString(name):
				instant(f, path+name)
			}
		}
	}
	set = func(v reflect.Value, path string) {
		walk(v, path, set, func(f reflect.Value, _ string) { f.SetInt(at); found++ })
	}
	check = func(v reflect.Value, path string) {
		walk(v, path, check, func(f reflect.Value, name string) {
			if f.Int() != at+1 {
				t.Errorf("%s holds an instant and was not moved", name)
			}
		})
	}
	set(reflect.ValueOf(&one).Elem(), "")
	if found < 20 {
		t.Errorf("found %d instants: the look-up is broken", found)
	}
	check(reflect.ValueOf(governor.Shift(one, 1)), "")
}
