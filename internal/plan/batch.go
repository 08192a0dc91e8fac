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
	l := newLoad()
	for n, w := range writes {
		l.add(w)
		if queries, subrequests := l.room(); queries < 0 || subrequests < 0 || l.collections[w.Delete] > CollectionSize {
			return n
		}
	}
	return len(writes)
}

// CheckRoom is of how many objects the records can be read behind these writes and their
// queries in one composite: each takes a query, and perhaps a probe.
func CheckRoom(writes []Write) int {
	l := newLoad()
	for _, w := range writes {
		l.add(w)
	}
	queries, subrequests := l.room()
	return min(queries, subrequests/2)
}

// load is what a composite carries.
type load struct {
	objects     map[string]bool // each is read back by a query
	collections map[bool]int    // records of each, by whether it deletes
	alone       int
}

func newLoad() load { return load{objects: map[string]bool{}, collections: map[bool]int{}} }

func (l *load) add(w Write) {
	l.objects[w.Object] = true
	if w.Alone {
		l.alone++
	} else {
		l.collections[w.Delete]++
	}
}

// room is what is left: queries, and subrequests of any kind, the queries among them.
func (l *load) room() (queries, subrequests int) {
	counted := len(l.objects) + len(l.collections)
	return CompositeQueries - counted, CompositeSize - counted - l.alone
}
