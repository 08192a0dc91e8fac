package datamap

import (
	"regexp"
	"slices"
	"strings"

	"github.com/weirhq/weir"
)

// erase checks that the org will accept what erasure is going to do.
func (c *checker) erase(o *Object, s weir.ObjectSchema) {
	e := o.Erase
	switch e.How {
	case weir.ActDelete:
		if !s.Deletable {
			c.block(e.HowPos, "not-deletable", "grant Delete on the object, or anonymise it",
				"the integration user cannot delete %s", s.Name)
		}
		if len(o.SharedBy) > 0 {
			c.unlink(o, s)
		}
	case weir.ActUnlink:
		c.unlink(o, s)
		c.settings(e.Set, s)
	case weir.ActAnonymise:
		if !s.Updateable {
			c.block(e.HowPos, "not-updateable", "grant Edit on the object",
				"the integration user cannot change %s", s.Name)
		}
		c.settings(e.Set, s)
		c.uncovered(o, s)
	case weir.ActWithhold, weir.ActExport:
	}
}

// unlink checks the lookups that would be cleared.
func (c *checker) unlink(o *Object, s weir.ObjectSchema) {
	fields := o.Erase.Unlink
	if len(fields) == 0 {
		for _, l := range o.Links {
			fields = append(fields, l.Field)
		}
	}
	for _, name := range fields {
		f, ok := c.updateable(name, s)
		if !ok {
			continue
		}
		if f.Type != "reference" {
			c.block(name.Pos, "wrong-link", "name a lookup; other fields belong under set",
				"%s.%s is not a lookup", s.Name, name.Text)
		}
		if !f.Nillable {
			c.block(name.Pos, "required-field", "withhold the object, or delete the record",
				"%s.%s is required and cannot be cleared", s.Name, name.Text)
		}
	}
}

func (c *checker) updateable(name Name, s weir.ObjectSchema) (weir.FieldSchema, bool) {
	f, ok := c.field(name, s)
	switch {
	case !ok:
	case f.Calculated:
		c.block(name.Pos, "calculated-field", "change the fields that it is calculated from",
			"%s.%s is calculated and cannot be written", s.Name, name.Text)
		return f, false
	case !f.Updateable:
		c.block(name.Pos, "not-updateable", "grant Edit on the field, or remove it from the map",
			"the integration user cannot change %s.%s", s.Name, name.Text)
		return f, false
	}
	return f, ok
}

func (c *checker) settings(list []Setting, s weir.ObjectSchema) {
	for _, set := range list {
		f, ok := c.updateable(set.Field, s)
		if !ok {
			continue
		}
		if set.Value.Kind == Null {
			if !f.Nillable {
				c.block(set.Pos, "required-field", "set a value such as \"Erased "+Placeholder+"\"",
					"%s.%s is required and cannot be null", s.Name, f.Name)
			}
			continue
		}
		c.value(set, f, s.Name)
	}
}

// value checks a constant or template against the field that receives it.
func (c *checker) value(set Setting, f weir.FieldSchema, object string) {
	text := Render(set.Value.Text, "01234567")
	if want := kindOf(f.Type); want != set.Value.Kind {
		c.block(set.Pos, "wrong-type", "write a "+string(want)+" value, or null",
			"%s.%s is of type %s", object, f.Name, f.Type)
		return
	}
	if f.Type == "reference" || f.Type == "date" || f.Type == "datetime" || f.Type == "time" {
		c.warn(set.Pos, "odd-constant", "null is what erasure usually wants here",
			"%s.%s is of type %s and gets a constant", object, f.Name, f.Type)
	}
	if f.Length > 0 && set.Value.Kind == Text && len([]rune(text)) > f.Length {
		c.block(set.Pos, "too-long", "shorten the value",
			"the value has %d characters, %s.%s holds %d", len([]rune(text)), object, f.Name, f.Length)
	}
	if f.Restricted && !slices.Contains(f.Picklist, text) {
		c.block(set.Pos, "not-in-picklist", "choose one of its active values, or null",
			"the value is not in the restricted picklist %s.%s%s", object, f.Name, hint(text, f.Picklist))
	}
	if f.Unique && !strings.Contains(set.Value.Text, Placeholder) {
		c.block(set.Pos, "unique-constant", "put "+Placeholder+" into the value",
			"%s.%s is unique and cannot get the same constant in every record", object, f.Name)
	}
	if f.Type == "email" && !plainAddress.MatchString(text) {
		c.block(set.Pos, "bad-email", "use an address such as \"erased-"+Placeholder+"@example.invalid\"",
			"%s.%s takes e-mail addresses only", object, f.Name)
	}
}

// kindOf says which kind of literal a field of this type takes.
func kindOf(fieldType string) LiteralKind {
	switch fieldType {
	case "boolean":
		return Bool
	case "int", "long", "double", "currency", "percent":
		return Number
	}
	return Text
}

var plainAddress = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[A-Za-z]+$`)

// uncovered warns of fields that surely hold personal data and that
// anonymising leaves as they are.
func (c *checker) uncovered(o *Object, s weir.ObjectSchema) {
	set := map[string]bool{}
	for _, e := range o.Erase.Set {
		set[e.Field.Text] = true
	}
	for _, f := range s.Fields {
		if (f.Type == "email" || f.Type == "phone") && f.Updateable && !f.Calculated && !set[f.Name] {
			c.warn(o.Erase.HowPos, "uncovered-field", "add "+f.Name+" to set",
				"%s.%s is of type %s and keeps its value", s.Name, f.Name, f.Type)
		}
	}
}

// withheldChildren looks for records that must be kept and that deleting
// their parent would take along. A lookup that must not be empty is how
// describe shows a master-detail relation, which cascades.
func (c *checker) withheldChildren(m *Map, o *Object) {
	if o.Erase.How != weir.ActDelete {
		return
	}
	for _, child := range m.Objects() {
		if child.Erase != nil && child.Erase.How != weir.ActWithhold {
			continue
		}
		for _, l := range child.Links {
			f, ok := c.schemas[child.Name].Field(l.Field.Text)
			if !ok || !pointsAt(l, o.Name) {
				continue
			}
			if !f.Nillable {
				c.block(l.Field.Pos, "withheld-cascade", "anonymise "+o.Name+" and do not delete it",
					"%s is withheld, and deleting %s would delete it too", child.Name, o.Name)
			} else {
				c.warn(l.Field.Pos, "withheld-child", "anonymise "+o.Name+", or make sure that nothing cascades",
					"%s is withheld while its %s is deleted", child.Name, o.Name)
			}
		}
	}
}

func pointsAt(l Link, object string) bool {
	return slices.ContainsFunc(l.Parents, func(p Name) bool { return p.Text == object })
}
