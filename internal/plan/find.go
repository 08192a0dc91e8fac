package plan

import (
	"slices"
	"strings"

	"github.com/weirhq/weir/internal/datamap"
)

// ByParent is the way of a Find that follows links; the other ways are the
// kinds of identifier of package datamap.
const ByParent = "parent"

// Find is one query of a discovery pass.
//
// By an identifier: rows where any of Fields equals the identifier and Where
// holds. By parent: rows where any of Fields holds the id of a record that was
// found of one of Parents.
type Find struct {
	Object  string             `json:"object"`
	Level   int                `json:"level"`
	By      string             `json:"by"` // "email", "phone", "id" or "parent"
	Fields  []string           `json:"fields"`
	Parent  string             `json:"parent,omitempty"`  // the first of Parents
	Parents []string           `json:"parents,omitempty"` // sorted, by parent only
	Where   *datamap.Condition `json:"where,omitempty"`
	Select  []string           `json:"select,omitempty"` // lookups that Gather needs, besides Id, SystemModstamp and Fields
	Review  bool               `json:"review,omitempty"` // a weak match
}

// Finds lists the queries of one level of a discovery pass. Level 0 looks the
// subject up by its identifiers of the given kinds. Level n follows the links
// to objects that may have gained records at level n-1, for as far as records
// of them were found. A level without queries ends the pass.
func Finds(m *datamap.Map, level int, kinds, found []string) []Find {
	if level == 0 {
		return identify(m, kinds)
	}
	gains := levels(m)
	var list []Find
	for _, o := range m.Objects() {
		for _, l := range o.Links {
			var parents []string
			gained := false
			for _, p := range l.Parents {
				if slices.Contains(found, p.Text) {
					parents = append(parents, p.Text)
					gained = gained || slices.Contains(gains[p.Text], level-1)
				}
			}
			if !gained {
				continue
			}
			list = append(list, Find{
				Object: o.Name, Level: level, By: ByParent, Fields: []string{l.Field.Text},
				Parent: parents[0], Parents: parents, Select: lookups(o),
			})
		}
	}
	return list
}

// FindsAhead lists the queries of all levels at once, for a pass that expects to find
// the same as one before it, which found records of these objects.
func FindsAhead(m *datamap.Map, kinds, found []string) []Find {
	type link struct{ object, field string }
	var list []Find
	seen := map[link]bool{} // at one level, and again at the next one where its parents may have gained
	for level := range Depth(m) {
		for _, f := range Finds(m, level, kinds, found) {
			if f.By == ByParent {
				l := link{f.Object, f.Fields[0]}
				if seen[l] {
					continue
				}
				seen[l] = true
			}
			list = append(list, f)
		}
	}
	return list
}

func identify(m *datamap.Map, kinds []string) []Find {
	var list []Find
	for _, e := range m.Identify {
		for _, match := range e.Match {
			if !slices.Contains(kinds, match.Kind) {
				continue
			}
			f := Find{Object: e.Object, By: match.Kind, Fields: texts(match.Fields), Where: e.Where, Review: e.Review}
			if o, ok := m.Object(e.Object); ok {
				f.Select = lookups(o)
			}
			list = append(list, f)
		}
	}
	return list
}

// lookups are the fields that tell how a record hangs together with others.
func lookups(o *datamap.Object) []string {
	list := texts(o.SharedBy)
	for _, l := range o.Links {
		list = append(list, l.Field.Text)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func texts(names []datamap.Name) []string {
	var list []string
	for _, n := range names {
		list = append(list, n.Text)
	}
	return list
}

// Depth is the number of levels of a discovery pass: no pass has queries at
// this level or above.
func Depth(m *datamap.Map) int {
	deepest := 0
	for _, list := range levels(m) {
		deepest = max(deepest, list[len(list)-1]+1)
	}
	return deepest
}

// levels says at which levels each object may gain records. An object with
// several parents may gain at several levels; it is followed after each, so
// that a level without queries can only mean that nothing is left to find.
// The data map has no circles, so this ends.
func levels(m *datamap.Map) map[string][]int {
	at := map[string][]int{}
	for _, e := range m.Identify {
		at[e.Object] = []int{0}
	}
	for changed := true; changed; {
		changed = false
		for _, o := range m.Objects() {
			for _, l := range o.Links {
				for _, p := range l.Parents {
					for _, k := range at[p.Text] {
						if !slices.Contains(at[o.Name], k+1) {
							at[o.Name] = append(at[o.Name], k+1)
							changed = true
						}
					}
				}
			}
		}
	}
	for _, list := range at {
		slices.Sort(list)
	}
	return at
}

// Why says how a match or a link through one field reads in a plan, such as
// "Contact.Email = subject" or "Case.ContactId -> Contact".
func (f Find) Why(field, parent string) string {
	if f.By == ByParent {
		return f.Object + "." + field + linkArrow + parent
	}
	return f.Object + "." + field + " = subject"
}

const (
	linkArrow = " -> "
	whyComma  = "; "
)

// linkedBy reads back the link fields of a reason.
func linkedBy(object, why string) []string {
	var fields []string
	for part := range strings.SplitSeq(why, whyComma) {
		if left, _, ok := strings.Cut(part, linkArrow); ok {
			fields = append(fields, strings.TrimPrefix(left, object+"."))
		}
	}
	return fields
}
