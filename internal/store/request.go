package store

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

const requestColumns = `id, org, right_name, law, risk, stage, version, subject, ref, evidence, reason, recipient,
	submitted_by, received_at, due_at, created_at, closed_at, pass, plan_hash`

func scanRequest(r row) (q weir.Request, err error) {
	err = r.Scan(&q.ID, &q.Org, &q.Right, &q.Law, &q.Risk, &q.Stage, &q.Version, &q.Subject, &q.Ref, &q.Evidence,
		&q.Reason, &q.Recipient, &q.SubmittedBy, instant{&q.ReceivedAt}, instant{&q.DueAt}, instant{&q.CreatedAt},
		instant{&q.ClosedAt}, &q.Pass, &q.PlanHash)
	return q, err
}

// InsertRequest accepts a request and counts it. The index is the full keyed
// hash of the subject, by which FindBySubject finds it.
func (t *Tx) InsertRequest(r weir.Request, subjectIndex string) error {
	what := "insert request " + string(r.ID)
	n, err := t.exec(what, `
		INSERT INTO request (id, org, right_name, law, risk, stage, version, subject, subject_index, ref, evidence,
			reason, recipient, submitted_by, received_at, due_at, created_at, closed_at, moved_at, resume_stage,
			pass, plan_hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, '', $20, $21)
		ON CONFLICT (id) DO NOTHING`,
		r.ID, r.Org, r.Right, r.Law, r.Risk, r.Stage, r.Version, r.Subject, subjectIndex, r.Ref, r.Evidence,
		r.Reason, r.Recipient, r.SubmittedBy, r.ReceivedAt, r.DueAt, t.or(r.CreatedAt), r.ClosedAt, t.now,
		r.Pass, r.PlanHash)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%s: %w", what, ErrExists)
	}
	return t.count("accepted_requests", 1)
}

// Request reads one request.
func (t *Tx) Request(id weir.RequestID) (weir.Request, error) {
	return one(t, "read request "+string(id), scanRequest, `SELECT `+requestColumns+` FROM request WHERE id = $1`, id)
}

// RequestFilter narrows a list of requests. Zero fields do not.
type RequestFilter struct {
	Org       weir.OrgID
	Stages    []weir.Stage
	Rights    []weir.Right
	Open      bool      // only those that have not ended
	DueBefore time.Time // due before this moment
	Limit     int
	After     weir.RequestID // the last one of the page before
}

// Requests lists requests, the most urgent first.
func (t *Tx) Requests(f RequestFilter) ([]weir.Request, error) {
	var w where
	if f.Org != "" {
		w.and("org = ?", f.Org)
	}
	if len(f.Stages) > 0 {
		in(&w, "stage", f.Stages)
	}
	if len(f.Rights) > 0 {
		in(&w, "right_name", f.Rights)
	}
	if f.Open {
		w.and("stage NOT IN ('CLOSED', 'REJECTED', 'CANCELLED')")
	}
	if !f.DueBefore.IsZero() {
		w.and("due_at < ?", f.DueBefore)
	}
	if f.After != "" {
		w.and("(due_at, id) > (SELECT due_at, id FROM request WHERE id = ?)", f.After)
	}
	query := `SELECT ` + requestColumns + ` FROM request` + w.String() + ` ORDER BY due_at, id` + w.limit(f.Limit)
	return list(t, "list requests", scanRequest, query, w.args...)
}

// FindBySubject lists the org's requests of one subject, oldest first.
func (t *Tx) FindBySubject(org weir.OrgID, index string) ([]weir.Request, error) {
	return list(t, "find requests of a subject", scanRequest, `
		SELECT `+requestColumns+` FROM request WHERE org = $1 AND subject_index = $2
		ORDER BY created_at, id`, org, index)
}

// MoveRequest moves the request along the event's edge, lets set (which may be
// nil) change the other fields, and writes it if stage and version are still
// the held ones. On success r is the new row. Its org, right, subject and
// origin never change.
func (t *Tx) MoveRequest(r *weir.Request, e weir.Event, set func(*weir.Request)) error {
	to, err := r.Stage.Next(e)
	if err != nil {
		return fmt.Errorf("move request %s: %w", r.ID, err)
	}
	return t.moveRequest(r, to, set)
}

// ResumeRequest takes a paused request back to the stage that it was paused
// in; everything else is as in MoveRequest.
func (t *Tx) ResumeRequest(r *weir.Request, set func(*weir.Request)) error {
	what := "resume request " + string(r.ID)
	if r.Stage != weir.Paused {
		return fmt.Errorf("%s: stage %s: %w", what, r.Stage, weir.ErrNoSuchTransition)
	}
	to, err := one(t, what, scanValue[weir.Stage],
		`SELECT resume_stage FROM request WHERE id = $1 AND stage = 'PAUSED'`, r.ID)
	if err != nil {
		return err
	}
	return t.moveRequest(r, to, set)
}

func (t *Tx) moveRequest(r *weir.Request, to weir.Stage, set func(*weir.Request)) error {
	next := *r
	if set != nil {
		set(&next)
	}
	next.Stage = to
	if to.Ended() {
		next.ClosedAt = t.now
	}
	return t.writeRequest(r, next)
}

// EditRequest changes fields without a change of stage, under the same guard.
func (t *Tx) EditRequest(r *weir.Request, set func(*weir.Request)) error {
	next := *r
	set(&next)
	next.Stage = r.Stage
	return t.writeRequest(r, next)
}

// writeRequest is the one statement that changes a request. On its right-hand
// sides, stage is still the held one.
func (t *Tx) writeRequest(r *weir.Request, next weir.Request) error {
	next.ID, next.Org, next.Right, next.Subject = r.ID, r.Org, r.Right, r.Subject
	next.SubmittedBy, next.CreatedAt = r.SubmittedBy, r.CreatedAt
	next.Version = r.Version + 1
	err := t.change("write request "+string(r.ID), `
		UPDATE request SET law = $4, risk = $5, stage = $6, version = $7, ref = $8, evidence = $9, reason = $10,
			recipient = $11, received_at = $12, due_at = $13, closed_at = $14, pass = $15, plan_hash = $16,
			moved_at = CASE WHEN stage = $6 THEN moved_at ELSE $17 END,
			resume_stage = CASE WHEN $6 <> 'PAUSED' THEN '' WHEN stage = 'PAUSED' THEN resume_stage ELSE stage END
		WHERE id = $1 AND stage = $2 AND version = $3`,
		r.ID, r.Stage, r.Version,
		next.Law, next.Risk, next.Stage, next.Version, next.Ref, next.Evidence, next.Reason,
		next.Recipient, next.ReceivedAt, next.DueAt, next.ClosedAt, next.Pass, next.PlanHash, t.now)
	if err == nil {
		*r = next
	}
	return err
}
