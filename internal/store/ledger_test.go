package store_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
)

func entries(tx *store.Tx, n int) {
	for i := range n {
		ok(tx.Append(weir.Entry{By: "weir", Act: fmt.Sprintf("act.%d", i), Request: weir.RequestID(fmt.Sprintf("R-%d", i%2))}))
	}
}

// number gives the next rows their numbers, as the sequencer does.
func number(tx *store.Tx, limit int) ([]store.Row, error) {
	rows := need(tx.Unnumbered(limit))
	size := need(tx.TreeSize())
	hashes := map[int64][]byte{}
	for i := range rows {
		rows[i].Entry.Seq = size + int64(i) + 1
		hashes[rows[i].Entry.Seq] = fmt.Appendf(nil, "%32d", rows[i].Entry.Seq)
	}
	return rows, tx.Number(rows, hashes)
}

func testEntryRoundTrip(t *testing.T, s *store.Store) {
	full := weir.Entry{
		At: noon.Add(-time.Hour), By: "ann", Act: "request.submit", Org: "o", Request: "R-1", Step: "S-1",
		Detail: map[string]string{"law": "gdpr", "quote": `"'`},
	}
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.Append(full))
		ok(tx.Append(weir.Entry{Act: "bare"}))
		rows := need(tx.Unnumbered(0))
		same(t, rows, []store.Row{{RowID: rows[0].RowID, Entry: full}, {RowID: rows[1].RowID, Entry: weir.Entry{Act: "bare", At: noon}}})
		same(t, need(tx.EntriesOf("R-1")), []weir.Entry{full})
		same(t, need(tx.EntriesSince(rows[0].RowID-1, 0)), rows)
	})
}

// testManyEntriesKeepTheirOrder: entries that share their time, person and org
// are written together, and no other way than they came.
func testManyEntriesKeepTheirOrder(t *testing.T, s *store.Store) {
	var all []weir.Entry
	for i := range 300 {
		e := weir.Entry{At: noon, By: "weir", Org: "o", Act: fmt.Sprintf("act-%d", i), Step: weir.StepID(fmt.Sprintf("S-%d", i)), Detail: map[string]string{"a": "b"}}
		switch {
		case i%100 == 30:
			e.Org = "p"
		case i%100 == 60:
			e.By = "ann"
		case i%100 > 90:
			e.At = noon.Add(time.Duration(i) * time.Second)
		}
		all = append(all, e)
	}
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.Append(all...))
		var written []weir.Entry
		for _, r := range need(tx.Unnumbered(0)) {
			written = append(written, r.Entry)
		}
		same(t, written, all)
	})
}

