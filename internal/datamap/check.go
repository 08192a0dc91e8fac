package datamap

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/weirhq/weir"
)

// Severity says whether a finding stops a plan.
type Severity string

// The severities.
const (
	Block Severity = "block" // no plan is made
	Warn  Severity = "warn"  // a person should know
)

// Finding is one disagreement between the map and what describe says.
type Finding struct {
	Pos      Pos      `json:"pos"`
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Fix      string   `json:"fix"`
}

// checker collects the findings about one map.
type checker struct {
	schemas  map[string]weir.ObjectSchema
	findings []Finding
}

// Check compares the map with the described objects, by name. Findings are in
// the order of the file.
func (m *Map) Check(schemas map[string]weir.ObjectSchema) []Finding {
	c := &checker{schemas: schemas}
	for _, e := range m.Identify {
		if s, ok := c.object(e.Object, e.Pos); ok {
			c.identify(e, s)
		}
		if o, ok := m.objects[e.Object]; !ok || o.Erase == nil || o.Access == nil {
			c.warn(e.Pos, "no-rule", "say under objects what access and erase do",
				"%s is found, but access or erase has no rule for it", e.Object)
		}
	}
	for _, o := range m.Objects() {
		s, ok := c.object(o.Name, o.Pos)
		if !ok {
			continue
		}
		c.links(o, s)
		c.access(o, s)
		c.settings(o.OptOut, s)
		for _, f := range o.Rectify {
			c.updateable(f, s)
		}
		if o.Erase != nil {
			c.erase(o, s)
			c.withheldChildren(m, o)
		}
	}
	for _, ref := range m.Decide {
		if s, ok := c.object(ref.Object, ref.Pos); ok {
			c.field(Name{Text: ref.Field, Pos: ref.Pos}, s)
		}
	}
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return slices.Compact(c.findings)
}

func (c *checker) block(at Pos, code, fix, format string, args ...any) {
	c.findings = append(c.findings, Finding{
		Pos: at, Severity: Block, Code: code, Message: fmt.Sprintf(format, args...), Fix: fix,
	})
}

func (c *checker) warn(at Pos, code, fix, format string, args ...any) {
	c.findings = append(c.findings, Finding{
		Pos: at, Severity: Warn, Code: code, Message: fmt.Sprintf(format, args...), Fix: fix,
	})
}

func (c *checker) object(name string, at Pos) (weir.ObjectSchema, bool) {
	s, ok := c.schemas[name]
	if !ok {
		c.block(at, "unknown-object", "remove the object, or grant the integration user access to it",
			"the org shows no object %s%s", name, hint(name, sortedKeys(c.schemas)))
		return s, false
	}
	if !s.Queryable {
		c.block(at, "not-queryable", "remove the object from the map", "%s cannot be queried", name)
	}
	return s, true
}

func (c *checker) field(f Name, s weir.ObjectSchema) (weir.FieldSchema, bool) {
	schema, ok := s.Field(f.Text)
	if !ok {
		var known []string
		for _, other := range s.Fields {
			known = append(known, other.Name)
		}
		c.block(f.Pos, "unknown-field", "correct the name, or grant the integration user access to the field",
			"%s has no field %s%s", s.Name, f.Text, hint(f.Text, known))
	}
	return schema, ok
}

func (c *checker) filterable(f Name, s weir.ObjectSchema) (weir.FieldSchema, bool) {
	schema, ok := c.field(f, s)
	if ok && !schema.Filterable {
		c.block(f.Pos, "not-filterable", "use a field that can stand in a WHERE clause",
			"%s.%s cannot be used to find records", s.Name, f.Text)
	}
	return schema, ok
}

func (c *checker) identify(e Identify, s weir.ObjectSchema) {
	for _, match := range e.Match {
		for _, f := range match.Fields {
			c.filterable(f, s)
		}
	}
	if e.Where != nil {
		c.filterable(e.Where.Field, s)
	}
}

func (c *checker) links(o *Object, s weir.ObjectSchema) {
	for _, l := range o.Links {
		f, ok := c.filterable(l.Field, s)
		if !ok {
			continue
		}
		for _, p := range l.Parents {
			if f.Type != "reference" || !slices.Contains(f.References, p.Text) {
				c.block(l.Field.Pos, "wrong-link", "name the lookup that points at "+p.Text,
					"%s.%s does not point at %s", s.Name, l.Field.Text, p.Text)
			}
		}
	}
	for _, name := range o.SharedBy {
		if f, ok := c.field(name, s); ok && f.Type != "reference" {
			c.block(name.Pos, "wrong-link", "name a lookup", "%s.%s is not a lookup", s.Name, name.Text)
		}
	}
}

func (c *checker) access(o *Object, s weir.ObjectSchema) {
	if o.Access == nil {
		return
	}
	for _, name := range o.Access.Fields {
		if f, ok := c.field(name, s); ok && binary(f) {
			c.block(name.Pos, "binary-field", "remove the field; files are not exported in this version",
				"%s.%s is binary", s.Name, name.Text)
		}
	}
	for _, label := range sortedKeys(o.Access.Labels) {
		if _, ok := s.Field(label); !ok {
			c.warn(o.Access.Pos, "unknown-label", "remove the label or correct the name",
				"%s has no field %s to label", s.Name, label)
		}
	}
	if len(o.Access.Resolve(s)) == 0 {
		c.block(o.Access.Pos, "no-fields", "list the fields by name", "%s has no readable field for access", s.Name)
	}
}
