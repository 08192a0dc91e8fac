package emulator

import (
	"fmt"
	"strings"
	"time"
)

// record is one row. Its past is kept until it is purged and forgotten.
type record struct {
	object     *object
	id         string
	values     map[string]any
	created    time.Time
	modified   time.Time // by a user
	stamp      time.Time // by a user or by automation
	createdBy  string
	modifiedBy string
	version    uint64 // of the ETag; moves with every change
	edited     uint64 // the version that another user made last
	shown      uint64 // the version that was last read through the API
	deletedAt  time.Time
	purgedAt   time.Time
}

// binLife is how long the recycle bin keeps a record.
const binLife = 15 * 24 * time.Hour

func (r *record) str(name string) string {
	s, _ := r.values[name].(string)
	return s
}

func (r *record) deleted() bool { return !r.deletedAt.IsZero() }

// purged says whether the record has left the recycle bin, by a purge or by age.
func (r *record) purged(now time.Time) bool {
	return r.deleted() && (!r.purgedAt.IsZero() || now.Sub(r.deletedAt) >= binLife)
}

// forgotten says whether not even queryAll shows the record any longer.
func (r *record) forgotten(now time.Time, lag time.Duration) bool {
	if !r.purged(now) {
		return false
	}
	left := r.purgedAt
	if left.IsZero() {
		left = r.deletedAt.Add(binLife)
	}
	return now.Sub(left) >= lag
}

// find returns a row by its id, whatever state it is in, until it is forgotten.
func (o *Org) find(ob *object, id string, now time.Time) *record {
	short, ok := shortID(id)
	if !ok {
		return nil
	}
	r := ob.byID[short]
	if r == nil || r.forgotten(now, o.options.RecycleLag) {
		return nil
	}
	return r
}

// target follows a reference to a live record.
func (o *Org) target(r *record, fieldName string) *record {
	id := r.str(fieldName)
	if len(id) < 15 {
		return nil
	}
	ob := o.byPrefix(id[:3])
	if ob == nil {
		return nil
	}
	if t := ob.byID[id[:15]]; t != nil && !t.deleted() {
		return t
	}
	return nil
}

func (o *Org) byPrefix(prefix string) *object {
	for _, ob := range o.order {
		if ob.prefix == prefix {
			return ob
		}
	}
	return nil
}

// insert makes a row without asking any rule.
func (o *Org) insert(ob *object, values map[string]any, at time.Time, by string) *record {
	ob.next++
	at = at.UTC().Truncate(time.Second)
	r := &record{
		object: ob, id: makeID(ob.prefix, ob.next), values: values,
		created: at, modified: at, stamp: at, createdBy: by, modifiedBy: by, version: o.nextVersion(),
	}
	for _, f := range ob.fields {
		if f.autoNumber {
			values[f.name] = fmt.Sprintf("%08d", 1000+ob.next)
		} else if f.kind == typeBoolean && f.get == nil && values[f.name] == nil {
			values[f.name] = false
		}
	}
	if f := ob.field("OwnerId"); f != nil && values["OwnerId"] == nil {
		values["OwnerId"] = orNil(by)
	}
	ob.rows = append(ob.rows, r)
	ob.byID[r.id[:15]] = r
	return r
}

func (o *Org) nextVersion() uint64 {
	o.versions++
	return o.versions
}

// Put adds a record as an old import would have: no rule is asked and nothing
// is normalised. It panics on an object or a field that does not exist. Values
// are string, bool, int, float64, time.Time or nil.
func (o *Org) Put(objectName string, fields map[string]any) (id string) {
	now, unlock := o.lock()
	defer unlock()
	r, err := o.put(objectName, fields, now)
	if err != nil {
		panic(err)
	}
	return r.id
}

func (o *Org) put(objectName string, fields map[string]any, now time.Time) (*record, error) {
	ob := o.objects[strings.ToLower(objectName)]
	if ob == nil {
		return nil, fmt.Errorf("emulator: no object %s", objectName)
	}
	values := make(map[string]any, len(fields))
	created := now
	for name, value := range fields {
		f := ob.field(name)
		if f == nil {
			return nil, fmt.Errorf("emulator: %s has no field %s", ob.name, name)
		}
		if at, ok := value.(time.Time); ok && f.name == "CreatedDate" {
			created = at
			continue
		}
		if value = stored(value); value != nil {
			values[f.name] = value
		}
	}
	return o.insert(ob, values, created, o.admin), nil
}

// stored brings a Go value to the forms that records hold.
func stored(value any) any {
	switch v := value.(type) {
	case int:
		return float64(v)
	case string:
		return orNil(v)
	case time.Time:
		return v.UTC()
	default:
		return value
	}
}

// Record returns a copy of a record with its system fields. It is false when
// there is none, or when it was purged; a record in the recycle bin has
// IsDeleted true.
func (o *Org) Record(objectName, id string) (map[string]any, bool) {
	now, unlock := o.lock()
	defer unlock()
	ob := o.objects[strings.ToLower(objectName)]
	if ob == nil {
		return nil, false
	}
	r := o.find(ob, id, now)
	if r == nil || r.purged(now) {
		return nil, false
	}
	all := make(map[string]any, len(ob.fields))
	for _, f := range ob.fields {
		all[f.name] = f.of(r)
	}
	return all, true
}

// Find returns the ids of the live records whose field equals the value, case
// aside, in ascending order.
func (o *Org) Find(objectName, fieldName string, value any) []string {
	_, unlock := o.lock()
	defer unlock()
	ob := o.objects[strings.ToLower(objectName)]
	if ob == nil {
		return nil
	}
	f := ob.field(fieldName)
	if f == nil {
		return nil
	}
	var ids []string
	for _, r := range ob.rows {
		if !r.deleted() && sameValue(f.of(r), stored(value)) {
			ids = append(ids, r.id)
		}
	}
	return ids
}

func sameValue(a, b any) bool {
	s, sIsText := a.(string)
	t, tIsText := b.(string)
	if sIsText && tIsText {
		return strings.EqualFold(s, t)
	}
	return a == b
}