// testDetailsComeBack: whatever stands in a detail is read as it was written,
// whether it is plain enough for the short way or not.
func testDetailsComeBack(t *testing.T, s *store.Store) {
	for _, d := range []map[string]string{
		nil, {"a": "b"}, {"a": "b", "c": ""}, {"": "x"}, {"a": `"`, "b": `\`}, {"<": ">&"}, {"é": "ü\u2028"}, {"tab": "\t"}, {"a": `,"b":"c"`}, {"a": "}"},
	} {
		update(t, s, noon, func(tx *store.Tx) {
			ok(tx.Append(weir.Entry{Act: "detail", Detail: d}))
			rows := need(tx.Unnumbered(0))
			same(t, rows[len(rows)-1].Entry.Detail, d)
		})
	}
	for _, text := range []string{`{"a":"b"`, `{"a":"b",}`, `{"a":"b"}}`, `{"a" "b"}`, `{"a":1}`, `{`, ``, `["a"]`} {
		err := s.Update(t.Context(), noon, func(tx *store.Tx) error {
			if _, err := tx.SQL().ExecContext(t.Context(), "UPDATE entry SET detail = '"+text+"'"); err != nil {
				return err
			}
			_, err := tx.Unnumbered(1)
			return err
		})
		if err == nil {
			t.Errorf("the detail %s was read", text)
		}
	}
}

// testStrays finds numbers that the tree does not hold.
func testStrays(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		entries(tx, 3)
		need(number(tx, 0))
		same(t, need(tx.Strays(3, 0)), []weir.Entry(nil))
		same(t, need(tx.Strays(2, 0))[0].Seq, int64(3))
	})
}

// testHashesOfATree reads hashes that lie apart, long runs of them, and both.
func testHashesOfATree(t *testing.T, s *store.Store) {
	const n = 100
	update(t, s, noon, func(tx *store.Tx) {
		entries(tx, n)
		same(t, len(need(number(tx, 0))), n)
	})
	view(t, s, noon, func(tx *store.Tx) {
		run := func(from, to int64) (all []int64) {
			for i := from; i <= to; i++ {
				all = append(all, i)
			}
			return all
		}
		for _, positions := range [][]int64{
			{7}, {9, 3, 50}, run(1, n), run(20, 60), slices.Concat([]int64{90, 2}, run(20, 60), []int64{61, 5}, run(70, 73), run(10, 30)),
		} {
			var want [][]byte
			for _, p := range positions {
				want = append(want, fmt.Appendf(nil, "%32d", p))
			}
			same(t, need(tx.ReadHashes(positions)), want)
		}
		for _, positions := range [][]int64{run(90, n+1), {n + 1}, slices.Concat(run(1, 40), []int64{50, n + 1})} {
			_, err := tx.ReadHashes(positions)
			refuse(t, err, store.ErrNotFound)
		}
	})
}

func testNumberingTheLedger(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		same(t, need(tx.TreeSize()), int64(0))
		entries(tx, 5)
		if !need(tx.LockLedger()) {
			t.Error("nobody else is there, and yet the ledger is locked")
		}
		rows := need(number(tx, 3))
		same(t, len(rows), 3)
		same(t, need(tx.TreeSize()), int64(3))
		refuse(t, tx.Number(rows[:1], nil), store.ErrMovedElsewhere)
		rest := need(number(tx, 0))
		same(t, len(rest), 2)
		same(t, need(tx.Unnumbered(0)), []store.Row(nil))
		twice := rest[:1]
		twice[0].Entry.Seq = 6
		refuse(t, tx.Number(twice, nil), store.ErrMovedElsewhere)
	})
	view(t, s, noon, func(tx *store.Tx) {
		same(t, need(tx.TreeSize()), int64(5))
		same(t, need(tx.ReadHashes([]int64{4, 1})), [][]byte{fmt.Appendf(nil, "%32d", 4), fmt.Appendf(nil, "%32d", 1)})
		_, err := tx.ReadHashes([]int64{1, 6})
		refuse(t, err, store.ErrNotFound)
		var middle []weir.Entry
		for e, err := range tx.Entries(2, 4) {
			middle = append(middle, need(e, err))
		}
		same(t, len(middle), 3)
		same(t, middle[0].Seq, int64(2))
		same(t, middle[2].Act, "act.3")
		third := need(tx.EntriesSince(0, 3))[2]
		newest := need(tx.EntriesSince(third.RowID, 1))
		same(t, len(newest), 1)
		same(t, newest[0].Entry.Seq, int64(4))
		same(t, len(need(tx.EntriesOf("R-0"))), 3)
	})
}

// testOneSequencer: while one transaction holds the ledger, no other may.
func testOneSequencer(t *testing.T, s *store.Store) {
	if s.Dialect() == store.SQLite {
		update(t, s, noon, func(tx *store.Tx) { // the one writer
			ok(tx.HoldLedger())
			same(t, need(tx.LockLedger()), true)
		})
		return
	}
	var released atomic.Bool
	waited := make(chan error)
	update(t, s, noon, func(tx *store.Tx) {
		same(t, need(tx.LockLedger()), true)
		update(t, s, noon, func(tx *store.Tx) { same(t, need(tx.LockLedger()), false) })
		go func() {
			waited <- s.Update(t.Context(), noon, func(tx *store.Tx) error {
				err := tx.HoldLedger()
				if !released.Load() {
					t.Error("the ledger was held by two")
				}
				return err
			})
		}()
		time.Sleep(50 * time.Millisecond)
		released.Store(true)
	})
	ok(<-waited)
	update(t, s, noon, func(tx *store.Tx) { same(t, need(tx.LockLedger()), true) })
}

func testCheckpoints(t *testing.T, s *store.Store) {
	update(t, s, noon, func(tx *store.Tx) {
		ok(tx.SaveCheckpoint(9, []byte("nine")))
		ok(tx.SaveCheckpoint(5, []byte("five")))
		ok(tx.SaveCheckpoint(9, []byte("nine again")))
		same(t, need(tx.Checkpoints()), []store.Checkpoint{
			{Size: 5, Note: []byte("five"), At: noon}, {Size: 9, Note: []byte("nine again"), At: noon},
		})
	})
}
