package store

import "github.com/weirhq/weir"

// MarkUrgent notes that a request is urgent: its steps, those to come included,
// are claimed before all others of the org. It returns false when the request
// was urgent already; the first mark stays.
func (t *Tx) MarkUrgent(u weir.Urgency) (bool, error) {
	n, err := t.exec("mark "+string(u.Request)+" as urgent", `
		INSERT INTO urgency (request, actor, reason, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (request) DO NOTHING`, u.Request, u.By, u.Reason, t.or(u.At))
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.queueUp(u.Request)
}

// UnmarkUrgent takes the mark back; false when there is none.
func (t *Tx) UnmarkUrgent(id weir.RequestID) (bool, error) {
	n, err := t.exec("mark "+string(id)+" as not urgent", `DELETE FROM urgency WHERE request = $1`, id)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.queueUp(id)
}

// Urgency reads the mark of a request; false when it is not urgent.
func (t *Tx) Urgency(id weir.RequestID) (weir.Urgency, bool, error) {
	return maybe(t, "read urgency of "+string(id), func(r row) (u weir.Urgency, err error) {
		err = r.Scan(&u.Request, &u.By, &u.Reason, instant{&u.At})
		return u, err
	}, `SELECT request, actor, reason, at FROM urgency WHERE request = $1`, id)
}

// queueUp puts a request's steps that have not ended where its marks want them,
// in the column shed: urgent ones first, whether or not the schedule gave the
// request up, and what it gave up last. Steps are inserted in turn, which is right
// for most requests: those have nothing written.
func (t *Tx) queueUp(id weir.RequestID) error {
	what := "queue up the steps of " + string(id)
	place, err := one(t, what, scanValue[int], `
		SELECT CASE
			WHEN EXISTS (SELECT 1 FROM urgency WHERE request = $1) THEN -1
			WHEN EXISTS (SELECT 1 FROM workload WHERE request = $1 AND shed = 1) THEN 1
			ELSE 0 END`, id)
	if err != nil {
		return err
	}
	return t.put(what, `UPDATE step SET shed = $2 WHERE request = $1 AND shed <> $2 AND `+unended, id, place)
}
