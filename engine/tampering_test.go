package engine_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/internal/tampertest"
)

// TestTampering alters the table of a real ledger at random, and demands that
// verification finds each alteration and names the first entry that differs.
func TestTampering(t *testing.T) {
	rounds := 120
	if os.Getenv("WEIR_PROVE") == "long" {
		rounds = 1000
	}
	w, log, held := tamperWorld(t)
	r := rand.New(rand.NewPCG(1, 2))
	found := map[string]int{}
	for range rounds {
		a := tampertest.Alter(r, log, true)
		size := len(log)
		if r.IntN(2) == 0 {
			size = len(a.Log) // whoever can write the entries can write the count
		}
		w.rewrite(a.Log, size)
		for _, saved := range [][]byte{nil, held} {
			rep, err := w.engine.VerifyLedger(t.Context(), saved)
			if err != nil {
				t.Fatalf("%s at %d: %v", a.Kind, a.First, err)
			}
			if rep.OK() {
				t.Fatalf("%s at %d was not seen", a.Kind, a.First)
			}
			if rep.FirstBad != a.First || rep.LastBad != a.First && rep.Tampering != ledger.Truncated {
				t.Errorf("%s at %d: found between %d and %d: %s", a.Kind, a.First, rep.FirstBad, rep.LastBad, rep.Reason)
			}
		}
		found[a.Kind]++
	}
	t.Logf("%d alterations of %d entries, all found and named: %v", rounds, len(log), found)
	w.rewrite(log, len(log))
	if rep, err := w.engine.VerifyLedger(t.Context(), held); err != nil || !rep.OK() {
		t.Errorf("the log as it was: %+v, %v", rep, err)
	}
}

// TestStrayEntries: readers of a request's history see every entry of it, so
// one outside of the tree must not go unseen, before or behind the others, even
// when it keeps the sequencer from its work.
func TestStrayEntries(t *testing.T) {
	w, log, held := tamperWorld(t)
	for _, seq := range []int64{-3, 0, int64(len(log)) + 7, int64(len(log)) + 1} {
		forged := log[0]
		forged.Seq = seq
		w.rewrite(append(slices.Clone(log), forged), len(log))
		if seq == int64(len(log))+1 {
			w.submit(weir.Erasure, 2) // its entry needs that number
		}
		rep, err := w.engine.VerifyLedger(t.Context(), held)
		if err != nil || rep.OK() || rep.FirstBad != seq {
			t.Errorf("number %d: %+v, %v", seq, rep, err)
		}
	}
}

// tamperWorld is a world with a real history and a saved checkpoint of it.
func tamperWorld(t *testing.T) (w *world, log []weir.Entry, held []byte) {
	t.Helper()
	w = newWorld(t, setup{})
	w.submit(weir.Erasure, 0)
	w.submit(weir.Access, 1)
	w.settle()
	held, err := w.engine.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	size, _, err := ledger.ParseCheckpoint(held, ledgerKey(t, w))
	if err != nil {
		t.Fatal(err)
	}
	err = w.engine.Store().View(t.Context(), w.engine.Now(), func(tx *store.Tx) error {
		for e, err := range tx.Entries(1, size) {
			if err != nil {
				return err
			}
			log = append(log, e)
		}
		return nil
	})
	if err != nil || len(log) < 20 {
		t.Fatalf("%d entries, %v", len(log), err)
	}
	return w, log, held
}

func ledgerKey(t *testing.T, w *world) note.Verifier {
	t.Helper()
	v, err := ledger.ParseVerifier(w.engine.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// rewrite replaces the numbered entries and their count, as somebody would who
// can write the database.
func (w *world) rewrite(log []weir.Entry, size int) {
	w.t.Helper()
	ctx := w.t.Context()
	tx, err := w.engine.Store().DB().BeginTx(ctx, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	exec := func(query string, args ...any) {
		if err == nil {
			_, err = tx.ExecContext(ctx, query, args...)
		}
	}
	exec(`DELETE FROM entry WHERE seq IS NOT NULL`)
	for _, e := range log {
		detail, _ := json.Marshal(e.Detail) // words only
		exec(`INSERT INTO entry (seq, at, actor, act, org, request, step, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			e.Seq, e.At.UnixMilli(), e.By, e.Act, string(e.Org), string(e.Request), string(e.Step), string(detail))
	}
	exec(`UPDATE tally SET total = ? WHERE name = 'ledger'`, size)
	if err == nil {
		err = tx.Commit()
	} else if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
		w.t.Error(undo)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
