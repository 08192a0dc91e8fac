package emulator

import (
	"fmt"
	"strings"
	"time"
)

// The field types, in Salesforce's words.
const (
	typeID        = "id"
	typeString    = "string"
	typeEmail     = "email"
	typePhone     = "phone"
	typeURL       = "url"
	typeText      = "textarea"
	typePicklist  = "picklist"
	typeReference = "reference"
	typeBoolean   = "boolean"
	typeDouble    = "double"
	typeCurrency  = "currency"
	typeDate      = "date"
	typeDateTime  = "datetime"
)

// field is one column of an object, with what describe says about it.
type field struct {
	name, label string
	kind        string
	length      int
	required    bool // not nillable, and no default
	fixed       bool // set when created, never updated
	readOnly    bool // neither created nor updated by callers
	calculated  bool
	autoNumber  bool
	unique      bool
	restricted  bool
	unfiltered  bool // long text cannot stand in a WHERE clause
	nameField   bool
	picklist    []string
	refs        []string
	relation    string // the name by which SOQL follows the reference
	// get computes system and calculated fields; nil reads the stored value.
	get func(*record) any
}

// of returns the field's value: string, bool, float64, time.Time or nil.
func (f *field) of(r *record) any {
	if f.get != nil {
		return f.get(r)
	}
	return r.values[f.name]
}

func (f *field) custom() bool { return strings.HasSuffix(f.name, "__c") }

// text says whether the field holds a string that SOQL quotes.
func (f *field) text() bool {
	switch f.kind {
	case typeBoolean, typeDouble, typeCurrency, typeDate, typeDateTime:
		return false
	default:
		return true
	}
}

// child is a relationship seen from the parent.
type child struct {
	object, field, name string
	cascade             bool
}

// object is a table with its columns, rows and rules.
type object struct {
	name, label, plural, prefix string
	deletable                   bool
	fields                      []*field
	byName                      map[string]*field // by lower-case name
	children                    []child
	changed                     time.Time       // of the definition
	denied                      map[string]bool // "read", "update", "delete"
	rules                       []func(*record) *apiError
	rows                        []*record // ascending by id
	byID                        map[string]*record
	next                        uint64
}

func (ob *object) field(name string) *field { return ob.byName[strings.ToLower(name)] }

func (ob *object) custom() bool { return strings.HasSuffix(ob.name, "__c") }

// allowed says whether the integration user may do this to the object.
func (ob *object) allowed(action string) bool { return !ob.denied["read"] && !ob.denied[action] }

// object finds one by its name, case aside, as SOQL and URLs do.
func (o *Org) object(name string) *object {
	ob := o.objects[strings.ToLower(name)]
	if ob == nil || ob.denied["read"] {
		return nil
	}
	return ob
}

// add puts an object with its system fields into the org.
func (o *Org) add(ob *object, fields ...*field) {
	ob.byName = make(map[string]*field)
	ob.byID = make(map[string]*record)
	ob.denied = make(map[string]bool)
	ob.changed = o.born
	ob.fields = append(systemFields(), fields...)
	for _, f := range ob.fields {
		ob.byName[strings.ToLower(f.name)] = f
	}
	o.objects[strings.ToLower(ob.name)] = ob
	o.order = append(o.order, ob)
}

func systemFields() []*field {
	user := []string{"User"}
	return []*field{
		{name: "Id", label: "Record ID", kind: typeID, length: 18, readOnly: true, get: func(r *record) any { return r.id }},
		{name: "IsDeleted", label: "Deleted", kind: typeBoolean, readOnly: true, get: func(r *record) any { return r.deleted() }},
		{name: "CreatedDate", label: "Created Date", kind: typeDateTime, readOnly: true, get: func(r *record) any { return r.created }},
		{name: "CreatedById", label: "Created By ID", kind: typeReference, length: 18, readOnly: true, refs: user, relation: "CreatedBy", get: func(r *record) any { return orNil(r.createdBy) }},
		{name: "LastModifiedDate", label: "Last Modified Date", kind: typeDateTime, readOnly: true, get: func(r *record) any { return r.modified }},
		{name: "LastModifiedById", label: "Last Modified By ID", kind: typeReference, length: 18, readOnly: true, refs: user, relation: "LastModifiedBy", get: func(r *record) any { return orNil(r.modifiedBy) }},
		{name: "SystemModstamp", label: "System Modstamp", kind: typeDateTime, readOnly: true, get: func(r *record) any { return r.stamp }},
	}
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// DenyObject takes a permission from the integration user: "read", "create",
// "update" or "delete" on an object. The object "limits" with "read" stands for
// View Setup, which the limits resource wants.
func (o *Org) DenyObject(name, action string) {
	now, unlock := o.lock()
	defer unlock()
	if ob := o.objects[strings.ToLower(name)]; ob != nil {
		ob.denied[action], ob.changed = true, now
		return
	}
	o.denied[name+"/"+action] = true
}

// AllowObject gives the permission back.
func (o *Org) AllowObject(name, action string) {
	now, unlock := o.lock()
	defer unlock()
	if ob := o.objects[strings.ToLower(name)]; ob != nil {
		delete(ob.denied, action)
		ob.changed = now
		return
	}
	delete(o.denied, name+"/"+action)
}

// AlterField changes what describe says about a field from now on. Attributes:
// nillable, updateable, unique, filterable, restrictedPicklist, calculated
// (bool), length (int), type (string), visible (bool; false removes the field).
// A field that does not exist is added as a text field first.
func (o *Org) AlterField(objectName, fieldName, attribute string, value any) error {
	now, unlock := o.lock()
	defer unlock()
	ob := o.objects[strings.ToLower(objectName)]
	if ob == nil {
		return fmt.Errorf("emulator: no object %s", objectName)
	}
	f := ob.field(fieldName)
	if f == nil {
		f = &field{name: fieldName, label: fieldName, kind: typeString, length: 255}
		ob.fields = append(ob.fields, f)
		ob.byName[strings.ToLower(fieldName)] = f
	}
	ob.changed = now
	if attribute == "visible" && value == false {
		delete(ob.byName, strings.ToLower(fieldName))
		kept := make([]*field, 0, len(ob.fields))
		for _, other := range ob.fields {
			if other != f {
				kept = append(kept, other)
			}
		}
		ob.fields = kept
		return nil
	}
	return f.alter(attribute, value)
}

func (f *field) alter(attribute string, value any) error {
	flag, isFlag := value.(bool)
	switch attribute {
	case "visible":
	case "nillable":
		f.required = !flag
	case "updateable":
		f.fixed = !flag
	case "filterable":
		f.unfiltered = !flag
	case "unique":
		f.unique = flag
	case "restrictedPicklist":
		f.restricted = flag
	case "calculated":
		f.calculated = flag
	case "length":
		n, ok := toInt(value)
		if !ok {
			return fmt.Errorf("emulator: length wants a number")
		}
		f.length = n
		return nil
	case "type":
		kind, ok := value.(string)
		if !ok {
			return fmt.Errorf("emulator: type wants a string")
		}
		f.kind = kind
		return nil
	default:
		return fmt.Errorf("emulator: no attribute %q", attribute)
	}
	if !isFlag {
		return fmt.Errorf("emulator: %s wants true or false", attribute)
	}
	return nil
}

func toInt(value any) (int, bool) {
	switch n := value.(type) {
	case int:
		return n, true
	case float64:
		return int(n), true
	default:
		return 0, false
	}
}
