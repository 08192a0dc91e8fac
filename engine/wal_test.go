package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/store"
)

// The parts of SQLite's write-ahead log (sqlite.org/fileformat2.html, section 4).
const (
	walHeader   = 32
	frameHeader = 24
)

// TestWALCutAtEveryFrame cuts the log of a store at the end and in the middle
// of its frames, as a lost write cache may, and opens what is left: SQLite
// finds it sound, the engine starts, and its sums are even. `make prove-storage`
// cuts every frame, the short form every thirtieth.
func TestWALCutAtEveryFrame(t *testing.T) {
	stride := 30
	if os.Getenv("WEIR_PROVE") == "long" {
		stride = 1
	}
	var options engine.Options
	var db, wal []byte
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		w.exec(`PRAGMA wal_autocheckpoint = 0`) // the whole life stays in the log
		w.exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
		w.submit(weir.Access, 1)
		r := w.submit(weir.Erasure, 0)
		approve(w, w.until(r.ID, time.Hour, weir.AwaitingApproval))
		for range 6 { // to the middle of its writes
			if _, err := w.engine.Turn(t.Context(), acme); err != nil {
				t.Fatal(err)
			}
		}
		file := strings.TrimPrefix(w.options.DSN, "sqlite://")
		db, wal = contentOf(t, file), contentOf(t, file+"-wal")
		options = w.options
	})
	size := int(binary.BigEndian.Uint32(wal[8:])) + frameHeader
	frames, opened := (len(wal)-walHeader)/size, 0
	file := filepath.Join(t.TempDir(), "cut.db")
	options.DSN, options.DataDir = "sqlite://"+file, filepath.Join(t.TempDir(), "data")
	for frame := 0; frame <= frames; frame += stride {
		for _, torn := range []int{0, size / 2} {
			end := min(walHeader+frame*size+torn, len(wal))
			if err := errors.Join(os.WriteFile(file, db, 0o600), os.WriteFile(file+"-wal", wal[:end], 0o600), gone(file+"-shm")); err != nil {
				t.Fatal(err)
			}
			if err := sound(t.Context(), options); err != nil {
				t.Errorf("cut after %d of %d frames and %d bytes: %v", frame, frames, torn, err)
			}
			opened++
		}
	}
	t.Logf("%d frames; %d cuts opened, all sound", frames, opened)
	if frames < 50 {
		t.Errorf("the log has %d frames only: too little was written to prove anything", frames)
	}
}

func contentOf(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b)
}

func gone(path string) error {
	err := os.Remove(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// sound opens a store and an engine on it and asks both whether all is well.
func sound(ctx context.Context, options engine.Options) (err error) {
	e, err := engine.Open(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	var verdict string
	if err := e.Store().DB().QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return errors.New("SQLite: " + verdict)
	}
	totals, err := e.Totals(ctx)
	if err != nil {
		return err
	}
	if !totals.StepSums.Balanced() || !totals.RequestSum.Balanced() {
		return errors.New("the sums are not even")
	}
	return e.Store().View(ctx, time.Now(), func(tx *store.Tx) error {
		_, err := tx.Requests(store.RequestFilter{})
		return err
	})
}
