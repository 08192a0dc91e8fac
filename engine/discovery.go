package engine

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
)

// deepen adds the next level of the discovery, or ends the pass: the planning
// pass leads to a plan, the confirming one to execution or to drift.
func (t *txn) deepen(r *weir.Request, done weir.Event) (bool, error) {
	level, err := t.levelsDone(r)
	if err != nil {
		return false, err
	}
	added, err := t.addFinds(r, level)
	if err != nil || added {
		return false, err
	}
	if done != "" {
		return true, t.move(r, done, nil)
	}
	return true, t.confirm(r)
}

// startPass begins a discovery: the describe of every mapped object first.
func (t *txn) startPass(r *weir.Request, pass weir.Pass) error {
	l, err := t.e.lane(r.Org)
	if err != nil {
		return err
	}
	if err := t.ClearFindings(r.ID, pass); err != nil {
		return err
	}
	args, err := json.Marshal(describeArgs{Objects: l.Map.ObjectNames()})
	if err != nil {
		return fmt.Errorf("encode describe step: %w", err)
	}
	return t.add(r, []weir.Step{{
		Kind: weir.StepDescribe, Phase: weir.PhaseRead, Shape: shape(weir.StepDescribe, pass, t.Now().UnixMilli()), Args: args,
	}}, weir.StepReady)
}

// levelsDone counts the levels of the current pass that were already added:
// the describe step counts as level 0's predecessor.
func (t *txn) levelsDone(r *weir.Request) (int, error) {
	steps, err := t.StepsOf(r.ID)
	if err != nil {
		return 0, err
	}
	level := 0
	since := lastDescribe(steps)
	for _, s := range steps {
		if s.Kind != weir.StepFind || s.Rank <= since {
			continue
		}
		var a findArgs
		if err := json.Unmarshal(s.Args, &a); err != nil {
			return 0, fmt.Errorf("decode find step %s: %w", s.ID, err)
		}
		level = max(level, a.Find.Level+1)
	}
	return level, nil
}

// lastDescribe is the rank at which the current pass began.
func lastDescribe(steps []weir.Step) int {
	rank := -1
	for _, s := range steps {
		if s.Kind == weir.StepDescribe {
			rank = max(rank, s.Rank)
		}
	}
	return rank
}

// addFinds adds the queries of one level and says whether there were any.
func (t *txn) addFinds(r *weir.Request, level int) (bool, error) {
	l, err := t.e.lane(r.Org)
	if err != nil {
		return false, err
	}
	have, err := t.Findings(r.ID, r.Pass)
	if err != nil {
		return false, err
	}
	kinds, err := setting(t.Tx, kindsKey(r.ID))
	if err != nil {
		return false, err
	}
	var steps []weir.Step
	for _, f := range plan.Finds(l.Map, level, splitKinds(kinds), have) {
		for _, chunk := range targetsOf(f, have) {
			args, err := json.Marshal(findArgs{Find: f, IDs: chunk, All: r.Right == weir.Erasure}) // what lies in the recycle bin must go too
			if err != nil {
				return false, fmt.Errorf("encode find step: %w", err)
			}
			steps = append(steps, weir.Step{
				Kind: weir.StepFind, Phase: weir.PhaseRead, Object: f.Object, Args: args,
				Shape: shape(weir.StepFind, r.Pass, int64(level)),
			})
		}
	}
	if len(steps) == 0 {
		return false, nil
	}
	return true, t.add(r, steps, weir.StepReady)
}

// findChunk bounds the ids of one query well below Salesforce's limits on the
// length of a statement (wire reference, section 1.6).
const findChunk = 500

// targetsOf cuts the link targets of a find into chunks; a find by identifier
// has one empty chunk.
func targetsOf(f plan.Find, have []weir.Finding) [][]string {
	if f.By != plan.ByParent {
		return [][]string{nil}
	}
	var ids []string
	for _, h := range have {
		for _, p := range f.Parents {
			if h.Object == p {
				ids = append(ids, h.Record)
			}
		}
	}
	return chunks(ids, findChunk)
}

func chunks(ids []string, n int) [][]string {
	var out [][]string
	for len(ids) > n {
		out, ids = append(out, ids[:n]), ids[n:]
	}
	if len(ids) > 0 {
		out = append(out, ids)
	}
	return out
}

func shape(k weir.StepKind, p weir.Pass, part int64) string {
	return shapeOf(k, p) + strconv.FormatInt(part, 10)
}
