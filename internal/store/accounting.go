package store

import (
	"time"

	"github.com/weirhq/weir"
)

// Accounting says where everything is that was ever accepted. The left side is
// counted at the door, the right side in the tables.
type Accounting struct {
	Accepted, Done, Waiting, Dead, Cancelled int64
}

// Balanced says whether nothing was lost and nothing came from nowhere.
func (a Accounting) Balanced() bool { return a.Accepted == a.Done+a.Waiting+a.Dead+a.Cancelled }

// Accounting reads the balance of steps and of requests. A request that has
// not ended counts as dead while one of its dead letters is open.
func (t *Tx) Accounting() (steps, requests Accounting, err error) {
	if steps, err = t.stepAccounting(); err != nil {
		return steps, requests, err
	}
	requests, err = t.requestAccounting()
	return steps, requests, err
}

func (t *Tx) stepAccounting() (a Accounting, err error) {
	if a.Accepted, err = t.total("accepted_steps"); err != nil {
		return a, err
	}
	counts, err := t.StepCounts("")
	if err != nil {
		return a, err
	}
	for state, n := range counts {
		switch state {
		case weir.StepDone, weir.StepWaived:
			a.Done += int64(n)
		case weir.StepPlanned, weir.StepReady, weir.StepExecuting, weir.StepWaiting, weir.StepConflicted:
			a.Waiting += int64(n)
		case weir.StepDead, weir.StepEscalated:
			a.Dead += int64(n)
		case weir.StepCancelled:
			a.Cancelled += int64(n)
		}
	}
	return a, nil
}

func (t *Tx) requestAccounting() (a Accounting, err error) {
	if a.Accepted, err = t.total("accepted_requests"); err != nil {
		return a, err
	}
	counts, err := t.StageCounts()
	if err != nil {
		return a, err
	}
	for stage, n := range counts {
		switch stage {
		case weir.Delivered, weir.Closed:
			a.Done += int64(n)
		case weir.Rejected, weir.Cancelled:
			a.Cancelled += int64(n)
		case weir.Received, weir.Verified, weir.Discovered, weir.Planned, weir.AwaitingApproval,
			weir.Executing, weir.Verifying, weir.Sealing, weir.Paused:
			a.Waiting += int64(n)
		}
	}
	a.Dead, err = one(t, "count requests with open letters", scanValue[int64], `
		SELECT count(*) FROM request
		WHERE stage NOT IN ('DELIVERED', 'CLOSED', 'REJECTED', 'CANCELLED') AND EXISTS (
			SELECT 1 FROM letter WHERE letter.request = request.id AND letter.state = 'OPEN')`)
	a.Waiting -= a.Dead
	return a, err
}

// StepCounts counts the steps of an org, or of all when org is empty, in each
// state that has any.
func (t *Tx) StepCounts(org weir.OrgID) (map[weir.StepState]int, error) {
	var w where
	if org != "" {
		w.and("org = ?", org)
	}
	return counts[weir.StepState](t, "count steps", `SELECT state, count(*) FROM step`+w.String()+` GROUP BY state`, w.args...)
}

// StageCounts counts the requests in each stage that has any.
func (t *Tx) StageCounts() (map[weir.Stage]int, error) {
	return counts[weir.Stage](t, "count requests", `SELECT stage, count(*) FROM request GROUP BY stage`)
}

func counts[K ~string](t *Tx, what, query string, args ...any) (map[K]int, error) {
	found := map[K]int{}
	_, err := list(t, what, func(r row) (none struct{}, err error) {
		var key K
		var n int
		err = r.Scan(&key, &n)
		found[key] = n
		return none, err
	}, query, args...)
	return found, err
}

// count adds to a counter of the tally.
func (t *Tx) count(name string, n int) error {
	return t.must("count "+name, `UPDATE tally SET total = total + $2 WHERE name = $1`, name, n)
}

func (t *Tx) total(name string) (int64, error) {
	return one(t, "read tally "+name, scanValue[int64], `SELECT total FROM tally WHERE name = $1`, name)
}

// backlog reads one row of a count and the oldest time among what it counted.
func (t *Tx) backlog(what, query string) (n int, oldest time.Time, err error) {
	_, err = one(t, what, func(r row) (none struct{}, err error) {
		return none, r.Scan(&n, instant{&oldest})
	}, query)
	return n, oldest, err
}
