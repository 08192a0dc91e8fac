package emulator

import (
	"strings"
)

// column is a path resolved against the schema: the references to follow, then
// a field. A polymorphic reference is followed to whatever record it names.
type column struct {
	hops []*field
	// last is nil behind a polymorphic reference, where the name decides.
	last *field
	name string
	org  *Org
}

// of reads the column; a broken or empty reference gives nil.
func (c *column) of(r *record) any {
	for _, hop := range c.hops {
		if r = c.org.follow(r, hop); r == nil {
			return nil
		}
	}
	if c.last != nil {
		return c.last.of(r)
	}
	return nameField(r, c.name)
}

func (c *column) kind() string {
	if c.last == nil {
		return typeString
	}
	return c.last.kind
}

// follow goes to the live record that a reference names.
func (o *Org) follow(r *record, f *field) *record {
	id, ok := f.of(r).(string)
	if !ok || len(id) < 15 {
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

// nameField reads a field of the pseudo object that stands behind polymorphic
// references.
func nameField(r *record, name string) any {
	if name == "Type" {
		return r.object.name
	}
	if f := r.object.field(name); f != nil {
		return f.of(r)
	}
	return nil
}

func nameFields(name string) (string, bool) {
	for _, n := range []string{"Id", "Name", "FirstName", "LastName", "Email", "Phone", "Title", "Type"} {
		if strings.EqualFold(n, name) {
			return n, true
		}
	}
	return "", false
}

// resolve turns a path into a column.
func (o *Org) resolve(q *query, ob *object, p path) (*column, *apiError) {
	c := &column{org: o}
	names := p.names
	// The object's own name may stand in front: SELECT Contact.Name FROM Contact.
	if len(names) > 1 && strings.EqualFold(names[0], ob.name) && ob.relation(names[0]) == nil {
		names = names[1:]
	}
	if len(names) > 6 {
		return nil, malformed(q.text, p.at, "a relationship may be followed over five levels at most")
	}
	for i, name := range names[:len(names)-1] {
		f := ob.relation(name)
		if f == nil {
			return nil, noColumn(q, p.at, name, ob)
		}
		c.hops = append(c.hops, f)
		if len(f.refs) > 1 {
			canonical, ok := nameFields(names[len(names)-1])
			if !ok || i != len(names)-2 {
				return nil, noColumn(q, p.at, names[len(names)-1], &object{name: "Name"})
			}
			c.name = canonical
			return c, nil
		}
		if ob = o.object(f.refs[0]); ob == nil {
			return nil, noColumn(q, p.at, name, &object{name: f.refs[0]})
		}
	}
	last := names[len(names)-1]
	if c.last = ob.field(last); c.last == nil {
		return nil, noColumn(q, p.at, last, ob)
	}
	return c, nil
}

// relation finds the reference field that SOQL follows under this name.
func (ob *object) relation(name string) *field {
	for _, f := range ob.fields {
		if f.relation != "" && strings.EqualFold(f.relation, name) {
			return f
		}
	}
	return nil
}

func noColumn(q *query, at int, name string, ob *object) *apiError {
	e := malformed(q.text, at, "No such column '"+name+"' on entity '"+ob.name+
		"'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name.")
	e.code = "INVALID_FIELD"
	return e
}

func badFilter(c *column, want string) *apiError {
	name := c.name
	if c.last != nil {
		name = c.last.name
	}
	return failure(400, "INVALID_FIELD", "value of filter criterion for field '"+name+"' must be of type "+want)
}
