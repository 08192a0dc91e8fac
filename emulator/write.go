package emulator

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// live finds the record that a row call names, or says why there is none.
func (x *exec) live(objectName, id string) (*object, *record, *apiError) {
	ob := x.org.object(objectName)
	if ob == nil {
		return nil, nil, notFound()
	}
	if short, ok := shortID(id); !ok || !strings.HasPrefix(short, ob.prefix) {
		return ob, nil, refusal("MALFORMED_ID", ob.label+" ID: id value of incorrect type: "+id, "Id")
	}
	r := x.org.find(ob, id, x.now)
	if r == nil {
		return ob, nil, notFound()
	}
	if r.deleted() {
		return ob, nil, entityDeleted()
	}
	return ob, r, nil
}

// update changes a live record as its rules allow.
func (x *exec) update(r *record, raw rawFields) *apiError {
	if x.call.breaks(r.object.name) {
		return unexpected()
	}
	if !r.object.allowed("update") {
		return noAccess()
	}
	if err := x.contend(r); err != nil {
		return err
	}
	if err := locked(r); err != nil {
		return err
	}
	if converted, _ := r.values["IsConverted"].(bool); converted {
		return refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
	}
	changes, err := x.convert(r.object, raw, false)
	if err != nil {
		return err
	}
	proposed := *r
	proposed.values = maps.Clone(r.values)
	apply(proposed.values, changes)
	if err := x.check(&proposed, changes, false); err != nil {
		return err
	}
	x.tx.keep(r)
	r.values = proposed.values
	x.org.saved(r, x.now, x.org.user, false)
	x.assign(r.object)
	x.wrote(r, "update", hashFields(changes))
	return nil
}

func apply(values, changes map[string]any) {
	for name, value := range changes {
		if value == nil {
			delete(values, name)
			continue
		}
		values[name] = value
	}
}

// create adds a record as the rules allow.
func (x *exec) create(ob *object, raw rawFields) (*record, *apiError) {
	if x.call.breaks(ob.name) {
		return nil, unexpected()
	}
	if !ob.allowed("create") {
		return nil, noAccess()
	}
	values, err := x.convert(ob, raw, true)
	if err != nil {
		return nil, err
	}
	hash := hashFields(values)
	proposed := &record{object: ob, values: make(map[string]any)}
	apply(proposed.values, values)
	if err := x.contend(proposed); err != nil {
		return nil, err
	}
	if err := x.check(proposed, values, true); err != nil {
		return nil, err
	}
	r := x.org.insert(ob, proposed.values, x.now, x.org.user)
	x.tx.undo = append(x.tx.undo, func() {
		ob.rows = ob.rows[:len(ob.rows)-1]
		delete(ob.byID, r.id[:15])
	})
	x.assign(ob)
	x.wrote(r, "create", hash)
	return r, nil
}

// assign counts what fires when a caller does not say Sforce-Auto-Assign: FALSE.
// The default is TRUE, and assignment rules send e-mail to people.
func (x *exec) assign(ob *object) {
	if ob.name != "Case" && ob.name != "Lead" && ob.name != "Account" {
		return
	}
	if !strings.EqualFold(x.header.Get("Sforce-Auto-Assign"), "FALSE") {
		x.tx.assigned++
	}
}

// locked refuses to touch a record that waits in an approval process, or over which
// a trigger throws.
func locked(r *record) *apiError {
	switch r.str("Approval_Status__c") {
	case "Pending":
		return refusal("ENTITY_IS_LOCKED", "the entity is locked for editing")
	case "Disputed":
		return refusal(triggerFailed, "CaseTrigger: execution of BeforeDelete caused by: System.NullPointerException: Attempt to de-reference a null object")
	}
	return nil
}

const triggerFailed = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"

// remove puts a record, and what hangs on it, into the recycle bin.
func (x *exec) remove(r *record) *apiError {
	if x.call.breaks(r.object.name) {
		return unexpected()
	}
	if !r.object.deletable || !r.object.allowed("delete") {
		return noAccess()
	}
	if err := x.contend(r); err != nil {
		return err
	}
	if err := locked(r); err != nil {
		return err
	}
	if r.str("Approval_Status__c") == "Audit" {
		return refusal("DELETE_FAILED", fmt.Sprintf("Your attempt to delete %v could not be completed because it is "+
			"associated with the following relationships.", r.str("Subject")))
	}
	if err := x.lockedBelow(r); err != nil {
		return err
	}
	x.discard(r, "delete")
	return nil
}

// lockedBelow refuses when a cascade would meet a locked record.
func (x *exec) lockedBelow(r *record) *apiError {
	var found *apiError
	x.eachChild(r, func(c child, row *record) {
		if c.cascade && found == nil {
			if found = locked(row); found == nil {
				found = x.lockedBelow(row)
			}
		}
	})
	return found
}

// discard deletes softly: children that belong to the record go with it, and
// other references to it are emptied.
func (x *exec) discard(r *record, method string) {
	x.tx.keep(r)
	r.deletedAt = x.now
	r.stamp, r.version = x.now.Truncate(time.Second), x.org.nextVersion()
	x.wrote(r, method, "")
	x.eachChild(r, func(c child, row *record) {
		if c.cascade {
			x.discard(row, "cascade")
			return
		}
		x.tx.keep(row)
		delete(row.values, c.field)
		row.stamp, row.version = x.now.Truncate(time.Second), x.org.nextVersion()
	})
}

// eachChild visits the live records that refer to this one.
func (x *exec) eachChild(r *record, visit func(child, *record)) {
	for _, c := range r.object.children {
		ob := x.org.objects[lower(c.object)]
		if ob == nil {
			continue
		}
		for _, row := range ob.rows {
			if !row.deleted() && row.str(c.field) == r.id {
				visit(c, row)
			}
		}
	}
}

// purge takes a record, and what a cascade deleted with it, out of the bin for
// ever. It stays visible in queryAll for a while.
func (x *exec) purge(ob *object, id string) *apiError {
	r := x.org.find(ob, id, x.now)
	if r == nil || r.purged(x.now) {
		return entityDeleted()
	}
	if !r.deleted() {
		return &apiError{status: http.StatusBadRequest, code: "INVALID_ID_FIELD", message: "record is not in the recycle bin"}
	}
	if !ob.allowed("delete") {
		return noAccess()
	}
	if err := x.contend(r); err != nil {
		return err
	}
	x.tx.keep(r)
	r.purgedAt = x.now
	x.wrote(r, "purge", "")
	for _, c := range ob.children {
		other := x.org.objects[lower(c.object)]
		for _, row := range other.rows {
			if c.cascade && row.deletedAt.Equal(r.deletedAt) && row.str(c.field) == r.id && !row.purged(x.now) {
				x.tx.keep(row)
				row.purgedAt = x.now
				x.wrote(row, "cascade", "purge")
			}
		}
	}
	return nil
}
