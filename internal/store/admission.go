package store

import (
	"time"

	"github.com/weirhq/weir"
)

// Admission is leave for one call of another program.
type Admission struct {
	ID     string
	Org    weir.OrgID
	Node   string    // who gave it
	Holder string    // the person whose program it is
	Cost   int       // 0 once the outcome is known and only the answer is still being read
	At     time.Time // when it was given
	Until  time.Time // from then on the call is taken for lost
}

const admissionColumns = `id, org, node, holder, cost, at, until`

func scanAdmission(r row) (a Admission, err error) {
	err = r.Scan(&a.ID, &a.Org, &a.Node, &a.Holder, &a.Cost, instant{&a.At}, instant{&a.Until})
	return a, err
}

// OpenAdmission adds an admission; the call counts as in flight until it is
// closed or has ended.
func (t *Tx) OpenAdmission(a Admission) error {
	return t.put("open admission "+a.ID, `
		INSERT INTO admission (`+admissionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.Org, a.Node, a.Holder, a.Cost, t.or(a.At), a.Until)
}

// Admission reads one of an org; false when it was closed, or never given.
func (t *Tx) Admission(org weir.OrgID, id string) (Admission, bool, error) {
	return maybe(t, "read admission "+id, scanAdmission,
		`SELECT `+admissionColumns+` FROM admission WHERE org = $1 AND id = $2`, org, id)
}

// SpendAdmission notes that the call's cost has been counted. It stays in
// flight.
func (t *Tx) SpendAdmission(org weir.OrgID, id string) error {
	return t.put("spend admission "+id, `UPDATE admission SET cost = 0 WHERE org = $1 AND id = $2`, org, id)
}

// CloseAdmission ends one; it may have ended before.
func (t *Tx) CloseAdmission(org weir.OrgID, id string) error {
	return t.put("close admission "+id, `DELETE FROM admission WHERE org = $1 AND id = $2`, org, id)
}

// EndedAdmissions lists those whose time is over: their programs have died, or
// take very long.
func (t *Tx) EndedAdmissions() ([]Admission, error) {
	return list(t, "list ended admissions", scanAdmission,
		`SELECT `+admissionColumns+` FROM admission WHERE until <= $1 ORDER BY org, at, id`, t.now)
}
