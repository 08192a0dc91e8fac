package store

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

// Decision is one line of the replay log: everything that a decision of the
// governor was computed from, and what came out.
type Decision struct {
	Org        weir.OrgID
	Seq        int64  // 1, 2, … within the org
	Node       string // who decided
	Kind       string // admit, observe or probe
	OrgVersion int64  // the version of the shared state that was read
	PolicyHash string
	Input      []byte // JSON
	Ruling     []byte // JSON
	StateHash  string // of the state after
	Snapshot   []byte // the state before; most decisions have none
	Steps      []weir.StepID
	At         time.Time
}

const decisionColumns = `org, seq, node, kind, org_version, policy, input, ruling, state_hash, snapshot, steps, at`

func scanDecision(r row) (d Decision, err error) {
	err = r.Scan(&d.Org, &d.Seq, &d.Node, &d.Kind, &d.OrgVersion, &d.PolicyHash, &d.Input, &d.Ruling, &d.StateHash,
		&d.Snapshot, document{&d.Steps}, instant{&d.At})
	return d, err
}

// AppendDecision appends to the org's log and returns the decision's number.
// The caller says with a snapshot where a replay may begin: the first decision
// of an org needs one.
func (t *Tx) AppendDecision(d Decision) (seq int64, err error) {
	what := "append decision of " + string(d.Org)
	seq, err = one(t, what, scanValue[int64],
		`UPDATE org SET decisions = decisions + 1 WHERE id = $1 RETURNING decisions`, d.Org)
	if err != nil {
		return 0, err
	}
	err = t.put(what, `
		INSERT INTO decision (`+decisionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		d.Org, seq, d.Node, d.Kind, d.OrgVersion, d.PolicyHash, d.Input, d.Ruling, d.StateHash,
		d.Snapshot, document{d.Steps}, t.or(d.At))
	if err != nil || len(d.Steps) == 0 {
		return seq, err
	}
	return seq, t.put(what, `
		INSERT INTO decision_step (org, seq, step) SELECT $1, $2, value FROM `+t.unfolded("$3", "list"), d.Org, seq, listed(t, d.Steps))
}

// DecisionsOf lists the decisions that a step took part in.
func (t *Tx) DecisionsOf(step weir.StepID) ([]Decision, error) {
	return list(t, "list decisions on "+string(step), scanDecision, `
		SELECT `+decisionColumns+` FROM decision
		WHERE (org, seq) IN (SELECT org, seq FROM decision_step WHERE step = $1)
		ORDER BY org, seq`, step)
}

// DecisionChain lists the org's decisions from the newest snapshot at or
// before seq up to seq: what must be replayed to recompute that one.
func (t *Tx) DecisionChain(org weir.OrgID, seq int64) ([]Decision, error) {
	what := fmt.Sprintf("read chain of decision %d of %s", seq, org)
	chain, err := list(t, what, scanDecision, `
		SELECT `+decisionColumns+` FROM decision
		WHERE org = $1 AND seq <= $2 AND seq >= (
			SELECT max(seq) FROM decision WHERE org = $1 AND seq <= $2 AND snapshot IS NOT NULL)
		ORDER BY seq`, org, seq)
	if err != nil {
		return nil, err
	}
	if len(chain) == 0 || chain[len(chain)-1].Seq != seq {
		return nil, fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	return chain, nil
}

// SavePolicy keeps a policy under its hash, once.
func (t *Tx) SavePolicy(hash string, doc []byte) error {
	return t.put("save policy", `
		INSERT INTO policy (hash, doc) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`, hash, doc)
}

// Policy reads the policy of that hash.
func (t *Tx) Policy(hash string) ([]byte, error) {
	return one(t, "read policy "+hash, scanValue[[]byte], `SELECT doc FROM policy WHERE hash = $1`, hash)
}
