package datamap

import (
	"slices"
	"strings"

	"github.com/weirhq/weir"
)

func (r *reader) objects(n *node, m *Map) {
	if !r.want(n, mappingShape, "objects") {
		return
	}
	for _, e := range n.entries {
		if r.checkName(e.key, "the object") {
			m.objects[e.key.Text] = r.object(e.key, e.value)
		}
	}
}

func (r *reader) object(name Name, n *node) *Object {
	o := &Object{Name: name.Text, Pos: name.Pos}
	r.keys(n, "an object", map[string]func(*node){
		"link":      func(n *node) { o.Links = r.links(n) },
		"shared_by": func(n *node) { o.SharedBy = r.names(n, "the field") },
		"access":    func(n *node) { o.Access = r.access(n) },
		"rectify": func(n *node) {
			r.keys(n, "rectify", map[string]func(*node){
				"fields": func(n *node) { o.Rectify = r.names(n, "the field") },
			})
			r.need(n, "rectify", "fields")
		},
		"opt_out": func(n *node) {
			r.keys(n, "opt_out", map[string]func(*node){
				"set": func(n *node) { o.OptOut = r.settings(n, "set") },
			})
			r.need(n, "opt_out", "set")
		},
		"erase": func(n *node) { o.Erase = r.erase(n) },
	})
	return o
}

// links reads one link or a list of them. A link is a field name or a mapping
// with the field and the objects that it may point at.
func (r *reader) links(n *node) []Link {
	items := []*node{n}
	if n.shape == listShape {
		items = n.items
	}
	if len(items) == 0 {
		r.errs.add(n.at, "the list of links is empty")
	}
	var list []Link
	for _, item := range items {
		if link, ok := r.link(item); ok {
			list = append(list, link)
		}
	}
	return list
}

func (r *reader) link(n *node) (Link, bool) {
	var link Link
	if n.shape == scalarShape {
		name, ok := r.name(n, "the link field")
		return Link{Field: name}, ok
	}
	before := len(r.errs.List)
	r.keys(n, "a link", map[string]func(*node){
		"field":   func(n *node) { link.Field, _ = r.name(n, "the link field") },
		"parents": func(n *node) { link.Parents = append(link.Parents, r.names(n, "the parent")...) },
		"parent":  func(n *node) { link.Parents = append(link.Parents, r.names(n, "the parent")...) },
	})
	if len(r.errs.List) == before {
		r.need(n, "a link", "field")
	}
	slices.SortFunc(link.Parents, func(a, b Name) int { return strings.Compare(a.Text, b.Text) })
	return link, len(r.errs.List) == before
}

func (r *reader) access(n *node) *Access {
	a := &Access{Pos: n.at, Choice: Listed, Labels: map[string]string{}}
	r.keys(n, "access", map[string]func(*node){
		"fields": func(n *node) {
			a.Pos = n.at
			if n.shape == scalarShape {
				a.Choice = Choice(r.oneOf(n, "access fields, unless a list,", string(All), string(Personal)))
				return
			}
			a.Fields = r.names(n, "the field")
		},
		"labels": func(n *node) {
			if !r.want(n, mappingShape, "labels") {
				return
			}
			for _, e := range n.entries {
				a.Labels[e.key.Text] = r.word(e.value, "the label")
			}
		},
	})
	r.need(n, "access", "fields")
	return a
}

func (r *reader) erase(n *node) *Erase {
	e := &Erase{Pos: n.at, HowPos: n.at}
	purge := ""
	r.keys(n, "erase", map[string]func(*node){
		"how": func(n *node) {
			e.HowPos = n.at
			e.How = weir.Action(r.oneOf(n, "how", string(weir.ActAnonymise), string(weir.ActDelete),
				string(weir.ActUnlink), string(weir.ActWithhold)))
		},
		"set":    func(n *node) { e.Set = r.settings(n, "set") },
		"fields": func(n *node) { e.Unlink = r.names(n, "the lookup to clear") },
		"purge":  func(n *node) { purge = r.oneOf(n, "purge", "recycle-bin", "none") },
		"after":  func(n *node) { e.After = r.names(n, "the object to erase first") },
		"guard": func(n *node) {
			r.keys(n, "guard", map[string]func(*node){
				"if_unmodified_since": func(n *node) { e.Guard.IfUnmodifiedSince = r.boolean(n, "if_unmodified_since") },
			})
		},
		"verify": func(n *node) { r.oneOf(n, "verify", "re-read") },
		"reason": func(n *node) { e.Reason = r.word(n, "reason") },
		"until":  func(n *node) { e.Until = r.word(n, "until") },
	})
	r.need(n, "erase", "how")
	e.Purge = purge != "none" && e.How != weir.ActWithhold
	r.eraseFits(n, e)
	return e
}

// eraseFits reports keys that do not belong to the chosen way of erasing, so
// that nobody believes that they have an effect.
func (r *reader) eraseFits(n *node, e *Erase) {
	if n.shape != mappingShape || e.How == "" {
		return
	}
	fits := map[string][]weir.Action{
		"set":    {weir.ActAnonymise, weir.ActUnlink},
		"fields": {weir.ActUnlink, weir.ActDelete}, // of delete: what to clear when the record is shared
		"purge":  {weir.ActDelete, weir.ActAnonymise, weir.ActUnlink},
		"guard":  {weir.ActDelete, weir.ActAnonymise, weir.ActUnlink},
		"verify": {weir.ActDelete, weir.ActAnonymise, weir.ActUnlink},
		"reason": {weir.ActWithhold},
		"until":  {weir.ActWithhold},
	}
	for _, entry := range n.entries {
		if ways, ok := fits[entry.key.Text]; ok && !slices.Contains(ways, e.How) {
			r.errs.add(entry.key.Pos, "%q has no effect with how: %s", entry.key.Text, e.How)
		}
	}
	switch e.How {
	case weir.ActAnonymise:
		r.need(n, "erase with how: anonymise", "set")
	case weir.ActWithhold:
		r.need(n, "erase with how: withhold", "reason")
	case weir.ActDelete, weir.ActUnlink, weir.ActExport:
	}
	for _, s := range e.Set {
		if slices.ContainsFunc(e.Unlink, func(f Name) bool { return f.Text == s.Field.Text }) {
			r.errs.add(s.Field.Pos, "%s is both set and cleared", s.Field.Text)
		}
	}
}
