package governor_test

import (
	"math"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
)

// drawPolicy draws one that Validate takes, and often the default; the law of
// hidden rates is on in every other.
func drawPolicy(t *rapid.T) governor.Policy {
	p := governor.DefaultPolicy()
	p.LearnRate, p.NoticeRate = rapid.Bool().Draw(t, "learns the rate"), rapid.Bool().Draw(t, "notices the rate")
	if rapid.Bool().Draw(t, "otherwise the default") {
		return p
	}
	span := func(name string, least, most time.Duration) time.Duration {
		return time.Duration(rapid.Int64Range(int64(least), int64(most)).Draw(t, name))
	}
	number := func(name string, least, most int) int { return rapid.IntRange(least, most).Draw(t, name) }
	p.Base = span("base", 1, time.Minute)
	p.Ceiling = span("ceiling", p.Base, time.Hour)
	p.LockBase = span("lock base", 1, time.Second)
	p.LockCeiling = span("lock ceiling", p.LockBase, time.Minute)
	p.Retries, p.LockRetries, p.ConflictRetries = number("retries", 0, 9), number("lock retries", 0, 9), number("conflict retries", 0, 9)
	p.Settle, p.Regrow = span("settle", 1, time.Minute), span("regrow", 1, time.Hour)
	p.Slots, p.LongCap, p.SlowCap = number("slots", 1, 40), number("long cap", 1, 25), span("slow wait", time.Second, time.Hour)
	p.Share, p.QuietShare, p.Swell = number("share", 1, 1000), number("quiet share", 0, 1000), number("swell", 0, 1000)
	p.FloorCalls, p.FloorShare = int64(number("floor calls", 0, 2000)), number("floor share", 0, 999)
	p.ProbeBlind, p.ProbeFirst = span("probe blind", 1, time.Hour), span("probe first", 1, time.Hour)
	p.ProbeMax = span("probe max", p.ProbeFirst, 2*time.Hour)
	if err := p.Validate(); err != nil {
		t.Fatalf("drew %v", err)
	}
	return p
}

var readingKinds = []weir.ReadingKind{
	weir.ReadDaily, weir.ReadApp, weir.ReadBursts, weir.ReadConcurrent, weir.ReadRemaining, weir.ReadRetryAfter, weir.ReadOther,
}

// drawReadings draws readings as the classifier gives them or, when hostile,
// as nothing should ever give them.
func drawReadings(t *rapid.T, now time.Time, hostile bool) []weir.Reading {
	numbers := rapid.Int64Range(0, 2000)
	if hostile {
		numbers = rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, -1, math.MaxInt64, math.MinInt64}))
	}
	var out []weir.Reading
	for range rapid.IntRange(0, 3).Draw(t, "readings") {
		out = append(out, weir.Reading{
			Kind: rapid.SampledFrom(readingKinds).Draw(t, "kind"), Used: numbers.Draw(t, "used"),
			Limit: numbers.Draw(t, "limit"), At: now, App: "weir",
		})
	}
	return out
}

func drawFault(t *rapid.T, hostile bool) *weir.Fault {
	if rapid.Bool().Draw(t, "succeeded") {
		return nil
	}
	f := &weir.Fault{
		Category: rapid.SampledFrom(append(weir.Categories(), "novel")).Draw(t, "category"),
		Scope:    rapid.SampledFrom([]weir.Scope{weir.ScopeOrg, weir.ScopeUser, weir.ScopeObject, weir.ScopeRecord, weir.ScopeCall}).Draw(t, "scope"),
		Effect:   rapid.SampledFrom([]weir.Effect{weir.EffectNone, weir.EffectUnknown}).Draw(t, "effect"),
		Code:     "CODE", Status: 503,
	}
	if rapid.Bool().Draw(t, "asks to wait") {
		f.RetryAfter = time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "retry-after"))
		if hostile {
			f.RetryAfter = time.Duration(rapid.Int64().Draw(t, "hostile retry-after"))
		}
	}
	return f
}

func drawOutcome(t *rapid.T, now time.Time, hostile bool) weir.Outcome {
	o := weir.Outcome{
		Now: now, SentAt: now.Add(-time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "took"))),
		Cost: rapid.IntRange(0, 3).Draw(t, "cost"), Jitter: rapid.Uint32().Draw(t, "jitter"),
		Readings: drawReadings(t, now, hostile), Fault: drawFault(t, hostile),
		Attempts: rapid.IntRange(0, 9).Draw(t, "attempts"), Conflicts: rapid.IntRange(0, 4).Draw(t, "conflicts"),
		InFlight: rapid.IntRange(0, 9).Draw(t, "in flight"), Long: rapid.IntRange(0, 3).Draw(t, "long"),
	}
	if rapid.Bool().Draw(t, "is about an object") {
		o.Object, o.Mutates, o.ReadBack = drawObject(t), rapid.Bool().Draw(t, "mutates"), rapid.IntRange(0, 9).Draw(t, "read back") == 0
		if rapid.IntRange(0, 5).Draw(t, "did something") == 0 {
			o.Answered = []string{o.Object, drawObject(t)}
		}
	}
	if rapid.Bool().Draw(t, "has a due date") {
		o.DueAt = now.Add(time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "slack")))
		o.Remaining = time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "remaining"))
	}
	if hostile {
		moments := rapid.Map(rapid.Int64(), func(s int64) time.Time { return time.Unix(s>>28, s&0xfffff).UTC() })
		// Years from 883 to 3057: what JSON can hold and the arithmetic cannot.
		o.Now, o.SentAt, o.DueAt = moments.Draw(t, "now"), moments.Draw(t, "sent"), moments.Draw(t, "due")
		o.Remaining = time.Duration(rapid.Int64().Draw(t, "hostile remaining"))
		o.Cost, o.Attempts = rapid.Int().Draw(t, "hostile cost"), rapid.Int().Draw(t, "hostile attempts")
		o.Long = rapid.Int().Draw(t, "hostile long")
		o.Conflicts, o.InFlight = rapid.Int().Draw(t, "hostile conflicts"), rapid.Int().Draw(t, "hostile in flight")
	}
	return o
}

func drawAsk(t *rapid.T, now time.Time) weir.Ask {
	return weir.Ask{
		Now: now, Cost: rapid.IntRange(0, 3).Draw(t, "asked cost"), InFlight: rapid.IntRange(0, 9).Draw(t, "open"),
		Long: rapid.IntRange(0, 6).Draw(t, "open long"), Likely: rapid.IntRange(0, 6).Draw(t, "likely"),
		Urgent: rapid.Bool().Draw(t, "urgent"), Object: drawObject(t), Mutates: rapid.Bool().Draw(t, "asks to mutate"),
	}
}

// drawObject draws one of a few objects, so that rows of failures come about.
func drawObject(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "Case", "Case", "Contact", "Lead"}).Draw(t, "object")
}
