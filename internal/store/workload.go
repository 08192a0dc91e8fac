package store

import (
	"time"

	"github.com/weirhq/weir"
)

// Workload is what an open request costs in calls.
type Workload struct {
	Request  weir.RequestID
	Due      time.Time
	Right    weir.Right
	Risk     weir.Risk
	Stage    weir.Stage
	Calls    int64     // made so far
	Expected int64     // in all, as its plan says; 0 before there is one
	Shed     bool      // the schedule has given it up
	Urgent   bool      // a person marked it: it goes before all others
	WakeAt   time.Time // when the last of its waiting steps wakes; zero when none waits

	ForeseenFrom, ForeseenTo time.Time // what was last foreseen in earnest, and when
}

const workloadQuery = `
	SELECT r.id, r.due_at, r.right_name, r.risk, r.stage, coalesce(w.calls, 0), coalesce(w.expected, 0),
		coalesce(w.shed, 0), CASE WHEN u.request IS NULL THEN 0 ELSE 1 END,
		coalesce(w.foreseen_from, 0), coalesce(w.foreseen_to, 0),
		coalesce((SELECT max(wake_at) FROM step WHERE step.request = r.id AND step.state = 'WAITING'), 0)
	FROM request r LEFT JOIN workload w ON w.request = r.id LEFT JOIN urgency u ON u.request = r.id`

func scanWorkload(r row) (w Workload, err error) {
	err = r.Scan(&w.Request, instant{&w.Due}, &w.Right, &w.Risk, &w.Stage, &w.Calls, &w.Expected,
		&w.Shed, &w.Urgent, instant{&w.ForeseenFrom}, instant{&w.ForeseenTo}, instant{&w.WakeAt})
	return w, err
}

// Workload reads what one request costs.
func (t *Tx) Workload(id weir.RequestID) (Workload, error) {
	return one(t, "read workload of "+string(id), scanWorkload, workloadQuery+` WHERE r.id = $1`, id)
}

// Workloads lists those of an org's requests that still need calls, or will
// once a person has acted.
func (t *Tx) Workloads(org weir.OrgID) ([]Workload, error) {
	return list(t, "list workloads of "+string(org), scanWorkload, workloadQuery+`
		WHERE r.org = $1 AND `+needsCalls+` ORDER BY r.due_at, r.id`, org)
}

// ShedRequests counts those of them that the schedule has given up.
func (t *Tx) ShedRequests(org weir.OrgID) (int, error) {
	return one(t, "count shed requests of "+string(org), scanValue[int], `
		SELECT count(*) FROM request r JOIN workload w ON w.request = r.id
		WHERE r.org = $1 AND w.shed = 1 AND `+needsCalls, org)
}

// needsCalls is true of a request that still needs calls, or will once a
// person has acted.
const needsCalls = `r.stage NOT IN ('SEALING', 'DELIVERED', 'CLOSED', 'PAUSED', 'REJECTED', 'CANCELLED')`

// AddCalls counts calls that were made for a request.
func (t *Tx) AddCalls(id weir.RequestID, calls int) error {
	return t.put("count calls of "+string(id), `
		INSERT INTO workload (request, calls, expected, shed, foreseen_from, foreseen_to) VALUES ($1, $2, 0, 0, 0, 0)
		ON CONFLICT (request) DO UPDATE SET calls = workload.calls + excluded.calls`, id, calls)
}

// ExpectCalls notes how many calls a request will still cost beyond those made.
func (t *Tx) ExpectCalls(id weir.RequestID, calls int) error {
	if err := t.AddCalls(id, 0); err != nil {
		return err
	}
	return t.must("expect calls of "+string(id), `UPDATE workload SET expected = calls + $2 WHERE request = $1`, id, calls)
}

// Foresee notes the finish that is foreseen for a request now, to learn from
// it later how far forecasts can be trusted.
func (t *Tx) Foresee(id weir.RequestID, finish time.Time) error {
	if err := t.AddCalls(id, 0); err != nil {
		return err
	}
	return t.must("foresee the finish of "+string(id), `
		UPDATE workload SET foreseen_from = $2, foreseen_to = $3 WHERE request = $1`, id, t.now, finish)
}

// ShedRequest marks a request and its steps as given up by the schedule, or
// takes the mark back: others go first, unless it is urgent.
func (t *Tx) ShedRequest(id weir.RequestID, shed bool) error {
	if err := t.AddCalls(id, 0); err != nil {
		return err
	}
	if err := t.must("shed "+string(id), `UPDATE workload SET shed = $2 WHERE request = $1`, id, shed); err != nil {
		return err
	}
	return t.queueUp(id)
}
