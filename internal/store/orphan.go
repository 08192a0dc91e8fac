package store

import (
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
	return list(t, "yield orphans of "+h.Node, scanOrphan, `
		UPDATE step SET state = $5, node = '', until = 0
		WHERE id IN (`+orphans+` AND NOT `+writing+` LIMIT $4) AND node = $1 AND state = 'EXECUTING'
		RETURNING `+orphanColumns, h.Node, h.Org, endedBefore, most, to)
}

// DeferOrphans does the same for those that may have sent a write: they wait
// until that time and then read back.
func (t *Tx) DeferOrphans(h Holder, endedBefore time.Time, most int, wake time.Time) ([]weir.Step, error) {
	to, err := weir.StepExecuting.Next(weir.Defer)
	if err != nil {
		return nil, err
	}
	return list(t, "defer orphans of "+h.Node, scanOrphan, `
		UPDATE step SET state = $5, phase = $6, cause = $7, wake_at = $8, node = '', until = 0
		WHERE id IN (`+orphans+` AND `+writing+` LIMIT $4) AND node = $1 AND state = 'EXECUTING'
		RETURNING `+orphanColumns, h.Node, h.Org, endedBefore, most, to, weir.PhaseConfirm, weir.UnknownOutcome, wake)
}

const (
	orphans = `SELECT id FROM step WHERE state = 'EXECUTING' AND node = $1 AND org = $2 AND until < $3`
	writing = `(kind = 'erase' AND phase = 'write')`

	orphanColumns = `id, request, org, kind, phase, object, record`
)

func scanOrphan(r row) (s weir.Step, err error) {
	err = r.Scan(&s.ID, &s.Request, &s.Org, &s.Kind, &s.Phase, &s.Object, &s.Record)
	return s, err
}
