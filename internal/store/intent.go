package store

import (
	"fmt"

	"github.com/weirhq/weir"
)

const intentColumns = `step, request, org, object, record, action, epoch, rung, precondition,
	before_digest, after_digest, state, opened_at, closed_at`

func scanIntent(r row) (i weir.Intent, err error) {
	err = r.Scan(&i.Step, &i.Request, &i.Org, &i.Object, &i.Record, &i.Action, &i.Epoch, &i.Rung, &i.Precondition,
		&i.BeforeDigest, &i.AfterDigest, &i.State, instant{&i.OpenedAt}, instant{&i.ClosedAt})
	return i, err
}

// OpenIntents records, before a call is sent, which mutations may be under way. It
// returns the steps whose intent it recorded: while another one is open for the
// same record of the org, whosever it is, none is.
func (t *Tx) OpenIntents(intents []weir.Intent) ([]weir.StepID, error) {
	var rows [][]any
	for _, i := range intents {
		rows = append(rows, []any{
			i.Step, i.Request, i.Org, i.Object, i.Record, i.Action, i.Epoch, i.Rung, i.Precondition,
			i.BeforeDigest, i.AfterDigest, t.or(i.OpenedAt),
		})
	}
	return applied(t, "open intents", scanValue[weir.StepID], perRow{
		act: `INSERT INTO intent (` + intentColumns + `)
			SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'OPEN', $12, 0`,
		where: `WHERE true ON CONFLICT (org, record) WHERE state = 'OPEN' DO NOTHING RETURNING step`,
	}, rows)
}

// CloseIntent records what became of the mutation.
func (t *Tx) CloseIntent(step weir.StepID, epoch int64, state weir.IntentState) error {
	what := "close intent of " + string(step)
	if state == weir.IntentOpen {
		return fmt.Errorf("%s: state %s does not close it", what, state)
	}
	return t.change(what, `
		UPDATE intent SET state = $3, closed_at = $4
		WHERE step = $1 AND epoch = $2 AND state = 'OPEN'`, step, epoch, state, t.now)
}

// CloseOpenIntent records what became of the step's open mutation, if it has
// one.
func (t *Tx) CloseOpenIntent(step weir.StepID, state weir.IntentState) {
	t.behind.closed = append(t.behind.closed, []any{step, state, t.now})
}

// closeIntents sends what CloseOpenIntent decided.
func (t *Tx) closeIntents(closed [][]any) error {
	_, err := t.apply("close intents", perRow{
		act:   `UPDATE intent SET state = $2, closed_at = $3`,
		where: `WHERE step = $1 AND state = 'OPEN'`,
	}, closed)
	return err
}

// Intents lists the intents of a request in the order in which they were
// opened.
func (t *Tx) Intents(request weir.RequestID) ([]weir.Intent, error) {
	return list(t, "list intents of "+string(request), scanIntent, `
		SELECT `+intentColumns+` FROM intent WHERE request = $1
		ORDER BY opened_at, step, epoch`, request)
}
