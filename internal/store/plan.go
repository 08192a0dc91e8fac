package store

import (
	"github.com/weirhq/weir"
)

// SavePlan keeps a plan under its request and hash. A plan of the same hash
// says the same, so only its times and forecast are new.
func (t *Tx) SavePlan(p weir.Plan) error {
	return t.put("save plan of "+string(p.Request), `
		INSERT INTO plan (request, hash, doc) VALUES ($1, $2, $3)
		ON CONFLICT (request, hash) DO UPDATE SET doc = excluded.doc`, p.Request, p.Hash, document{p})
}

// Plan reads one plan of a request.
func (t *Tx) Plan(request weir.RequestID, hash string) (weir.Plan, error) {
	return one(t, "read plan of "+string(request), func(r row) (p weir.Plan, err error) {
		err = r.Scan(document{&p})
		return p, err
	}, `SELECT doc FROM plan WHERE request = $1 AND hash = $2`, request, hash)
}

// InsertApproval keeps one person's consent.
func (t *Tx) InsertApproval(a weir.Approval) error {
	return t.put("insert approval of "+string(a.Request), `
		INSERT INTO approval (request, plan_hash, actor, note, at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		a.Request, a.PlanHash, a.By, a.Note, t.or(a.At), a.Expires)
}

// Approval lists the consents to one plan of a request, expired ones included,
// in the order in which they were given.
func (t *Tx) Approval(request weir.RequestID, hash string) ([]weir.Approval, error) {
	return list(t, "read approvals of "+string(request), func(r row) (a weir.Approval, err error) {
		err = r.Scan(&a.Request, &a.PlanHash, &a.By, &a.Note, instant{&a.At}, instant{&a.Expires})
		return a, err
	}, `
		SELECT request, plan_hash, actor, note, at, expires_at FROM approval
		WHERE request = $1 AND plan_hash = $2 ORDER BY id`, request, hash)
}
