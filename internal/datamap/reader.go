package datamap

import (
	"slices"
	"strings"
)

// want checks the form of a value and reports the difference.
func (r *reader) want(n *node, s shape, what string) bool {
	if n.shape == s {
		return true
	}
	r.errs.add(n.at, "%s is %s, this is %s", what, s, n.shape)
	return false
}

// keys calls a function for every known key of a mapping and reports the
// unknown ones where they stand. Keys of later words of the language are told
// apart from typing errors.
func (r *reader) keys(n *node, what string, known map[string]func(*node)) {
	if !r.want(n, mappingShape, what) {
		return
	}
	for _, e := range n.entries {
		read, ok := known[e.key.Text]
		switch {
		case ok:
			read(e.value)
		case slices.Contains([]string{"through", "via", "unless", "else"}, e.key.Text):
			r.errs.add(e.key.Pos, "%q is not supported in this version", e.key.Text)
		default:
			r.errs.add(e.key.Pos, "unknown key %q in %s%s", e.key.Text, what, hint(e.key.Text, sortedKeys(known)))
		}
	}
}

// need reports required keys that are absent.
func (r *reader) need(n *node, what string, required ...string) {
	if n.shape != mappingShape {
		return
	}
	for _, key := range required {
		if !slices.ContainsFunc(n.entries, func(e entry) bool { return e.key.Text == key }) {
			r.errs.add(n.at, "%s needs the key %q", what, key)
		}
	}
}

// word reads a text; numbers are taken as they are written.
func (r *reader) word(n *node, what string) string {
	if !r.want(n, scalarShape, what) {
		return ""
	}
	if n.literal.Text == "" || n.literal.Kind == Null {
		r.errs.add(n.at, "%s is empty", what)
		return ""
	}
	return n.literal.Text
}

// oneOf reads a word out of a closed list.
func (r *reader) oneOf(n *node, what string, allowed ...string) string {
	got := r.word(n, what)
	if got == "" || slices.Contains(allowed, got) {
		return got
	}
	r.errs.add(n.at, "%s is one of %s, not %q%s", what, strings.Join(allowed, ", "), got, hint(got, allowed))
	return ""
}

func (r *reader) boolean(n *node, what string) bool {
	if r.want(n, scalarShape, what) && n.literal.Kind != Bool {
		r.errs.add(n.at, "%s is true or false", what)
	}
	return n.literal.Kind == Bool && n.literal.Text == "true"
}

// name reads an API name. Names are checked here because they become part of
// queries unquoted.
func (r *reader) name(n *node, what string) (Name, bool) {
	got := Name{Text: r.word(n, what), Pos: n.at}
	if got.Text == "" {
		return got, false
	}
	return got, r.checkName(got, what)
}

func (r *reader) checkName(n Name, what string) bool {
	if apiName.MatchString(n.Text) {
		return true
	}
	r.errs.add(n.Pos, "%s is an API name (letters, digits and _), not %q", what, n.Text)
	return false
}

// names reads one API name or a list of them; a name that is there twice is a
// mistake.
func (r *reader) names(n *node, what string) []Name {
	items := []*node{n}
	if n.shape == listShape {
		items = n.items
	}
	var list []Name
	for _, item := range items {
		name, ok := r.name(item, what)
		if !ok {
			continue
		}
		if slices.ContainsFunc(list, func(o Name) bool { return o.Text == name.Text }) {
			r.errs.add(item.at, "%s %s is here twice", what, name.Text)
			continue
		}
		list = append(list, name)
	}
	if len(items) == 0 {
		r.errs.add(n.at, "the list of %s is empty", what)
	}
	return list
}

// fieldRef reads "Object.Field".
func (r *reader) fieldRef(n *node, what string) (FieldRef, bool) {
	text := r.word(n, what)
	object, field, ok := strings.Cut(text, ".")
	if text == "" {
		return FieldRef{}, false
	}
	if !ok || !apiName.MatchString(object) || !apiName.MatchString(field) {
		r.errs.add(n.at, "%s is written Object.Field, not %q", what, text)
		return FieldRef{}, false
	}
	return FieldRef{Object: object, Field: field, Pos: n.at}, true
}

// settings reads a mapping from field to literal, sorted by field.
func (r *reader) settings(n *node, what string) []Setting {
	if !r.want(n, mappingShape, what) {
		return nil
	}
	if len(n.entries) == 0 {
		r.errs.add(n.at, "%s is empty", what)
	}
	var list []Setting
	for _, e := range n.entries {
		if !r.checkName(e.key, "the field") || !r.want(e.value, scalarShape, "the new value of "+e.key.Text) {
			continue
		}
		r.checkRecipe(e.value)
		list = append(list, Setting{Field: e.key, Pos: e.value.at, Value: e.value.literal})
	}
	slices.SortFunc(list, func(a, b Setting) int { return strings.Compare(a.Field.Text, b.Field.Text) })
	return list
}

// checkRecipe refuses what Render would not fill in as the author meant it.
func (r *reader) checkRecipe(n *node) {
	switch l := n.literal; {
	case l.Kind == Number && !numberLiteral.MatchString(l.Text):
		r.errs.add(n.at, "a number is written with digits and a point only; put anything else in quotes")
	case l.Kind != Text:
	case l.Text == "":
		r.errs.add(n.at, "an empty text clears nothing at Salesforce; write null")
	case strings.HasPrefix(l.Text, "="):
		r.errs.add(n.at, "a value cannot start with \"=\"")
	case strings.ContainsAny(strings.ReplaceAll(l.Text, Placeholder, ""), "{}"):
		r.errs.add(n.at, "the only placeholder is %s", Placeholder)
	}
}
