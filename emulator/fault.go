package emulator

import (
	"slices"
	"time"
)

// Fault is one way in which a call can go wrong.
type Fault string

// The faults. Those above the line refuse a call before anything is written.
const (
	// FaultBurstSeconds is 429 with Retry-After in seconds.
	FaultBurstSeconds Fault = "burst429-seconds"
	// FaultBurstDate is 429 with Retry-After as an HTTP date.
	FaultBurstDate Fault = "burst429-date"
	// FaultBurstBare is 429 without Retry-After.
	FaultBurstBare Fault = "burst429-bare"
	// FaultDaily is 403 REQUEST_LIMIT_EXCEEDED for the daily allocation.
	FaultDaily Fault = "daily403"
	// FaultConcurrent is 403 REQUEST_LIMIT_EXCEEDED for long-running calls.
	FaultConcurrent Fault = "concurrent403"
	// FaultAuth is 401 INVALID_SESSION_ID, and the session really is dead.
	FaultAuth Fault = "auth401"
	// FaultLostRequest drops the connection before the call is read.
	FaultLostRequest Fault = "lost-request"
	// FaultHTML is 503 with a page for people.
	FaultHTML Fault = "html503"
	// FaultPlatform is 500 UNKNOWN_EXCEPTION.
	FaultPlatform Fault = "platform500"
	// FaultRowLock is UNABLE_TO_LOCK_ROW for one record of the call.
	FaultRowLock Fault = "rowlock"
	// FaultObject fails whatever the call asks of one object: queries end with
	// QUERY_TIMEOUT, all else with UNKNOWN_EXCEPTION; its other parts go well. The
	// object is that of the match, or one of the call's. It never comes by chance.
	FaultObject Fault = "object500"

	// FaultLostAck applies the write and then drops the connection.
	FaultLostAck Fault = "lost-ack"
	// FaultLateEffect drops the connection and applies the write later.
	FaultLateEffect Fault = "late-effect"
	// FaultChanged lets another user edit a record just before it is written.
	FaultChanged Fault = "changed-between"
	// FaultSlow answers after the call has become a long one.
	FaultSlow Fault = "slow"
	// FaultTruncated cuts the JSON body of an answer short.
	FaultTruncated Fault = "truncated-json"
)

// Faults lists every kind.
func Faults() []Fault {
	return []Fault{
		FaultBurstSeconds, FaultBurstDate, FaultBurstBare, FaultDaily, FaultConcurrent,
		FaultAuth, FaultLostRequest, FaultHTML, FaultPlatform, FaultRowLock, FaultObject,
		FaultLostAck, FaultLateEffect, FaultChanged, FaultSlow, FaultTruncated,
	}
}

// Match narrows a scripted fault to some calls; its zero value matches all.
type Match struct {
	// Method is the HTTP method of the call, or of one of its subrequests.
	Method string `json:"method,omitempty"`
	// Kind is the kind of call as in [Call.Kind].
	Kind string `json:"kind,omitempty"`
	// Object is the object of the call, or of one of its subrequests; of one of
	// its queries, for FaultSlow.
	Object string `json:"object,omitempty"`
	// Writes wants a call that changes records.
	Writes bool `json:"writes,omitempty"`
}

// ScriptedFault makes chosen calls go wrong.
type ScriptedFault struct {
	Kind Fault `json:"kind"`
	// At is the first matching call that is hit, counted from 1; zero means 1.
	At int `json:"at,omitempty"`
	// Times is how many matching calls are hit; zero means 1.
	Times int `json:"times,omitempty"`
	// After holds the fault back until so long after the script was set.
	After time.Duration `json:"after,omitempty"`
	// For hits every matching call for so long after the first hit.
	For time.Duration `json:"for,omitempty"`
	// Match narrows it to some calls.
	Match Match `json:"match,omitzero"`
}

