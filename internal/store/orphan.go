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
		GROUP BY org, node ORDER BY org, node`)
}

// Claims lists those under which a node executes steps.
func (t *Tx) Claims(node string) ([]string, error) {
	return list(t, "list claims of "+node, scanValue[string], `SELECT DISTINCT claim FROM step WHERE state = 'EXECUTING' AND node = $1`, node)
}

// EndClaims ends claims of a node at once: their steps are orphans from then on.
func (t *Tx) EndClaims(node string, claims []string) error {
	for _, c := range claims {
		if err := t.put("end claim "+c, `UPDATE step SET until = 0 WHERE state = 'EXECUTING' AND node = $1 AND claim = $2`, node, c); err != nil {
			return err
		}
	}
	return nil
}

// AdoptOrphans gives steps that a holder executes back to the queue: those
// whose claim ended before that time, most of them at most. Those that may have
// sent a write wait until wake and then read back; they stay where they are
// when wake is zero. It returns their requests, kinds and the phases that they
// were taken from, and no more: SQLite keeps a copy of each value that a row
// returns, and a weir starts with this.
func (t *Tx) AdoptOrphans(h Holder, endedBefore time.Time, most int, wake time.Time) ([]weir.Step, error) {
	ready, err := weir.StepExecuting.Next(weir.Yield)
	if err != nil {
		return nil, err
	}
	waiting, err := weir.StepExecuting.Next(weir.Defer)
	if err != nil {
		return nil, err
	}
	which := ""
	if wake.IsZero() {
		which = ` AND NOT ` + writing
	}
	steps := make([]weir.Step, 0, most)
	for s, err := range each(t, "adopt orphans of "+h.Node, scanOrphan, `
		UPDATE step SET node = '', until = 0,
			phase = CASE WHEN `+writing+` THEN $1 ELSE phase END,
			state = CASE WHEN `+writing+` THEN $2 ELSE $3 END,
			cause = CASE WHEN `+writing+` THEN $4 ELSE cause END,
			wake_at = CASE WHEN `+writing+` THEN CAST($5 AS BIGINT) ELSE 0 END
		WHERE `+t.orphans(`FROM step WHERE state = 'EXECUTING' AND node = $6 AND org = $7 AND until < $8`+which+` LIMIT $9`)+`
		RETURNING id, request, kind, phase, wake_at`,
		weir.PhaseConfirm, waiting, ready, weir.UnknownOutcome, wake, h.Node, h.Org, endedBefore, most) {
		if err != nil {
			return nil, err
		}
		s.Org = h.Org
		steps = append(steps, s)
	}
	return steps, nil
}

// writing is whether a write may be under way.
const writing = `(kind = 'erase' AND phase = 'write')`

// orphans is the condition that a step is among those of a query. SQLite goes
// from row to row. PostgreSQL takes the rows and makes a list of them first: how
// it joins an update with a query of thousands of rows depends on statistics
// that are old right after a crash.
func (t *Tx) orphans(query string) string {
	if t.dialect == SQLite {
		return `rowid IN (SELECT rowid ` + query + `)`
	}
	return `id = ANY (ARRAY (SELECT id ` + query + t.held() + `))`
}

// scanOrphan tells from the wait that a step was writing: its row no longer
// says so.
func scanOrphan(r row) (s weir.Step, err error) {
	var wake time.Time
	err = r.Scan((*string)(&s.ID), (*string)(&s.Request), (*string)(&s.Kind), (*string)(&s.Phase), instant{&wake})
	if !wake.IsZero() {
		s.Phase = weir.PhaseWrite
	}
	return s, err
}
