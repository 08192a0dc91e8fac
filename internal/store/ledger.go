package store

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// Row is one entry of the ledger as it is kept. RowID says in which order
// entries were written, Entry.Seq where the sequencer put them.
type Row struct {
	RowID int64
	Entry weir.Entry
}

const entryColumns = `id, coalesce(seq, 0), at, actor, act, org, request, step, detail`

// scanEntry reads plain strings: database/sql takes types of ours the slow way
// round, and verification reads a million entries.
func scanEntry(r row) (e Row, err error) {
	err = r.Scan(&e.RowID, &e.Entry.Seq, instant{&e.Entry.At}, &e.Entry.By, &e.Entry.Act, (*string)(&e.Entry.Org),
		(*string)(&e.Entry.Request), (*string)(&e.Entry.Step), details{&e.Entry.Detail})
	return e, err
}

// Append writes entries, not yet numbered, in the transaction of what they
// speak of.
func (t *Tx) Append(entries ...weir.Entry) error {
	for len(entries) > 0 {
		first, n := entries[0], 1
		for n < len(entries) && entries[n].At.Equal(first.At) && entries[n].By == first.By && entries[n].Org == first.Org {
			n++
		}
		all := rows{
			into:   `INSERT INTO entry (at, actor, org, act, request, step, detail)`,
			shared: []any{t.or(first.At), first.By, first.Org}, width: 4,
		}
		for _, e := range entries[:n] {
			all.add(e.Act, e.Request, e.Step, details{&e.Detail})
		}
		if err := t.insert("append to the ledger", all); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

const ledgerLock = `hashtextextended('weir ledger of ' || current_schema(), 0)`

// LockLedger elects the sequencer for the rest of this transaction: false when
// another node is it. On SQLite the one writer is elected.
func (t *Tx) LockLedger() (bool, error) {
	if t.dialect == SQLite {
		return true, nil
	}
	return one(t, "lock the ledger", scanValue[bool], `SELECT pg_try_advisory_xact_lock(`+ledgerLock+`)`)
}

// HoldLedger waits until no other node numbers entries, and keeps it so for the
// rest of this transaction: numbers and size that are read in it fit together.
// It comes first in its transaction.
func (t *Tx) HoldLedger() error {
	if t.dialect == SQLite {
		return nil
	}
	return t.put("hold the ledger", `SELECT pg_advisory_xact_lock(`+ledgerLock+`)`)
}

// Unnumbered lists entries that have no number yet, oldest first.
func (t *Tx) Unnumbered(limit int) ([]Row, error) {
	var w where
	return list(t, "list unnumbered entries", scanEntry,
		`SELECT `+entryColumns+` FROM entry WHERE seq IS NULL ORDER BY id`+w.limit(limit), w.args...)
}

// Number gives entries their numbers (Entry.Seq, from TreeSize+1 on) and keeps the
// new hashes of the tree under their positions. The caller holds LockLedger.
func (t *Tx) Number(numbered []Row, hashes map[int64][]byte) error {
	size, err := t.TreeSize()
	if err != nil {
		return err
	}
	seqs := make([][]any, len(numbered))
	for i, r := range numbered {
		if size++; r.Entry.Seq != size {
			return fmt.Errorf("number the ledger: entry %d where %d is next: %w", r.Entry.Seq, size, ErrMovedElsewhere)
		}
		seqs[i] = []any{r.RowID, r.Entry.Seq}
	}
	n, err := t.apply("number the ledger", perRow{act: `UPDATE entry SET seq = $2`, where: `WHERE id = $1 AND seq IS NULL`}, seqs)
	if err == nil && n != len(seqs) {
		err = fmt.Errorf("number the ledger: %d of %d entries have no number yet: %w", n, len(seqs), ErrMovedElsewhere)
	}
	if err != nil {
		return err
	}
	kept := rows{into: `INSERT INTO tree_hash (position, hash)`, width: 2}
	for _, position := range slices.Sorted(maps.Keys(hashes)) {
		kept.add(position, hashes[position])
	}
	if err := t.insert("keep tree hashes", kept); err != nil {
		return err
	}
	return t.count("ledger", len(numbered))
}

// TreeSize is how many entries the tree holds, and so the last one's number. It
// is kept apart from the entries: were it counted from them, one that somebody
// deleted at the end would be numbered over, and never missed.
func (t *Tx) TreeSize() (int64, error) { return t.total("ledger") }

// Entries yields the entries from one number to another, both included.
func (t *Tx) Entries(from, to int64) iter.Seq2[weir.Entry, error] {
	return each(t, "read the ledger", func(r row) (weir.Entry, error) {
		e, err := scanEntry(r)
		return e.Entry, err
	}, `SELECT `+entryColumns+` FROM entry WHERE seq BETWEEN $1 AND $2 ORDER BY seq`, from, to)
}

// Strays lists some entries that bear a number which the tree does not hold.
// Nobody of ours writes one.
func (t *Tx) Strays(size int64, limit int) ([]weir.Entry, error) {
	w := where{args: []any{size}}
	return list(t, "look for strays in the ledger", func(r row) (weir.Entry, error) {
		e, err := scanEntry(r)
		return e.Entry, err
	}, `SELECT `+entryColumns+` FROM entry WHERE seq < 1 OR seq > $1 ORDER BY seq`+w.limit(limit), w.args...)
}

// EntriesSince lists entries written after that row, numbered or not, for a
// person who watches. On PostgreSQL an entry whose transaction took longer can
// appear behind one that was already seen.
func (t *Tx) EntriesSince(rowid int64, limit int) ([]Row, error) {
	w := where{args: []any{rowid}}
	return list(t, "list new entries", scanEntry,
		`SELECT `+entryColumns+` FROM entry WHERE id > $1 ORDER BY id`+w.limit(limit), w.args...)
}

// EntriesOf lists the entries about a request in the order of writing.
func (t *Tx) EntriesOf(request weir.RequestID) ([]weir.Entry, error) {
	return list(t, "list entries of "+string(request), func(r row) (weir.Entry, error) {
		e, err := scanEntry(r)
		return e.Entry, err
	}, `SELECT `+entryColumns+` FROM entry WHERE request = $1 ORDER BY id`, request)
}

// Checkpoint is a signed statement about the ledger's first Size entries.
type Checkpoint struct {
	Size int64
	Note []byte
	At   time.Time
}

// SaveCheckpoint keeps a checkpoint; one of the same size is replaced.
func (t *Tx) SaveCheckpoint(size int64, note []byte) error {
	return t.put("save checkpoint", `
		INSERT INTO checkpoint (size, note, at) VALUES ($1, $2, $3)
		ON CONFLICT (size) DO UPDATE SET note = excluded.note, at = excluded.at`, size, note, t.now)
}

// Checkpoints lists every checkpoint, the smallest first.
func (t *Tx) Checkpoints() ([]Checkpoint, error) {
	return list(t, "list checkpoints", func(r row) (c Checkpoint, err error) {
		err = r.Scan(&c.Size, &c.Note, instant{&c.At})
		return c, err
	}, `SELECT size, note, at FROM checkpoint ORDER BY size`)
}
