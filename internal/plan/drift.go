package plan

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/weirhq/weir"
)

// DriftKind says which part of the world no longer matches a plan.
type DriftKind string

// The kinds of drift.
const (
	DriftRecord   DriftKind = "record"
	DriftMap      DriftKind = "map"
	DriftDescribe DriftKind = "describe"
	DriftPlan     DriftKind = "plan" // request, warnings or cost: consequences of the others, or another version of weir
)

// Difference is one way in which the world differs from the approved plan:
// identifiers and names, never values.
type Difference struct {
	Kind   DriftKind `json:"kind"`
	Object string    `json:"object,omitempty"`
	Record string    `json:"record,omitempty"`
	Field  string    `json:"field,omitempty"`
	What   string    `json:"what"`
}

// String writes the difference as one clause.
func (d Difference) String() string {
	parts := []string{string(d.Kind)}
	name := d.Object
	if d.Field != "" {
		name += "." + d.Field
	}
	for _, p := range []string{name, d.Record} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " ") + ": " + d.What
}

// Compare says what drifted between the approved plan and one built now. It is
// empty exactly when the two hashes are equal.
func Compare(approved, now weir.Plan) []Difference {
	var list []Difference
	if approved.MapHash != now.MapHash {
		list = append(list, Difference{Kind: DriftMap, What: "the data map changed after approval"})
	}
	if approved.DescribeHash != now.DescribeHash {
		list = append(list, Difference{Kind: DriftDescribe, What: "the describe of a mapped object changed after approval"})
	}
	list = append(list, compareItems(approved.Items, now.Items)...)
	if len(list) == 0 && Hash(approved) != Hash(now) {
		list = append(list, Difference{Kind: DriftPlan, What: planChange(approved, now)})
	}
	return list
}

func planChange(approved, now weir.Plan) string {
	switch {
	case approved.Request != now.Request || approved.Org != now.Org || approved.Right != now.Right:
		return "it is the plan of another request, org or right"
	case !slices.Equal(approved.Warnings, now.Warnings):
		return "the warnings changed"
	}
	return "the cost in API calls changed"
}

// itemKey tells items apart: by record, and groups by what they have in common.
type itemKey struct {
	groupKey
	record string
}

func keyOf(item weir.PlanItem) itemKey {
	k := itemKey{groupKey{object: item.Object}, item.Record}
	if item.Record == "" {
		k.groupKey = groupKey{item.Object, item.Action, item.Reason, item.Why}
	}
	return k
}

func compareItems(approved, now []weir.PlanItem) []Difference {
	before, after := map[itemKey]weir.PlanItem{}, map[itemKey]weir.PlanItem{}
	for _, item := range now {
		after[keyOf(item)] = item
	}
	var list []Difference
	for _, item := range approved {
		k := keyOf(item)
		before[k] = item
		d := Difference{Kind: DriftRecord, Object: item.Object, Record: item.Record}
		current, ok := after[k]
		if !ok {
			d.What = "it is no longer found"
		} else {
			d.What = itemChange(item, current)
		}
		if d.What != "" {
			list = append(list, d)
		}
	}
	for _, item := range now {
		if _, ok := before[keyOf(item)]; !ok {
			list = append(list, Difference{
				Kind: DriftRecord, Object: item.Object, Record: item.Record, What: "it was found after approval",
			})
		}
	}
	return list
}

func itemChange(a, b weir.PlanItem) string {
	var what []string
	if a.Version != b.Version {
		what = append(what, "the record changed, version "+a.Version+" is now "+b.Version)
	}
	if a.Count != b.Count {
		what = append(what, fmt.Sprintf("%d records are now %d", a.Count, b.Count))
	} else if a.Digest != b.Digest {
		what = append(what, fmt.Sprintf("the %d records or their versions are others", a.Count))
	}
	if a.Action != b.Action || a.Reason != b.Reason {
		what = append(what, fmt.Sprintf("%s is now %s", outcome(a), outcome(b)))
	}
	if !slices.Equal(a.Fields, b.Fields) {
		what = append(what, "other fields are concerned")
	}
	if a.Why != b.Why {
		what = append(what, "it matches for another reason")
	}
	if a.Rank != b.Rank || a.Purge != b.Purge {
		what = append(what, "order or purge changed")
	}
	return strings.Join(what, ", ")
}

func outcome(item weir.PlanItem) string {
	if item.Reason == "" {
		return string(item.Action)
	}
	return string(item.Action) + " (" + item.Reason + ")"
}

// CompareSchemas names the describe attributes that differ, for whoever kept
// the describe of the approved plan.
func CompareSchemas(approved, now map[string]weir.ObjectSchema) []Difference {
	var list []Difference
	for _, name := range sortedUnion(approved, now) {
		a, was := approved[name]
		b, is := now[name]
		if !was || !is {
			list = append(list, Difference{Kind: DriftDescribe, Object: name, What: appeared(is)})
			continue
		}
		list = append(list, attributes(Difference{Kind: DriftDescribe, Object: name}, a, b)...)
		fa, fb := fieldsByName(a), fieldsByName(b)
		for _, field := range sortedUnion(fa, fb) {
			d := Difference{Kind: DriftDescribe, Object: name, Field: field}
			x, was := fa[field]
			y, is := fb[field]
			if !was || !is {
				d.What = appeared(is)
				list = append(list, d)
				continue
			}
			list = append(list, attributes(d, x, y)...)
		}
	}
	return list
}

func appeared(is bool) string {
	if is {
		return "it is new"
	}
	return "it is gone"
}

func fieldsByName(s weir.ObjectSchema) map[string]weir.FieldSchema {
	m := map[string]weir.FieldSchema{}
	for _, f := range s.Fields {
		m[f.Name] = f
	}
	return m
}

func sortedUnion[V any](a, b map[string]V) []string {
	var list []string
	for name := range a {
		list = append(list, name)
	}
	for name := range b {
		list = append(list, name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// attributes compares two structs of one type field by field; lists of words
// count as sets, and an object's fields are compared on their own.
func attributes(d Difference, a, b any) []Difference {
	var list []Difference
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		v, w := x.Field(i).Interface(), y.Field(i).Interface()
		if words, ok := v.([]string); ok {
			v, w = slices.Sorted(slices.Values(words)), slices.Sorted(slices.Values(w.([]string)))
		}
		if _, fields := v.([]weir.FieldSchema); fields || reflect.DeepEqual(v, w) {
			continue
		}
		d.What = strings.ToLower(x.Type().Field(i).Name) + " changed"
		list = append(list, d)
	}
	return list
}
