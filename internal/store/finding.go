package store

import (
	"iter"
	"time"

	"github.com/weirhq/weir"
)

// AddFindings notes the records that a pass found, each of them once: what is said of one
// that was found before takes its place. It counts as deleted only if every query saw
// it in the recycle bin.
func (t *Tx) AddFindings(request weir.RequestID, pass weir.Pass, findings []weir.Finding) error {
	all := rows{
		into: `INSERT INTO finding (request, pass, object, record, version, why, review, shared, deleted)`,
		// deleted is 0 or 1: the product is 1 only when both are.
		after: `
			ON CONFLICT (request, pass, object, record) DO UPDATE
			SET version = excluded.version, why = excluded.why, review = excluded.review, shared = excluded.shared,
				deleted = finding.deleted * excluded.deleted`,
		width: 9,
	}
	for _, f := range findings {
		all.add(request, pass, f.Object, f.Record, f.Version, f.Why, f.Review, f.Shared, f.Deleted)
	}
	return t.insert("add findings of "+string(request), all)
}

const findingColumns = `object, record, version, why, review, shared, deleted`

func scanFinding(r row) (f weir.Finding, err error) {
	err = r.Scan(&f.Object, &f.Record, &f.Version, &f.Why, &f.Review, &f.Shared, &f.Deleted)
	return f, err
}

// Findings lists what a pass found, by object and record.
func (t *Tx) Findings(request weir.RequestID, pass weir.Pass) ([]weir.Finding, error) {
	return list(t, "list findings of "+string(request), scanFinding, `
		SELECT `+findingColumns+` FROM finding
		WHERE request = $1 AND pass = $2 ORDER BY object, record`, request, pass)
}

// EachFinding goes through what a pass found, by object and record, without
// holding more than one of them. Whoever ranges over it leaves the transaction
// alone meanwhile.
func (t *Tx) EachFinding(request weir.RequestID, pass weir.Pass) iter.Seq2[weir.Finding, error] {
	return each(t, "read findings of "+string(request), scanFinding, `
		SELECT `+findingColumns+` FROM finding
		WHERE request = $1 AND pass = $2 ORDER BY object, record`, request, pass)
}

// FoundObjects lists the objects of which a pass found records.
func (t *Tx) FoundObjects(request weir.RequestID, pass weir.Pass) ([]string, error) {
	return list(t, "list objects found for "+string(request), scanValue[string], `
		SELECT DISTINCT object FROM finding WHERE request = $1 AND pass = $2 ORDER BY object`, request, pass)
}

// FoundRecords lists the records of one object that a pass found, those behind
// after, as many as that at most.
func (t *Tx) FoundRecords(request weir.RequestID, pass weir.Pass, object, after string, most int) ([]string, error) {
	return list(t, "list records found for "+string(request), scanValue[string], `
		SELECT record FROM finding
		WHERE request = $1 AND pass = $2 AND object = $3 AND record > $4
		ORDER BY record LIMIT $5`, request, pass, object, after, most)
}

// sureRecords are the records of one object behind another that are not merely
// weak matches.
const sureRecords = `
	SELECT record FROM finding
	WHERE request = $1 AND pass = $2 AND object = $3 AND record > $4 AND review = 0`

// SureRecords lists the records of one object that surely are the subject's:
// those behind after and up to last, as many as that at most.
func (t *Tx) SureRecords(request weir.RequestID, pass weir.Pass, object, after, last string, most int) ([]string, error) {
	return list(t, "list sure records of "+string(request), scanValue[string],
		sureRecords+` AND record <= $5 ORDER BY record LIMIT $6`, request, pass, object, after, last, most)
}

// SureBounds cuts the records that surely are the subject's into parts of a
// size, and lists the last record of each part.
func (t *Tx) SureBounds(request weir.RequestID, pass weir.Pass, object string, size int) ([]string, error) {
	what := "cut the records of " + string(request)
	var bounds []string
	after := ""
	for {
		last, full, err := maybe(t, what, scanValue[string],
			sureRecords+` ORDER BY record LIMIT 1 OFFSET $5`, request, pass, object, after, size-1)
		if err != nil {
			return nil, err
		}
		if !full { // the rest is less than a part
			last, full, err = maybe(t, what, scanValue[string], sureRecords+` ORDER BY record DESC LIMIT 1`, request, pass, object, after)
			if full {
				bounds = append(bounds, last)
			}
			return bounds, err
		}
		bounds, after = append(bounds, last), last
	}
}

// FindingsAbout lists those of a pass's findings that are about some records,
// by object and record: what a page of rows has to be compared with, however
// many were found before.
func (t *Tx) FindingsAbout(request weir.RequestID, pass weir.Pass, records []string) ([]weir.Finding, error) {
	return list(t, "list findings of "+string(request), scanFinding, `
		SELECT `+findingColumns+` FROM finding
		WHERE request = $1 AND pass = $2 AND `+t.among("record", "$3")+` ORDER BY object, record`,
		request, pass, listed(t, records))
}

// ClearFindings forgets what a pass found, before it runs again.
func (t *Tx) ClearFindings(request weir.RequestID, pass weir.Pass) error {
	return t.put("clear findings of "+string(request),
		`DELETE FROM finding WHERE request = $1 AND pass = $2`, request, pass)
}

// SaveSchemas replaces what is known about the org's objects.
func (t *Tx) SaveSchemas(org weir.OrgID, schemas []weir.ObjectSchema) error {
	what := "save schemas of " + string(org)
	if err := t.put(what, `DELETE FROM object_schema WHERE org = $1`, org); err != nil {
		return err
	}
	for _, s := range schemas {
		err := t.put(what, `INSERT INTO object_schema (org, object, doc, at) VALUES ($1, $2, $3, $4)`,
			org, s.Name, document{s}, t.now)
		if err != nil {
			return err
		}
	}
	return nil
}

// Schemas reads what is known about the org's objects and when it was read;
// zero when it never was.
func (t *Tx) Schemas(org weir.OrgID) (map[string]weir.ObjectSchema, time.Time, error) {
	var at time.Time
	all, err := list(t, "read schemas of "+string(org), func(r row) (s weir.ObjectSchema, err error) {
		err = r.Scan(document{&s}, instant{&at})
		return s, err
	}, `SELECT doc, at FROM object_schema WHERE org = $1`, org)
	if err != nil {
		return nil, time.Time{}, err
	}
	schemas := make(map[string]weir.ObjectSchema, len(all))
	for _, s := range all {
		schemas[s.Name] = s
	}
	return schemas, at, nil
}
