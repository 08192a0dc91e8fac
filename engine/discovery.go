package engine

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

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
		return added, err
	}
	if done != "" {
		return true, t.move(r, done, nil)
	}
	return true, t.confirm(r, level > allLevels)
}

// allLevels is the level of queries that were asked all at once; see plan.FindsAhead.
const allLevels = 1 << 20

func aheadShape() string { return shape(weir.StepFind, weir.PassConfirm, allLevels) }

// startPass begins a discovery with the describe of every mapped object and the first
// queries. A confirmation expects to find what the plan found, and asks for all at once.
func (t *txn) startPass(r *weir.Request, pass weir.Pass) error {
	level := 0
	if pass == weir.PassConfirm {
		level = allLevels
	}
	return t.startAt(r, pass, level)
}

func (t *txn) startAt(r *weir.Request, pass weir.Pass, level int) error {
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
	err = t.add(r, []weir.Step{{
		Kind: weir.StepDescribe, Phase: weir.PhaseRead, Shape: shape(weir.StepDescribe, pass, t.Now().UnixMilli()), Args: args,
	}}, weir.StepReady)
	if err != nil {
		return err
	}
	_, err = t.addFinds(r, level)
	return err
}

// levelsDone counts the levels of the current pass that were already added:
// the describe step counts as level 0's predecessor.
func (t *txn) levelsDone(r *weir.Request) (int, error) {
	shapes, err := t.FindShapes(r.ID)
	if err != nil {
		return 0, err
	}
	level := 0
	for _, s := range shapes {
		n, err := strconv.Atoi(s[strings.LastIndexByte(s, ':')+1:])
		if err != nil {
			return 0, fmt.Errorf("shape of a find step of %s: %w", r.ID, err)
		}
		level = max(level, n+1)
	}
	return level, nil
}

// addFinds adds the queries of one level, or of all, and says whether there were any.
func (t *txn) addFinds(r *weir.Request, level int) (bool, error) {
	l, err := t.e.lane(r.Org)
	if err != nil {
		return false, err
	}
	in := findsIn{t: t, r: r, from: r.Pass, level: level}
	if level == allLevels {
		in.from = weir.PassPlan
	}
	objects, err := t.FoundObjects(r.ID, in.from)
	if err != nil {
		return false, err
	}
	kinds, err := setting(t.Tx, kindsKey(r.ID))
	if err != nil {
		return false, err
	}
	var finds []plan.Find
	if level == allLevels {
		finds = plan.FindsAhead(l.Map, splitKinds(kinds), objects)
	} else {
		finds = plan.Finds(l.Map, level, splitKinds(kinds), objects)
	}
	if len(finds) == 0 {
		return false, nil
	}
	if in.base, err = t.opening(r); err != nil {
		return false, err
	}
	for _, f := range finds {
		if err := in.targets(f); err != nil {
			return false, err
		}
	}
	return true, in.flush()
}

// findsAtOnce is how many find steps are inserted together. Each may carry the
// ids of a chunk, and a subject may have any number of records to follow.
const findsAtOnce = 64

// findsIn inserts the find steps of one level.
type findsIn struct {
	t     *txn
	r     *weir.Request
	from  weir.Pass // whose findings they follow
	level int
	base  int
	steps []weir.Step // not inserted yet
}

// targets adds a find: for each chunk of the records that it follows links to,
// or once when it looks for an identifier.
func (in *findsIn) targets(f plan.Find) error {
	if f.By != plan.ByParent {
		return in.add(f, nil)
	}
	var ids []string
	for _, parent := range f.Parents {
		for after, more := "", true; more; {
			room := plan.FindIDs - len(ids)
			some, err := in.t.FoundRecords(in.r.ID, in.from, parent, after, room)
			if err != nil {
				return err
			}
			ids = append(ids, some...)
			if more = len(some) == room; !more {
				continue
			}
			if err := in.add(f, ids); err != nil {
				return err
			}
			after, ids = ids[plan.FindIDs-1], nil
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return in.add(f, ids)
}

func (in *findsIn) add(f plan.Find, ids []string) error {
	args, err := json.Marshal(findArgs{Find: f, IDs: ids, All: in.r.Right == weir.Erasure}) // what lies in the recycle bin must go too
	if err != nil {
		return fmt.Errorf("encode find step: %w", err)
	}
	in.steps = append(in.steps, weir.Step{
		Kind: weir.StepFind, Phase: weir.PhaseRead, State: weir.StepPlanned, Object: f.Object, Args: args,
		Shape: shape(weir.StepFind, in.r.Pass, int64(in.level)),
	})
	if len(in.steps) < findsAtOnce {
		return nil
	}
	return in.flush()
}

func (in *findsIn) flush() error {
	steps := in.steps
	in.steps = nil
	return in.t.insert(in.r, in.base, steps)
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
