package datamap

import (
	"slices"
	"strings"

	"github.com/weirhq/weir"
)

// crossCheck compares the parts of the map with each other: parents exist,
// every object can be reached from the subject, nothing runs in circles.
func (r *reader) crossCheck(m *Map) {
	found := map[string]bool{}
	for _, e := range m.Identify {
		found[e.Object] = true
	}
	for _, o := range m.Objects() {
		if len(o.Links) == 0 && !found[o.Name] {
			r.errs.add(o.Pos, "%s has no link and is not identified: its records can never be found", o.Name)
		}
		for i := range o.Links {
			r.parents(m, o, &o.Links[i], found)
		}
		if o.Erase != nil {
			r.eraseRefs(m, o)
		}
	}
	for _, ref := range m.Decide {
		if _, ok := m.objects[ref.Object]; !ok && !found[ref.Object] {
			r.errs.add(ref.Pos, "%s is not an object of this map", ref.Object)
		}
	}
	if len(r.errs.List) > 0 {
		return
	}
	r.noCircle(m, "the links", func(o *Object) []Name { return o.parents() })
	if len(r.errs.List) == 0 {
		r.noCircle(m, "the order of erasure", func(o *Object) []Name { return m.erasedBefore(o) })
	}
}

// parents resolves the parents of a link. ContactId means Contact, and
// Contact__c means Contact or else Contact__c; other names say nothing.
func (r *reader) parents(m *Map, o *Object, l *Link, found map[string]bool) {
	exists := func(name string) bool { _, mapped := m.objects[name]; return mapped || found[name] }
	if len(l.Parents) == 0 {
		guesses := []string{l.Field.Text}
		for _, suffix := range []string{"Id", "__c"} {
			if stem, ok := strings.CutSuffix(l.Field.Text, suffix); ok {
				guesses = []string{stem, l.Field.Text}
			}
		}
		for _, guess := range guesses {
			if len(l.Parents) == 0 && exists(guess) {
				l.Parents = []Name{{Text: guess, Pos: l.Field.Pos}}
			}
		}
		if len(l.Parents) == 0 {
			r.errs.add(l.Field.Pos, "cannot tell from its name where %s points; write {field: %s, parents: [Object]}",
				l.Field.Text, l.Field.Text)
		}
	}
	for _, p := range l.Parents {
		switch {
		case p.Text == o.Name:
			r.errs.add(p.Pos, "%s links to itself, which is not supported in this version", o.Name)
		case !exists(p.Text):
			r.errs.add(p.Pos, "%s is not an object of this map%s", p.Text, hint(p.Text, m.ObjectNames()))
		}
	}
}

func (r *reader) eraseRefs(m *Map, o *Object) {
	if e := o.Erase; e.How == weir.ActWithhold {
		if _, ok := m.Reasons[e.Reason]; !ok {
			r.errs.add(e.Pos, "reason %q is not under reasons%s", e.Reason, hint(e.Reason, sortedKeys(m.Reasons)))
		}
	}
	for _, a := range o.Erase.After {
		if before, ok := m.objects[a.Text]; !ok || before.Erase == nil {
			r.errs.add(a.Pos, "%s has no erase rule in this map%s", a.Text, hint(a.Text, sortedKeys(m.objects)))
		}
	}
	if o.Erase.How == weir.ActUnlink && len(o.Links) == 0 && len(o.Erase.Unlink) == 0 {
		r.errs.add(o.Erase.HowPos, "%s has no link that could be cleared; name the lookups with fields", o.Name)
	}
}

// noCircle reports the first circle of a relation between objects.
func (r *reader) noCircle(m *Map, what string, next func(*Object) []Name) {
	const open, closed = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(name string, at Pos) bool
	visit = func(name string, at Pos) bool {
		o, ok := m.objects[name]
		if !ok || state[name] == closed {
			return true
		}
		if state[name] == open {
			circle := append(slices.Clone(path[slices.Index(path, name):]), name)
			r.errs.add(at, "%s: a circle, %s", what, strings.Join(circle, " -> "))
			return false
		}
		state[name] = open
		path = append(path, name)
		for _, n := range next(o) {
			if !visit(n.Text, n.Pos) {
				return false
			}
		}
		path = path[:len(path)-1]
		state[name] = closed
		return true
	}
	for _, o := range m.Objects() {
		if !visit(o.Name, o.Pos) {
			return
		}
	}
}

// parents lists the objects to which the links of o point.
func (o *Object) parents() []Name {
	var list []Name
	for _, l := range o.Links {
		list = append(list, l.Parents...)
	}
	return list
}

// erasedBefore lists what goes before o: the objects that link to it and
// those that its rule names.
func (m *Map) erasedBefore(o *Object) []Name {
	var list []Name
	for _, child := range m.Objects() {
		for _, p := range child.parents() {
			if p.Text == o.Name {
				list = append(list, Name{Text: child.Name, Pos: p.Pos})
			}
		}
	}
	if o.Erase != nil {
		list = append(list, o.Erase.After...)
	}
	return list
}

// ErasedBefore names, sorted, the objects whose records are erased before
// those of the named object: its children and what its rule lists as after.
func (m *Map) ErasedBefore(name string) []string {
	o, ok := m.objects[name]
	if !ok {
		o = &Object{Name: name}
	}
	var list []string
	for _, n := range m.erasedBefore(o) {
		list = append(list, n.Text)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
