package plan

import "github.com/weirhq/weir/internal/datamap"

// ranks orders the objects that were found: children before parents, and what
// a rule lists as after before it. Objects without records take no rank of
// their own, but the order through them still holds.
func ranks(m *datamap.Map, present map[string]bool) map[string]int {
	// next is the lowest rank for whatever must come after the object.
	next := map[string]int{}
	rank := map[string]int{}
	var visit func(object string) int
	visit = func(object string) int {
		if n, ok := next[object]; ok {
			return n
		}
		lowest := 0
		for _, before := range m.ErasedBefore(object) {
			lowest = max(lowest, visit(before))
		}
		next[object] = lowest
		if present[object] {
			rank[object] = lowest
			next[object] = lowest + 1
		}
		return next[object]
	}
	for object := range present {
		visit(object)
	}
	return rank
}
