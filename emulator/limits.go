package emulator

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// admit decides whether the platform takes a call that costs so many, and
// counts it when it does. A call that is refused must not reach any write.
func (o *Org) admit(c *call, token string, cost int, now time.Time) *apiError {
	s := o.sessions[token]
	if s == nil || now.Sub(s.used) >= o.options.SessionIdle {
		delete(o.sessions, token)
		return invalidSession()
	}
	if c.strike(FaultAuth) {
		delete(o.sessions, token)
		return invalidSession()
	}
	s.used = now
	c.session = s
	limits := o.options.Limits
	if c.strike(FaultDaily) || o.exhausted(now) {
		return dailyExceeded()
	}
	if limits.AppDaily > 0 && o.own.used(now) >= limits.AppDaily {
		return failure(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "PerAppRequests Limit exceeded.")
	}
	if o.org.used(now) >= limits.DailyAPI {
		o.bursts++
	}
	o.org.add(now, cost)
	o.own.add(now, cost)
	// A call refused for concurrency has reached the platform, and counts.
	if c.strike(FaultConcurrent) || o.longCalls(now) >= limits.LongCap {
		return concurrentExceeded()
	}
	if c.strike(FaultPlatform) {
		return unexpected()
	}
	return nil
}

func (o *Org) exhausted(now time.Time) bool {
	limits := o.options.Limits
	return o.org.used(now) >= limits.DailyAPI && (!limits.Soft || o.bursts >= limits.Bursts)
}

// longCalls is how many calls have been running for LongAfter or longer.
func (o *Org) longCalls(now time.Time) int {
	n := 0
	for _, since := range o.running {
		if now.Sub(since) >= o.options.Limits.LongAfter {
			n++
		}
	}
	return n
}

// report writes the usage into the headers of an answer that the platform made.
// No source tells whether a 401 carries it; here it does not.
func (o *Org) report(h http.Header, status int, now time.Time) {
	if status == http.StatusUnauthorized {
		return
	}
	limits := o.options.Limits
	value := fmt.Sprintf("api-usage=%d/%d", o.org.reported(now, limits.CounterLag), limits.DailyAPI)
	if limits.AppDaily > 0 {
		value += fmt.Sprintf("; per-app-api-usage=%d/%d(appName=%s)", o.own.reported(now, limits.CounterLag), limits.AppDaily, limits.AppName)
	}
	if limits.Soft {
		value += fmt.Sprintf("; api-bursts=%d/%d", o.bursts, limits.Bursts)
	}
	if limits.LowerCaseHeader {
		h["sforce-limit-info"] = []string{value}
	} else {
		h.Set("Sforce-Limit-Info", value)
	}
}

// gate is a burst refusal that lasts: until it opens, every call is refused.
type gate struct {
	until    time.Time
	answer   Fault
	promised bool // the caller was told how long to wait
}

// bucket is the hidden burst limit.
type bucket struct {
	tokens float64
	at     time.Time
}

// take spends a token, or says how long it is until there is one.
func (b *bucket) take(rate float64, size int, now time.Time) (time.Duration, bool) {
	b.tokens = math.Min(float64(size), b.tokens+rate*now.Sub(b.at).Seconds())
	b.at = now
	if b.tokens >= 1 {
		b.tokens--
		return 0, true
	}
	return time.Duration((1 - b.tokens) / rate * float64(time.Second)), false
}

// edge is what refuses a call before Salesforce sees it: no usage is counted
// and no header is sent.
func (o *Org) edge(c *call, now time.Time) *reply {
	if c.strike(FaultHTML) {
		return maintenance()
	}
	for _, f := range []Fault{FaultBurstSeconds, FaultBurstDate, FaultBurstBare} {
		if c.strike(f) {
			o.gate = gate{until: now.Add(o.gateTime()), answer: f, promised: f != FaultBurstBare}
		}
	}
	if !c.api() {
		return nil
	}
	if now.Before(o.gate.until) {
		if o.gate.promised && c.entry.Fault == "" {
			o.early++
		}
		return tooMany(o.gate.answer, o.gate.until, now)
	}
	limits := o.options.Limits
	if limits.BurstRate <= 0 {
		return nil
	}
	wait, ok := o.bucket.take(limits.BurstRate, limits.BurstSize, now)
	if ok {
		return nil
	}
	return tooMany(limits.BurstAnswer, now.Add(wait), now)
}

func (o *Org) gateTime() time.Duration {
	if d := o.options.Profile.GateFor; d > 0 {
		return d
	}
	return time.Duration(2+o.dice.IntN(8)) * time.Second
}

// tooMany is a 429 with what it promises rounded up, so that a caller who keeps
// to it is not early.
func tooMany(answer Fault, until, now time.Time) *reply {
	r := emptyReply(http.StatusTooManyRequests)
	switch answer {
	case FaultBurstSeconds:
		seconds := int(math.Ceil(until.Sub(now).Seconds()))
		r.header.Set("Retry-After", strconv.Itoa(max(seconds, 1)))
	case FaultBurstDate:
		at := until.Add(time.Second - 1).UTC().Truncate(time.Second)
		r.header.Set("Retry-After", at.Format(http.TimeFormat))
	default:
	}
	return r
}

// gateway adds the headers of a gateway in front of the org.
func (o *Org) gateway(h http.Header, now time.Time) {
	if !o.options.Limits.GatewayHeaders {
		return
	}
	left := int(o.bucket.tokens)
	if o.options.Limits.BurstRate <= 0 {
		left = o.options.Limits.DailyAPI - o.org.used(now)
	}
	if now.Before(o.gate.until) {
		left = 0
	}
	h.Set("X-Rate-Limit-Remaining", strconv.Itoa(max(left, 0)))
	h.Set("X-Rate-Limit-Concurrent", strconv.Itoa(len(o.running)))
}
