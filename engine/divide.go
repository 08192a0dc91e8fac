package engine

import (
	"slices"
	"strings"

	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/salesforce"
)

// question is one query of a find call, and the steps that it answers.
type question struct {
	steps []int // by their places in the job
	args  []findArgs
	who   []subject
	found [][]plan.Row // by step
	all   int          // rows that came
	last  string       // id of the newest row
	stray bool         // a row could not be given to its steps for sure
}

// query asks for what all steps of the question ask for. Of several steps that
// look for addresses it also reads the addresses, which tell whose a row is.
func (q *question) query() salesforce.Query {
	if len(q.steps) == 1 {
		return findQuery(q.args[0], q.who[0].values)
	}
	joined := q.args[0]
	joined.IDs = nil
	values := identifiers{}
	for k, a := range q.args {
		joined.IDs = append(joined.IDs, a.IDs...)
		for kind, vs := range q.who[k].values {
			values[kind] = append(values[kind], vs...)
		}
	}
	out := findQuery(joined, values)
	out.Fields = union(out.Fields, joined.Find.Fields)
	return out
}

// take keeps a row for each of the steps whose it is.
func (q *question) take(row salesforce.Row) {
	q.all++
	q.last = row.ID
	if len(q.steps) == 1 {
		q.found[0] = append(q.found[0], identity(q.args[0], row))
		return
	}
	owners, sure := q.owners(row)
	if !sure || len(owners) == 0 {
		q.stray = true
	}
	for _, k := range owners {
		q.found[k] = append(q.found[k], identity(q.args[k], row))
	}
}

// owners are the steps that a row answers. It is not sure when a field holds what
// an org may take for equal to an address that differs.
func (q *question) owners(row salesforce.Row) (owners []int, sure bool) {
	for _, f := range q.args[0].Find.Fields {
		v, present := row.String(f)
		if !present {
			continue
		}
		if !ascii(v) {
			return nil, false
		}
		for k := range q.steps {
			if q.asks(k, v) && !slices.Contains(owners, k) {
				owners = append(owners, k)
			}
		}
	}
	return owners, true
}

func (q *question) asks(k int, value string) bool {
	if q.args[k].Find.By != plan.ByParent {
		return q.who[k].has(q.args[k].Find.By, value)
	}
	return slices.ContainsFunc(q.args[k].IDs, func(id string) bool { return sameID(id, value) })
}

// plain says whether a find's identifiers are all ASCII: only of those is it sure
// that the org and weir agree on what is equal, case aside.
func (s subject) plain(a findArgs) bool {
	if a.Find.By == plan.ByParent {
		return true
	}
	for _, v := range s.values[a.Find.By] {
		if !ascii(string(v.Reveal())) {
			return false
		}
	}
	return true
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > '~' }) < 0
}