// FaultScript is a list of faults to come. The first entry that hits a call
// decides it; an entry that was passed over hits the next matching call.
type FaultScript []ScriptedFault

// rule is a scripted fault with its progress.
type rule struct {
	ScriptedFault
	any   []Match // instead of Match
	set   time.Time
	until time.Time
	seen  int
	hits  int
}

// hit says whether the rule decides this call. A rule that already stood aside
// for an earlier one counts the call as seen all the same.
func (r *rule) hit(now time.Time, c *call, taken bool) bool {
	match := slices.IndexFunc(r.any, func(m Match) bool { return m.fits(c, r.Kind) })
	if match < 0 || now.Before(r.set.Add(r.After)) || !r.Kind.can(c, true) {
		return false
	}
	r.seen++
	if !taken && r.Kind == FaultObject {
		c.breakObject(r.any[match].Object)
	}
	if taken || r.seen < max(r.At, 1) {
		return false
	}
	if r.For > 0 {
		if r.hits == 0 {
			r.until = now.Add(r.For)
		}
		if now.Before(r.until) {
			r.hits++
			return true
		}
		return false
	}
	if r.hits >= max(r.Times, 1) {
		return false
	}
	r.hits++
	return true
}

func (m Match) fits(c *call, kind Fault) bool {
	objects := c.objects
	switch {
	case m.Object == "":
	case kind == FaultObject:
		objects = c.asked()
	case kind == FaultSlow:
		objects = c.queried()
	}
	if m.Kind != "" && m.Kind != c.entry.Kind {
		return false
	}
	if m.Kind == "" && !c.api() {
		return false
	}
	return (m.Method == "" || c.methods[m.Method]) &&
		(m.Object == "" || objects[m.Object]) &&
		(!m.Writes || c.writes > 0)
}

// can says whether the fault makes sense for the call. Scripts may drop the
// answer to a read; chance does not waste its hits on that.
func (f Fault) can(c *call, scripted bool) bool {
	switch f {
	case FaultRowLock:
		return c.writes > 0
	case FaultChanged:
		return c.updates > 0
	case FaultLostAck:
		return c.writes > 0 || scripted
	case FaultLateEffect:
		return c.writes > 0 && c.route.kind != kindSOAP
	case FaultTruncated:
		return c.hasBody
	case FaultObject:
		return scripted && len(c.asked()) > 0
	case FaultDaily, FaultConcurrent, FaultAuth:
		return c.api()
	default:
		return true
	}
}

// chooseFault decides, once per call, what goes wrong with it.
func (o *Org) chooseFault(c *call, now time.Time) Fault {
	var chosen Fault
	for _, r := range o.script {
		if r.hit(now, c, chosen != "") {
			chosen, c.rule = r.Kind, r
		}
	}
	if !c.api() {
		return chosen
	}
	// The dice are thrown for every call, so that a script does not shift them.
	luck, pick := o.dice.Float64(), o.dice.Uint64()
	if chosen == "" && luck < o.options.Profile.Rate {
		chosen = o.options.Profile.pick(c, pick)
	}
	return chosen
}

// SetFaults replaces the script, the profile's own included.
func (o *Org) SetFaults(script FaultScript) {
	now, unlock := o.lock()
	defer unlock()
	o.script = nil
	o.addScript(script, now)
}

// InjectNext makes the next n calls that match go wrong. Several matches mean
// any of them; none means every call.
func (o *Org) InjectNext(kind Fault, n int, match ...Match) {
	now, unlock := o.lock()
	defer unlock()
	if len(match) == 0 {
		match = []Match{{}}
	}
	o.script = append(o.script, &rule{ScriptedFault: ScriptedFault{Kind: kind, Times: n}, any: match, set: now})
}

func (o *Org) addScript(script FaultScript, now time.Time) {
	for _, s := range script {
		o.script = append(o.script, &rule{ScriptedFault: s, any: []Match{s.Match}, set: now})
	}
}
