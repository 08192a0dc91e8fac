package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

const letterColumns = `id, step, request, org, state, cause, code, object, record, kind, attempts, first_at, last_at,
	due_at, right_name, risk, release_by, sealed_name, sealed_size, sealed_sha256, times`

func scanLetter(r row) (l weir.Letter, err error) {
	err = r.Scan(&l.ID, &l.Step, &l.Request, &l.Org, &l.State, &l.Cause, &l.Code, &l.Object, &l.Record, &l.Kind,
		&l.Attempts, instant{&l.FirstAt}, instant{&l.LastAt}, instant{&l.DueAt}, &l.Right, &l.Risk, &l.Release,
		&l.Sealed.Name, &l.Sealed.Size, &l.Sealed.Digest, &l.Times)
	return l, err
}

// OpenLetter opens the dead letter of a step. A step has one: if it dies again
// the letter opens again, keeps its number and its first failure, and counts
// how often. It returns the letter as it now stands.
func (t *Tx) OpenLetter(l weir.Letter) (weir.Letter, error) {
	what := "open letter of " + string(l.Step)
	again, err := one(t, what, scanLetter, `
		UPDATE letter SET state = 'OPEN', times = times + 1, opened_at = $2, last_at = $3, cause = $4, code = $5,
			attempts = $6, due_at = $7, right_name = $8, risk = $9, release_by = $10,
			sealed_name = $11, sealed_size = $12, sealed_sha256 = $13
		WHERE step = $1 RETURNING `+letterColumns,
		l.Step, t.now, t.or(l.LastAt), l.Cause, l.Code, l.Attempts, l.DueAt, l.Right, l.Risk, l.Release,
		l.Sealed.Name, l.Sealed.Size, l.Sealed.Digest)
	if !errors.Is(err, ErrNotFound) {
		return again, err
	}
	number, err := one(t, what, scanValue[int64],
		`UPDATE tally SET total = total + 1 WHERE name = 'letters' RETURNING total`)
	if err != nil {
		return weir.Letter{}, err
	}
	return one(t, what, scanLetter, `
		INSERT INTO letter (`+letterColumns+`, number, opened_at)
		VALUES ($1, $2, $3, $4, 'OPEN', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 1,
			$20, $21)
		RETURNING `+letterColumns,
		fmt.Sprintf("DL-%d", number), l.Step, l.Request, l.Org, l.Cause, l.Code, l.Object, l.Record, l.Kind, l.Attempts,
		t.or(l.FirstAt), t.or(l.LastAt), l.DueAt, l.Right, l.Risk, l.Release,
		l.Sealed.Name, l.Sealed.Size, l.Sealed.Digest, number, t.now)
}

// Letter reads one dead letter.
func (t *Tx) Letter(id weir.LetterID) (weir.Letter, error) {
	return one(t, "read letter "+string(id), scanLetter, `SELECT `+letterColumns+` FROM letter WHERE id = $1`, id)
}

// LetterOf reads the letter of a step, open or not; false when it never died.
func (t *Tx) LetterOf(step weir.StepID) (weir.Letter, bool, error) {
	return maybe(t, "read letter of "+string(step), scanLetter,
		`SELECT `+letterColumns+` FROM letter WHERE step = $1`, step)
}

// LetterFilter narrows a list of dead letters. Zero fields do not.
type LetterFilter struct {
	Org       weir.OrgID
	State     weir.LetterState
	Cause     weir.Category
	Request   weir.RequestID
	Release   weir.ReleaseKind
	Urgent    bool      // of urgent requests only
	OlderThan time.Time // opened before this moment
	Limit     int
	After     weir.LetterID // the last one of the page before
}

// urgency orders dead letters as deadletter.Order does: the least time left
// first, then erasure and opt-out, then the declared risk, then the older one.
// The index letter_open has these words.
const urgency = dueOrNever + `,
	(CASE WHEN right_name IN ('erasure', 'opt-out') THEN 0 ELSE 1 END),
	(CASE risk WHEN 'high' THEN 0 ELSE 1 END),
	number`

const dueOrNever = `(CASE due_at WHEN 0 THEN 9007199254740991 ELSE due_at END)`

// Letters lists dead letters in the order of risk. A page of open ones comes
// from the index in that order, wherever it begins.
func (t *Tx) Letters(f LetterFilter) ([]weir.Letter, error) {
	query, args := f.query()
	return list(t, "list letters", scanLetter, query, args...)
}

func (f LetterFilter) query() (string, []any) {
	var w where
	if f.State == weir.LetterOpen {
		w.and("state = 'OPEN'") // the condition of the index, word for word
	} else if f.State != "" {
		w.and("state = ?", f.State)
	}
	for _, c := range []struct{ column, value string }{
		{"org", string(f.Org)},
		{"cause", string(f.Cause)},
		{"request", string(f.Request)},
		{"release_by", string(f.Release)},
	} {
		if c.value != "" {
			w.and(c.column+" = ?", c.value)
		}
	}
	if f.Urgent {
		w.and("request IN (SELECT request FROM urgency)")
	}
	if !f.OlderThan.IsZero() {
		w.and("opened_at < ?", f.OlderThan)
	}
	if f.After != "" {
		// The first condition is implied by the second; it lets SQLite begin there.
		w.and(dueOrNever+" >= (SELECT "+dueOrNever+" FROM letter WHERE id = ?)", f.After)
		w.and("("+urgency+") > (SELECT "+urgency+" FROM letter WHERE id = ?)", f.After)
	}
	query := `SELECT ` + letterColumns + ` FROM letter` + w.String() + ` ORDER BY ` + urgency + w.limit(f.Limit)
	return query, w.args
}

// LettersByRelease counts the org's open letters by what releases them.
func (t *Tx) LettersByRelease(org weir.OrgID) (map[weir.ReleaseKind]int, error) {
	return counts[weir.ReleaseKind](t, "count letters of "+string(org), `
		SELECT release_by, count(*) FROM letter WHERE org = $1 AND state = 'OPEN' GROUP BY release_by`, org)
}

// MoveLetter changes the letter's state if it is still the expected one.
func (t *Tx) MoveLetter(id weir.LetterID, from, to weir.LetterState) error {
	return t.change("move letter "+string(id),
		`UPDATE letter SET state = $3 WHERE id = $1 AND state = $2`, id, from, to)
}

// AddLetterEvent adds a line to the letter's history.
func (t *Tx) AddLetterEvent(e weir.LetterEvent) error {
	return t.put("add event to letter "+string(e.Letter), `
		INSERT INTO letter_event (letter, at, actor, act, note) VALUES ($1, $2, $3, $4, $5)`,
		e.Letter, t.or(e.At), e.By, e.Act, e.Note)
}

// LetterEvents reads the letter's history.
func (t *Tx) LetterEvents(id weir.LetterID) ([]weir.LetterEvent, error) {
	return list(t, "list events of letter "+string(id), func(r row) (e weir.LetterEvent, err error) {
		err = r.Scan(&e.Letter, instant{&e.At}, &e.By, &e.Act, &e.Note)
		return e, err
	}, `SELECT letter, at, actor, act, note FROM letter_event WHERE letter = $1 ORDER BY id`, id)
}

// LetterStats counts the open letters and says since when the oldest is open.
func (t *Tx) LetterStats() (open int, oldest time.Time, err error) {
	return t.backlog("count open letters", `SELECT count(*), coalesce(min(opened_at), 0) FROM letter WHERE state = 'OPEN'`)
}
