package store

import (
	"time"

	"github.com/weirhq/weir"
)

// OrgState is what all nodes share about an org. Its definition (URL,
// credentials, policy) lives in the configuration.
type OrgState struct {
	ID           weir.OrgID
	Version      int64     // one more with every SaveOrg
	Governor     []byte    // JSON: the governor's shared state
	WakeAt       time.Time // when slots are due, if there is work; zero is at once
	LetsUrgent   bool      // urgent work may ask before WakeAt: what holds the rest need not hold it
	Capabilities []byte    // JSON: which rung of the ladder each object honours
}

const orgColumns = `id, version, governor, wake_at, lets_urgent, capabilities`

func scanOrg(r row) (o OrgState, err error) {
	err = r.Scan(&o.ID, &o.Version, &o.Governor, instant{&o.WakeAt}, &o.LetsUrgent, &o.Capabilities)
	return o, err
}

// EnsureOrg makes the org's row if there is none.
func (t *Tx) EnsureOrg(id weir.OrgID) error {
	return t.put("ensure org "+string(id), `
		INSERT INTO org (id, version, wake_at, decisions) VALUES ($1, 0, 0, 0)
		ON CONFLICT (id) DO NOTHING`, id)
}

// LockOrg reads the org's state and keeps it from changing elsewhere until the
// transaction ends. Whoever is going to save it reads it with LockOrg: a
// wake-up that comes in between would be lost otherwise.
func (t *Tx) LockOrg(id weir.OrgID) (OrgState, error) {
	return one(t, "lock org "+string(id), scanOrg,
		`SELECT `+orgColumns+` FROM org WHERE id = $1`+t.held(), id)
}

// Org reads the org's state.
func (t *Tx) Org(id weir.OrgID) (OrgState, error) {
	return one(t, "read org "+string(id), scanOrg, `SELECT `+orgColumns+` FROM org WHERE id = $1`, id)
}

// Orgs reads the state of every org.
func (t *Tx) Orgs() ([]OrgState, error) {
	return list(t, "list orgs", scanOrg, `SELECT `+orgColumns+` FROM org ORDER BY id`)
}

// SaveOrg writes the state if nobody has since the version that it carries;
// the row's version is one more afterwards.
func (t *Tx) SaveOrg(o OrgState) error {
	return t.change("save org "+string(o.ID), `
		UPDATE org SET version = version + 1, governor = $3, wake_at = $4, lets_urgent = $5, capabilities = $6
		WHERE id = $1 AND version = $2`,
		o.ID, o.Version, o.Governor, o.WakeAt, o.LetsUrgent, o.Capabilities)
}

// WakeOrg makes the org due at that time, or keeps an earlier one: a later
// wake-up must not swallow it.
func (t *Tx) WakeOrg(id weir.OrgID, at time.Time) error {
	return t.must("wake org "+string(id), `
		UPDATE org SET wake_at = CASE WHEN wake_at > $2 THEN $2 ELSE wake_at END
		WHERE id = $1`, id, at)
}

// ShiftWaits moves what waits in an org by what the wall clock was stepped by:
// the wake-ups of its steps, and the end of its claims.
func (t *Tx) ShiftWaits(id weir.OrgID, by time.Duration) error {
	err := t.put("shift waits of "+string(id), `
		UPDATE step SET wake_at = wake_at + $2 WHERE org = $1 AND state = 'WAITING'`, id, by.Milliseconds())
	if err != nil {
		return err
	}
	return t.put("shift claims of "+string(id), `
		UPDATE step SET until = until + $2 WHERE org = $1 AND state = 'EXECUTING'`, id, by.Milliseconds())
}

// DueOrgs lists the orgs whose time has come and which have a step to claim: any
// one, or an urgent one where the org's wait lets such work ask.
func (t *Tx) DueOrgs() ([]weir.OrgID, error) {
	step := func(which string) string {
		return `EXISTS (SELECT 1 FROM step WHERE step.org = org.id AND ` + which + `)`
	}
	const ready, woken = `step.state = 'READY'`, `step.state = 'WAITING' AND step.wake_at <= $1`
	const urgent = ` AND step.shed = -1`
	return list(t, "list due orgs", scanValue[weir.OrgID], `
		SELECT id FROM org
		WHERE wake_at <= $1 AND (`+step(ready)+` OR `+step(woken)+`)
			OR lets_urgent = 1 AND (`+step(ready+urgent)+` OR `+step(woken+urgent)+`)
		ORDER BY id`, t.now)
}

// NextWake is when time alone next moves something of the org: a waiting step
// wakes, or the gate opens; false when neither will. A step that woke behind the
// gate waits for the gate.
func (t *Tx) NextWake(org weir.OrgID) (time.Time, bool, error) {
	return maybe(t, "next wake of "+string(org), scanTime, `
		SELECT at FROM (
			SELECT step.wake_at AS at FROM step JOIN org ON org.id = step.org
			WHERE step.org = $1 AND step.state = 'WAITING' AND (step.wake_at > $2 OR org.wake_at <= $2)
			UNION ALL
			SELECT wake_at FROM org WHERE id = $1 AND wake_at > $2
		) AS next ORDER BY at LIMIT 1`, org, t.now)
}

// InFlight counts the batches that are being executed for the org on all
// nodes, and the calls of other programs that were admitted.
func (t *Tx) InFlight(org weir.OrgID) (int, error) {
	return one(t, "count calls of "+string(org), scanValue[int], `
		SELECT (SELECT count(DISTINCT claim) FROM step WHERE org = $1 AND state = 'EXECUTING')
			+ (SELECT count(*) FROM admission WHERE org = $1 AND until > $2)`, org, t.now)
}

// LongCalls counts those of InFlight that began at or before a time, given how
// long claims live.
func (t *Tx) LongCalls(org weir.OrgID, began time.Time, claim time.Duration) (int, error) {
	return one(t, "count long calls of "+string(org), scanValue[int], `
		SELECT (SELECT count(DISTINCT claim) FROM step WHERE org = $1 AND state = 'EXECUTING' AND until <= $2)
			+ (SELECT count(*) FROM admission WHERE org = $1 AND until > $3 AND at <= $4)`,
		org, began.Add(claim), t.now, began)
}

// CallsAbout counts the batches that are being executed about an object of the
// org, those that write or all the others, and that began after a time.
func (t *Tx) CallsAbout(org weir.OrgID, object string, writes bool, began time.Time, claim time.Duration) (int, error) {
	return one(t, "count calls about "+object+" of "+string(org), scanValue[int], `
		SELECT count(DISTINCT claim) FROM step
		WHERE org = $1 AND state = 'EXECUTING' AND until > $2 AND object = $3 AND `+sort(writes),
		org, began.Add(claim), object)
}
