package plan

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
)

// Cost counts the API calls that executing a plan takes when nothing fails.
// A composite counts as one call whatever it carries. Empty kinds mean that
// the subject has an identifier of every kind.
func Cost(m *datamap.Map, kinds []string, p weir.Plan) int {
	if !p.Right.Mutates() {
		pages := 0
		for _, x := range Exports(p) {
			pages += x.pages()
		}
		return ceil(pages, CompositeQueries)
	}
	if len(kinds) == 0 {
		kinds = []string{datamap.KindEmail, datamap.KindPhone, datamap.KindID}
	}
	return confirmCalls(m, kinds, p) + eraseCalls(Steps(p)) + proveCalls(m, kinds, p)
}

// confirmCalls counts the discovery pass before the first write, of which the first
// queries ride in the describe's call. One queryAll for each find shows live and
// deleted rows together.
func confirmCalls(m *datamap.Map, kinds []string, p weir.Plan) int {
	records := map[string]int{}
	for _, item := range p.Items {
		records[item.Object] += item.Records()
	}
	found := slices.Collect(maps.Keys(records))
	queries := 0
	for _, f := range FindsAhead(m, kinds, found) {
		targets := 0
		for _, parent := range f.Parents {
			targets += records[parent]
		}
		queries += max(1, ceil(targets, FindIDs))
	}
	objects := len(m.ObjectNames())
	return ceil(objects, CompositeSize) + ceil(max(0, queries-Riders(objects)), CompositeQueries)
}

// eraseCalls counts the batches of each rank and the purges: what is read in one
// call before it is written, and the writes with what reads them back and what is
// written next. Whether the org honours conditions is not known yet: updates are counted
// as if it did.
func eraseCalls(steps []weir.Step) int {
	ranks := map[int]map[string][]weir.Step{} // by shape
	purges := 0
	for _, s := range steps {
		if s.Kind == weir.StepPurge {
			purges++
			continue
		}
		if ranks[s.Rank] == nil {
			ranks[s.Rank] = map[string][]weir.Step{}
		}
		ranks[s.Rank][s.Shape] = append(ranks[s.Rank][s.Shape], s)
	}
	calls := ceil(purges, PurgeSize)
	var last []Write // of the rank before, when one call writes them
	for _, rank := range slices.Sorted(maps.Keys(ranks)) {
		shapes := ranks[rank]
		for shape, all := range shapes {
			for i, chunk := range slices.Collect(slices.Chunk(all, QueryIDs)) {
				writes := writesOf(chunk)
				switch {
				case shape == ShapeByRow:
					calls += len(chunk)
				case i > 0 || !rides(last, chunk):
					calls += readCalls(chunk)
				}
				calls += writeCalls(writes)
			}
		}
		last = nil
		if len(shapes) == 1 {
			for _, all := range shapes {
				if w := writesOf(all); FitWrites(w) == len(w) {
					last = w
				}
			}
		}
	}
	return calls
}

// rides says whether the checks of a batch ride in the call with these writes.
func rides(writes []Write, batch []weir.Step) bool {
	if len(writes) == 0 {
		return false
	}
	objects := map[string]bool{}
	for _, s := range batch {
		objects[s.Object] = true
	}
	return len(objects) <= CheckRoom(writes)
}

func writesOf(batch []weir.Step) (writes []Write) {
	for _, s := range batch {
		var a EraseArgs
		if err := json.Unmarshal(s.Args, &a); err != nil {
			panic("plan: arguments of a step just planned: " + err.Error()) // see args
		}
		gone := a.Action == weir.ActDelete
		writes = append(writes, Write{Object: s.Object, Delete: gone, Alone: !gone})
	}
	return writes
}

// writeCalls counts the composites that change records.
func writeCalls(writes []Write) (calls int) {
	for len(writes) > 0 {
		writes = writes[FitWrites(writes):]
		calls++
	}
	return calls
}

// readCalls counts the composites that read the records of one batch: one
// query per object.
func readCalls(batch []weir.Step) int {
	objects := map[string]bool{}
	for _, s := range batch {
		objects[s.Object] = true
	}
	return ceil(len(objects), CompositeQueries)
}

// proveCalls counts the first round of the proof: every strong way to the
// subject by query and by queryAll, and one look at each deleted record.
func proveCalls(m *datamap.Map, kinds []string, p weir.Plan) int {
	queries := 0
	for _, f := range Finds(m, 0, kinds, nil) {
		if !f.Review {
			queries += 2
		}
	}
	deleted := map[string]int{}
	for _, item := range p.Items {
		if item.Action == weir.ActDelete {
			deleted[item.Object]++
		}
	}
	for _, n := range deleted {
		queries += ceil(n, FindIDs)
	}
	return ceil(queries, CompositeQueries)
}

// Riders is how many queries fit in the call that describes so many objects.
func Riders(objects int) int { return min(CompositeQueries, max(0, CompositeSize-objects)) }

func ceil(n, by int) int { return (n + by - 1) / by }
