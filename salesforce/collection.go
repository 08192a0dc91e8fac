package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pii"
)

// Limits of one collection, and of the objects that it may mix (wire reference,
// section 1.8).
const (
	maxCollection = 200
	maxObjects    = 10
)

// pack puts the mutations of a call into subrequests, by their places. What has a
// condition, or must not share its fate with others, is a subrequest of its own:
// a collection has no conditions, and the trigger that fails over one record of it
// fails all. The rest goes in collections, sorted by object, updates apart from
// deletions.
func pack(mutations []Mutation) [][]int {
	var groups [][]int
	together := map[bool][]int{} // by whether they delete
	seen := map[string]bool{}    // a collection takes a record once
	for i, m := range mutations {
		if m.Alone || m.IfMatch != "" || !m.IfUnmodifiedSince.IsZero() || seen[m.ID] {
			groups = append(groups, []int{i})
			continue
		}
		seen[m.ID] = true
		together[m.Delete] = append(together[m.Delete], i)
	}
	for _, places := range together {
		slices.SortStableFunc(places, func(a, b int) int { return strings.Compare(mutations[a].Object, mutations[b].Object) })
		var group []int
		objects := 0
		for k, i := range places {
			if k == 0 || mutations[i].Object != mutations[places[k-1]].Object {
				objects++
			}
			if len(group) == maxCollection || objects > maxObjects {
				groups = append(groups, group)
				group, objects = nil, 1
			}
			group = append(group, i)
		}
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b []int) int { return a[0] - b[0] }) // a map has no order
	return groups
}

// collection is the subrequest that carries several mutations of one kind.
func (c *Client) collection(mutations []Mutation, places []int) (subrequest, error) {
	resource := c.data("/composite/sobjects")
	if mutations[places[0]].Delete {
		ids := make([]string, len(places))
		for k, i := range places {
			ids[k] = mutations[i].ID
		}
		return subrequest{
			method: http.MethodDelete, header: courtesy(nil),
			url: fmt.Appendf(nil, "%s?ids=%s&allOrNone=false", resource, strings.Join(ids, ",")),
		}, nil
	}
	fields := make([][]byte, len(places))
	size := 64
	for k, i := range places {
		var err error
		if fields[k], err = fieldsBody(mutations[i].Fields); err != nil {
			return subrequest{}, err
		}
		size += len(fields[k]) + len(mutations[i].Object) + len(mutations[i].ID) + 64
	}
	body := append(make([]byte, 0, size), `{"allOrNone":false,"records":[`...) // it never grows: nothing of it stays elsewhere
	for k, i := range places {
		if k > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `{"attributes":{"type":"%s"},"id":"%s",`, mutations[i].Object, mutations[i].ID)
		body = append(body, fields[k][1:]...)
		clear(fields[k])
	}
	return subrequest{method: http.MethodPatch, url: []byte(resource), header: courtesy(nil), body: append(body, `]}`...)}, nil
}

// itemAnswers reads the answer of a collection. Its items come in the order of the
// records and need not name them when they failed (wire reference, section 6.4):
// where one names another record, none can be told apart.
func (c *Client) itemAnswers(mutations []Mutation, places []int, p part, tree any, halted bool, answers []MutationAnswer) {
	method := mutations[places[0]].method()
	all := func(f *weir.Fault, detail pii.Secret) {
		for _, i := range places {
			fault := *f
			answers[i] = MutationAnswer{Status: p.status, Fault: &fault, Shared: true, Detail: detail.Clone()}
		}
		detail.Clear()
	}
	if p.status/100 != 2 {
		v := c.subVerdict(Response{Method: method, Halted: halted, Composite: true}, p, tree)
		f := v.Fault()
		if f == nil {
			f = brokenItem()
		}
		if f.Scope == weir.ScopeRecord { // what is said of all of them is not about a record
			f.Category, f.Scope = weir.Validation, weir.ScopeCall
		}
		all(f, v.Detail)
		return
	}
	items, _ := tree.([]any)
	if len(items) != len(places) || !lineUp(items, mutations, places) {
		all(brokenItem(), pii.Secret{})
		return
	}
	for k, i := range places {
		v := c.subVerdict(Response{Method: method, Halted: halted, Seen: true}, p, items[k])
		answers[i] = MutationAnswer{Status: p.status, Fault: v.Fault(), Shared: true, Detail: v.Detail}
		m, _ := items[k].(map[string]any)
		if done, given := m["success"].(bool); !given || done != (answers[i].Fault == nil) {
			answers[i].Fault = brokenItem()
		}
	}
}

// lineUp says whether no item names a record that is not the one in its place, and
// each that succeeded names its own.
func lineUp(items []any, mutations []Mutation, places []int) bool {
	for k, i := range places {
		m, _ := items[k].(map[string]any)
		id, named := m["id"].(string)
		if done, _ := m["success"].(bool); !named && done || named && !sameRecord(id, mutations[i].ID) {
			return false
		}
	}
	return true
}

// sameRecord compares record ids, which have a short and a long form.
func sameRecord(a, b string) bool { return len(a) >= 15 && len(b) >= 15 && a[:15] == b[:15] }

// brokenItem says that an answer does not tell what became of a record.
func brokenItem() *weir.Fault {
	return ownFault(CodeBrokenAnswer, weir.UnknownOutcome, weir.EffectUnknown)
}
