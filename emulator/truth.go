package emulator

import (
	"maps"
	"slices"
	"time"
)

// Call is one entry of the org's log. It holds no values and no ids.
type Call struct {
	Seq        int       `json:"seq"`
	At         time.Time `json:"at"`
	Method     string    `json:"method"`
	Kind       string    `json:"kind"`
	Agent      string    `json:"agent,omitempty"` // the caller's User-Agent
	Route      string    `json:"route"`
	Object     string    `json:"object,omitempty"`
	Status     int       `json:"status"` // 0: no answer was sent
	Code       string    `json:"code,omitempty"`
	Fault      Fault     `json:"fault,omitempty"`
	Parts      int       `json:"parts,omitempty"`  // subrequests or records
	Writes     int       `json:"writes,omitempty"` // records that it asks to change, counted on arrival
	UsedBefore int       `json:"used_before"`
	Used       int       `json:"used"`
	Limit      int       `json:"limit"`
}

// Mutation is one write that the org accepted.
type Mutation struct {
	Call   int       `json:"call"` // sequence of the call; 0 for other people's
	At     time.Time `json:"at"`
	Object string    `json:"object"`
	ID     string    `json:"id"`
	// Method is create, update, delete, cascade or purge.
	Method string `json:"method"`
	// Hash tells the fields and values of the write apart from others, and
	// tells nothing else about them.
	Hash string `json:"hash,omitempty"`
	// Blind is true when another user had changed the record after it was last
	// read through the API: the write was accepted unseen over theirs.
	Blind bool `json:"blind,omitempty"`
	// Foreign is true for what other users did.
	Foreign bool `json:"foreign,omitempty"`
}

// RecordTruth is what happened to one record.
type RecordTruth struct {
	Object  string     `json:"object"`
	ID      string     `json:"id"`
	Writes  []Mutation `json:"writes"`
	Deleted bool       `json:"deleted,omitempty"`
	Purged  bool       `json:"purged,omitempty"`
}

// Truth is what really happened in the org, whatever the answers said.
type Truth struct {
	// Records holds every record that anybody wrote, by id.
	Records map[string]RecordTruth `json:"records"`
	// Mutations are the accepted writes in order.
	Mutations []Mutation `json:"mutations"`
	// Calls counts by kind, Rejected by error code, Faults by kind of fault.
	Calls    map[string]int `json:"calls"`
	Rejected map[string]int `json:"rejected"`
	Faults   map[Fault]int  `json:"faults"`
	// Usage is the org's usage before each call that counts.
	Usage []UsagePoint `json:"usage"`
	// Busiest is the highest number of calls that were open at once; those for
	// tokens do not count, as in the org.
	Busiest int `json:"busiest"`
	// BusiestLong is the highest number of calls that had been open for
	// Limits.LongAfter at once.
	BusiestLong int `json:"busiest_long"`
	// Early counts the calls sent before a Retry-After that was given ended.
	Early int `json:"early"`
	// NeighboursDenied counts the calls that other integrations could not make.
	NeighboursDenied int `json:"neighbours_denied"`
	// Assignments counts the writes that set off assignment rules, which send
	// e-mail to people.
	Assignments int `json:"assignments"`
	Logins      int `json:"logins"`
}

// UsagePoint is the allocation as it was when a call arrived.
type UsagePoint struct {
	Call  int       `json:"call"`
	At    time.Time `json:"at"`
	Used  int       `json:"used"`
	Limit int       `json:"limit"`
}

// Log returns a copy of the log.
func (o *Org) Log() []Call { return o.logAfter(0) }

func (o *Org) logAfter(seq int) []Call {
	_, unlock := o.lock()
	defer unlock()
	out := make([]Call, 0, len(o.log))
	for _, c := range o.log[min(max(seq, 0), len(o.log)):] {
		out = append(out, *c)
	}
	return out
}

// Truth returns what happened so far.
func (o *Org) Truth() Truth {
	now, unlock := o.lock()
	defer unlock()
	t := Truth{
		Records: make(map[string]RecordTruth), Mutations: slices.Clone(o.mutations), Calls: make(map[string]int),
		Rejected: maps.Clone(o.rejected), Faults: maps.Clone(o.faults), Early: o.early, Busiest: o.busiest, BusiestLong: o.longest,
		NeighboursDenied: o.denials, Assignments: o.assigned,
	}
	for _, c := range o.log {
		t.Calls[c.Kind]++
		switch c.Kind {
		case kindToken:
			t.Logins++
			continue
		case kindVersions, kindUnknown:
			continue
		}
		t.Usage = append(t.Usage, UsagePoint{c.Seq, c.At, c.UsedBefore, c.Limit})
	}
	for _, m := range o.mutations {
		r := t.Records[m.ID]
		r.Object, r.ID = m.Object, m.ID
		r.Writes = append(r.Writes, m)
		if row := o.objects[lower(m.Object)].byID[m.ID[:15]]; row != nil {
			r.Deleted, r.Purged = row.deleted(), row.purged(now)
		}
		t.Records[m.ID] = r
	}
	return t
}

// Doubled lists the writes of ours that were accepted although the same logical
// mutation had been accepted before, and nobody else had touched the record in
// between.
func (t Truth) Doubled() []Mutation {
	type mutation struct{ id, method, hash string }
	seen := make(map[string]map[mutation]bool)
	var out []Mutation
	for _, m := range t.Mutations {
		if m.Foreign {
			delete(seen, m.ID)
			continue
		}
		if m.Method == "cascade" {
			continue
		}
		k := mutation{m.ID, m.Method, m.Hash}
		if seen[m.ID][k] {
			out = append(out, m)
			continue
		}
		if seen[m.ID] == nil {
			seen[m.ID] = make(map[mutation]bool)
		}
		seen[m.ID][k] = true
	}
	return out
}

// Overwritten lists our updates and deletions that were accepted although
// another user had changed the record after we last read it.
func (t Truth) Overwritten() []Mutation {
	var out []Mutation
	for _, m := range t.Mutations {
		if m.Blind && !m.Foreign && (m.Method == "update" || m.Method == "delete") {
			out = append(out, m)
		}
	}
	return out
}

// TouchedOutside lists our writes to records that are not among the allowed
// ids. What a cascade deleted counts too.
func (t Truth) TouchedOutside(allowed map[string]bool) []Mutation {
	var out []Mutation
	for _, m := range t.Mutations {
		if !m.Foreign && !allowed[m.ID] {
			out = append(out, m)
		}
	}
	return out
}

// CallsBelow counts the calls that were sent while no more than this many calls
// were left of the allocation.
func (t Truth) CallsBelow(floor int) int {
	n := 0
	for _, u := range t.Usage {
		if u.Limit-u.Used <= floor {
			n++
		}
	}
	return n
}

// commit makes the writes of a call part of the truth.
func (o *Org) commit(tx *txn) {
	o.mutations = append(o.mutations, tx.done...)
	o.assigned += tx.assigned
	*tx = txn{}
}
