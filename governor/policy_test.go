package governor_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

func TestDefaultsOfTheBrief(t *testing.T) {
	p := governor.DefaultPolicy()
	if p.Base != 2*time.Second || p.Retries != 5 || p.Ceiling != 300*time.Second {
		t.Errorf("base %v, retries %d, ceiling %v", p.Base, p.Retries, p.Ceiling)
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
}

func TestPolicySurvivesJSON(t *testing.T) {
	var back governor.Policy
	doc := encode(t, governor.DefaultPolicy())
	if err := json.Unmarshal([]byte(doc), &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(governor.DefaultPolicy(), back); d != "" {
		t.Error(d)
	}
	if doc != strings.ToLower(doc) || strings.Contains(doc, "-") {
		t.Errorf("keys are snake case: %s", doc)
	}
}

func TestPolicyMistakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*governor.Policy)
		want  string
	}{
		{"no base", func(p *governor.Policy) { p.Base = 0 }, "base is 0s"},
		{"low ceiling", func(p *governor.Policy) { p.Ceiling = time.Second }, "ceiling 1s is below the base 2s"},
		{"low lock ceiling", func(p *governor.Policy) { p.LockCeiling = 0 }, "lock ceiling"},
		{"short slow wait", func(p *governor.Policy) { p.SlowCap = 0 }, "slow wait"},
		{"probes shrink", func(p *governor.Policy) { p.ProbeMax = 0 }, "longest probe interval"},
		{"negative retries", func(p *governor.Policy) { p.Retries = -1 }, "retries is below zero"},
		{"no slots", func(p *governor.Policy) { p.Slots = 0 }, "0 slots"},
		{"no long calls", func(p *governor.Policy) { p.LongCap = 0 }, "long cap of 0"},
		{"share of nothing", func(p *governor.Policy) { p.Share = 0 }, "share 0"},
		{"more than all", func(p *governor.Policy) { p.Share = 1001 }, "share 1001"},
		{"negative floor", func(p *governor.Policy) { p.FloorCalls = -1 }, "floor of -1"},
		{"floor of all", func(p *governor.Policy) { p.FloorShare = 1000 }, "floor share 1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := governor.DefaultPolicy()
			c.spoil(&p)
			if err := p.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if err := (governor.Policy{}).Validate(); strings.Count(err.Error(), "\n") < 6 {
		t.Errorf("every mistake is reported at once, not only: %v", err)
	}
}

func TestBackoff(t *testing.T) {
	p := governor.DefaultPolicy()
	for _, c := range []struct {
		attempt int
		jitter  uint32
		want    time.Duration
	}{
		{0, 0, 2 * time.Second},
		{1, 0, 4 * time.Second},
		{5, 0, 64 * time.Second},
		{7, 0, 256 * time.Second},
		{8, 0, 300 * time.Second},
		{2, 1 << 31, 8*time.Second + 500*time.Millisecond},
		{2, 1 << 30, 8*time.Second + 250*time.Millisecond},
		{8, maxJitter, 300 * time.Second},
		{-3, 0, 2 * time.Second},
		{math.MaxInt, maxJitter, 300 * time.Second},
	} {
		if got := governor.Backoff(p, c.attempt, c.jitter); got != c.want {
			t.Errorf("Backoff(%d, %d) = %v, want %v", c.attempt, c.jitter, got, c.want)
		}
	}
}

func TestBackoffOfAnyInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := governor.Policy{
			Base:    time.Duration(rapid.Int64().Draw(t, "base")),
			Ceiling: time.Duration(rapid.Int64().Draw(t, "ceiling")),
		}
		n, j := rapid.Int().Draw(t, "attempt"), rapid.Uint32().Draw(t, "jitter")
		low, d, high := governor.Backoff(p, n, 0), governor.Backoff(p, n, j), governor.Backoff(p, n, maxJitter)
		if d < 0 || d > max(p.Ceiling, 0) {
			t.Fatalf("%v is outside [0, %v]", d, p.Ceiling)
		}
		if d < low || d > high || high-low >= time.Second {
			t.Fatalf("%v is not between %v and %v", d, low, high)
		}
		if n >= 0 && n < math.MaxInt && governor.Backoff(p, n+1, j) < d {
			t.Fatal("a later attempt waits less")
		}
	})
}

func TestWhatCountsAsAnAttempt(t *testing.T) {
	for _, c := range weir.Categories() {
		if c.Throttled() && governor.Counts(c) {
			t.Errorf("%s counts as an attempt", c)
		}
	}
	for c, want := range map[weir.Category]bool{
		weir.Maintenance: false, weir.AuthDrift: false, weir.Conflict: false, weir.NotExecuted: false,
		weir.PlatformFault: true, weir.LockContention: true, weir.UnknownOutcome: true, weir.Validation: true, "novel": true,
	} {
		if governor.Counts(c) != want {
			t.Errorf("Counts(%s) = %v", c, !want)
		}
	}
}
