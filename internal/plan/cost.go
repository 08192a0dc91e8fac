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
// call before it is written, and the writes with what reads them back. Whether the org
// honours conditions is not known yet: updates are counted as if it did.
func eraseCalls(steps []weir.Step) int {
	type batch struct {
		rank  int
		shape string
	}
	batches := map[batch][]weir.Step{}
	purges := 0
	for _, s := range steps {
		if s.Kind == weir.StepPurge {
			purges++
			continue
		}
		b := batch{s.Rank, s.Shape}
		batches[b] = append(batches[b], s)
	}
	calls := ceil(purges, PurgeSize)
	for b, all := range batches {
		for chunk := range slices.Chunk(all, QueryIDs) {
			checks := readCalls(chunk)
			if b.shape == ShapeByRow {
				checks = len(chunk)
			}
			calls += checks + writeCalls(chunk)
		}
	}
	return calls
}

// writeCalls counts the composites that change the records of one batch.
func writeCalls(batch []weir.Step) (calls int) {
	var writes []Write
	for _, s := range batch {
		var a EraseArgs
		if err := json.Unmarshal(s.Args, &a); err != nil {
			panic("plan: arguments of a step just planned: " + err.Error()) // see args
		}
		gone := a.Action == weir.ActDelete
		writes = append(writes, Write{Object: s.Object, Delete: gone, Alone: !gone})
	}
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
