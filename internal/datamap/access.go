package datamap

import (
	"slices"

	"github.com/weirhq/weir"
)

// Resolve lists, sorted, the fields that an access reads from an object with
// this schema. Compound fields repeat their parts, and binary fields are not
// rows: both are left out unless they are listed by name.
func (a *Access) Resolve(s weir.ObjectSchema) []string {
	var list []string
	switch a.Choice {
	case Listed:
		for _, f := range a.Fields {
			list = append(list, f.Text)
		}
	case All, Personal:
		for _, f := range s.Fields {
			if compound(f) || binary(f) || a.Choice == Personal && system(f) {
				continue
			}
			list = append(list, f.Name)
		}
	}
	slices.Sort(list)
	return list
}

func compound(f weir.FieldSchema) bool { return f.Type == "address" || f.Type == "location" }

func binary(f weir.FieldSchema) bool { return f.Type == "base64" }

// system says whether the field tells about the record and not about the
// person: references, ids and the platform's own bookkeeping.
func system(f weir.FieldSchema) bool {
	if f.Type == "reference" || f.Type == "id" {
		return true
	}
	switch f.Name {
	case "IsDeleted", "CreatedDate", "LastModifiedDate", "SystemModstamp",
		"LastViewedDate", "LastReferencedDate", "LastActivityDate":
		return true
	}
	return false
}
