package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

func lower(s string) string { return strings.ToLower(s) }

// txn is what one call has written so far. Parts of a call can be undone back
// to a mark; what remains at the end becomes part of the truth.
type txn struct {
	undo     []func()
	done     []Mutation
	assigned int
}

type mark struct{ undo, done, assigned int }

func (t *txn) mark() mark { return mark{len(t.undo), len(t.done), t.assigned} }

// back undoes everything since the mark, the newest first.
func (t *txn) back(m mark) {
	for i := len(t.undo) - 1; i >= m.undo; i-- {
		t.undo[i]()
	}
	t.undo, t.done, t.assigned = t.undo[:m.undo], t.done[:m.done], m.assigned
}

// keep remembers a record as it is, so that it can be put back.
func (t *txn) keep(r *record) {
	was := *r
	was.values = maps.Clone(r.values)
	t.undo = append(t.undo, func() { *r = was })
}

// wrote notes a write that was accepted.
func (x *exec) wrote(r *record, method, hash string) {
	seq := 0
	if x.call != nil {
		seq = x.call.entry.Seq
	}
	x.tx.done = append(x.tx.done, Mutation{
		Call: seq, At: x.now, Object: r.object.name, ID: r.id, Method: method, Hash: hash, Blind: r.edited > r.shown,
	})
}

// hashFields identifies a set of fields and values without telling them.
func hashFields(fields map[string]any) string {
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		b = appendString(b, name)
		b = appendValue(b, fields[name])
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Touch lets another user of the org edit a record now. Without fields it is
// only saved again. It is false when there is no such live record or field.
func (o *Org) Touch(objectName, id string, fields map[string]any) bool {
	now, unlock := o.lock()
	defer unlock()
	ob := o.objects[lower(objectName)]
	if ob == nil {
		return false
	}
	r := o.find(ob, id, now)
	if r == nil || r.deleted() {
		return false
	}
	for name := range fields {
		if ob.field(name) == nil {
			return false
		}
	}
	o.foreignEdit(r, fields, now, false)
	return true
}

// TouchByAutomation saves a record as an automated process does: its
// SystemModstamp moves and its LastModifiedDate does not.
func (o *Org) TouchByAutomation(objectName, id string) bool {
	now, unlock := o.lock()
	defer unlock()
	ob := o.objects[lower(objectName)]
	if ob == nil {
		return false
	}
	r := o.find(ob, id, now)
	if r == nil || r.deleted() {
		return false
	}
	o.foreignEdit(r, nil, now, true)
	return true
}

func (o *Org) foreignEdit(r *record, fields map[string]any, now time.Time, automated bool) {
	for name, value := range fields {
		f := r.object.field(name)
		if value = stored(value); value == nil {
			delete(r.values, f.name)
			continue
		}
		r.values[f.name] = value
	}
	o.saved(r, now, o.colleague, automated)
	r.edited = r.version
	o.mutations = append(o.mutations, Mutation{
		At: now, Object: r.object.name, ID: r.id, Method: "update", Hash: hashFields(fields), Foreign: true,
	})
}

// saved moves the marks of a change. Salesforce keeps whole seconds, which is
// why a change within the second of a read is invisible in them.
func (o *Org) saved(r *record, now time.Time, by string, automated bool) {
	at := now.Truncate(time.Second)
	r.stamp, r.version = at, o.nextVersion()
	if !automated {
		r.modified, r.modifiedBy = at, by
	}
}

// meddle lets a colleague edit the record that is about to be updated, when
// that is the fault of this call.
func (x *exec) meddle(r *record) {
	x.call.seenUpdates++
	if x.call.seenUpdates != x.call.targetTouch || !x.call.strike(FaultChanged) {
		return
	}
	fields := map[string]any{}
	for _, name := range []string{"Department", "LeadSource", "Title", "Priority", "Origin"} {
		if f := r.object.field(name); f != nil && !f.restricted {
			fields[f.name] = "Edited " + time.Duration(x.now.Sub(x.org.born)).Truncate(time.Second).String()
			break
		}
	}
	x.org.foreignEdit(r, fields, x.now, false)
}

// contend refuses a write because somebody else holds a row, when that is the
// fault of this call. The row named is the parent's, as it mostly is.
func (x *exec) contend(r *record) *apiError {
	x.call.seenWrites++
	if x.call.seenWrites != x.call.targetWrite || !x.call.strike(FaultRowLock) {
		return nil
	}
	locked := r.id
	for _, name := range []string{"ParentId", "AccountId", "ContactId", "Contact__c", "WhoId"} {
		if id := r.str(name); id != "" {
			locked = id
			break
		}
	}
	return refusal("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: "+locked)
}

// rawFields is the body of a write before it is checked.
type rawFields map[string]json.RawMessage
