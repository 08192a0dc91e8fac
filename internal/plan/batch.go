package plan

// Write is what decides whether a mutation goes in a call with others.
type Write struct {
	Object string
	Delete bool
	Alone  bool // it has a condition, or must not share its fate: a subrequest of its own
}

// FitWrites returns how many of the writes, in order, one composite carries together
// with the queries that read them back: one per object. Those that are not alone share
// a collection of updates and one of deletions. Queries and collections are limited
// together (wire reference, section 1.8).
func FitWrites(writes []Write) int {
	objects := map[string]bool{}
	collections := map[bool]int{} // records of each, by whether it deletes
	alone := 0
	for n, w := range writes {
		objects[w.Object] = true
		if w.Alone {
			alone++
		} else {
			collections[w.Delete]++
		}
		counted := len(objects) + len(collections)
		if counted > CompositeQueries || alone+counted > CompositeSize || collections[w.Delete] > CollectionSize {
			return n
		}
	}
	return len(writes)
}
