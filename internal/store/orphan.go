package store

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// Holder is a node that executes steps of an org.
type Holder struct {
	Node  string
	Org   weir.OrgID
	Until time.Time // when the first of its claims ends
}

// Holders lists who executes steps, whether they still run or not.
func (t *Tx) Holders() ([]Holder, error) {
	return list(t, "list holders of steps", func(r row) (h Holder, err error) {
		err = r.Scan(&h.Node, &h.Org, instant{&h.Until})
		return h, err
	}, `
		SELECT node, org, min(until) FROM step WHERE state = 'EXECUTING'
		GROUP BY node, org ORDER BY org, node`)
}

// YieldOrphans gives steps that a holder executes back to the queue: those
// whose claim ended before that time, most of them at most, and none that may
// have sent a write. It returns their ids, kinds and what they are about.
func (t *Tx) YieldOrphans(h Holder, endedBefore time.Time, most int) ([]weir.Step, error) {
	to, err := weir.StepExecuting.Next(weir.Yield)
	if err != nil {
		return nil, err
	}
	return t.moveOrphans(h, `NOT `+writing, endedBefore, most, `state = $2`, to)
}

// DeferOrphans does the same for those that may have sent a write: they wait
// until that time and then read back.
func (t *Tx) DeferOrphans(h Holder, endedBefore time.Time, most int, wake time.Time) ([]weir.Step, error) {
	to, err := weir.StepExecuting.Next(weir.Defer)
	if err != nil {
		return nil, err
	}
	return t.moveOrphans(h, writing, endedBefore, most, `state = $2, phase = $3, cause = $4, wake_at = $5`,
		to, weir.PhaseConfirm, weir.UnknownOutcome, wake)
}

const (
	writing       = `(kind = 'erase' AND phase = 'write')`
	orphanColumns = `id, request, org, kind, phase, object, record`
)

// moveOrphans names the steps before it moves them: how PostgreSQL joins an
// update with a query of thousands of rows depends on statistics that are old
// right after a crash.
func (t *Tx) moveOrphans(h Holder, which string, endedBefore time.Time, most int, set string, values ...any) (moved []weir.Step, err error) {
	what := "adopt orphans of " + h.Node
	ids, err := list(t, what, scanValue[weir.StepID], `
		SELECT id FROM step WHERE state = 'EXECUTING' AND node = $1 AND org = $2 AND until < $3 AND `+which+` LIMIT $4`,
		h.Node, h.Org, endedBefore, most)
	if err != nil {
		return nil, err
	}
	err = inChunks(ids, len(values)+2, func(marks string, args []any) error {
		some, err := list(t, what, scanOrphan, `
			UPDATE step SET `+set+`, node = '', until = 0
			WHERE id IN (`+marks+`) AND node = $1 AND state = 'EXECUTING' RETURNING `+orphanColumns,
			slices.Concat([]any{h.Node}, values, args)...)
		moved = append(moved, some...)
		return err
	})
	return moved, err
}

func scanOrphan(r row) (s weir.Step, err error) {
	err = r.Scan(&s.ID, &s.Request, &s.Org, &s.Kind, &s.Phase, &s.Object, &s.Record)
	return s, err
}
