package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
)

// Row is one record that a Find returned, without personal data: lookups hold
// ids only.
type Row struct {
	Record  string
	Version string
	Deleted bool
	Matched []string          // by an identifier: which of Fields matched; empty means not known
	Lookups map[string]string // the ids in Fields (by parent) and Select
}

// Gather adds the rows of one find to what a pass found so far, and returns
// the new whole, sorted. A record that is found in several ways is one
// finding; one strong way makes it strong. Whoever is reached only through a
// weak match is a weak match too. What is known from elsewhere also says what a
// row refers to, and is no part of the whole.
func Gather(m *datamap.Map, have, known []weir.Finding, f Find, rows []Row) []weir.Finding {
	out := slices.Clone(have)
	owner := owners(slices.Concat(known, have))
	type key struct{ object, record string }
	at := make(map[key]int, len(out))
	for i, f := range out {
		at[key{f.Object, f.Record}] = i
	}
	for _, row := range rows {
		finding := weir.Finding{
			Object: f.Object, Record: row.Record, Version: row.Version, Deleted: row.Deleted,
			Review: f.Review, Shared: shared(m, f.Object, row, owner),
		}
		if !explain(&finding, f, row, owner) {
			continue // the row is not the subject's: a batch carried it for somebody else
		}
		i, known := at[key{f.Object, row.Record}]
		if !known {
			at[key{f.Object, row.Record}] = len(out)
			out = append(out, finding)
			continue
		}
		out[i] = merge(out[i], finding)
	}
	slices.SortFunc(out, func(a, b weir.Finding) int {
		return cmp.Or(strings.Compare(a.Object, b.Object), strings.Compare(a.Record, b.Record))
	})
	return out
}

// owners maps record ids to their findings.
func owners(have []weir.Finding) map[string]weir.Finding {
	byID := map[string]weir.Finding{}
	for _, f := range have {
		byID[f.Record] = f
	}
	return byID
}

// explain writes why the row matched and says whether it did.
func explain(finding *weir.Finding, f Find, row Row, owner map[string]weir.Finding) bool {
	var why []string
	if f.By != ByParent {
		fields := row.Matched
		if len(fields) == 0 {
			fields = f.Fields
		}
		for _, field := range fields {
			why = append(why, f.Why(field, ""))
		}
		finding.Why = because(why)
		return true
	}
	finding.Review = true
	for _, field := range f.Fields {
		parent, ok := owner[row.Lookups[field]]
		if !ok || !slices.Contains(f.Parents, parent.Object) {
			continue
		}
		finding.Review = finding.Review && parent.Review
		why = append(why, f.Why(field, parent.Object))
	}
	finding.Why = because(why)
	return len(why) > 0
}

// because joins reasons so that neither their order nor reading a row twice
// makes a difference: the plan's hash covers them.
func because(why []string) string {
	slices.Sort(why)
	return strings.Join(slices.Compact(why), whyComma)
}

// shared says whether a lookup names somebody who is not surely the subject.
func shared(m *datamap.Map, object string, row Row, owner map[string]weir.Finding) bool {
	o, ok := m.Object(object)
	if !ok {
		return false
	}
	return slices.ContainsFunc(o.SharedBy, func(field datamap.Name) bool {
		id := row.Lookups[field.Text]
		known, ours := owner[id]
		return id != "" && (!ours || known.Review)
	})
}

func merge(a, b weir.Finding) weir.Finding {
	a.Why = because(append(strings.Split(a.Why, whyComma), strings.Split(b.Why, whyComma)...))
	a.Version = max(a.Version, b.Version) // two reads of one pass: the later one counts
	a.Review = a.Review && b.Review
	a.Shared = a.Shared || b.Shared
	a.Deleted = a.Deleted || b.Deleted
	return a
}
