package engine_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/store"
)

// An export is read in pages while weir goes on writing: they are of the log as it
// was when the first one was asked for, and each entry is in one of them.
func TestPagesAreOfOneLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		write := func(n int) {
			entries := make([]weir.Entry, n)
			for i := range entries {
				entries[i] = weir.Entry{By: "weir", Act: "step.done", Org: acme}
			}
			if err := w.engine.Store().Update(t.Context(), time.Now(), func(tx *store.Tx) error { return tx.Append(entries...) }); err != nil {
				t.Fatal(err)
			}
		}
		write(4500)
		var log bytes.Buffer
		pages, at, size := 0, int64(0), int64(0)
		for more := true; more; more = at < size {
			page, err := w.engine.LedgerPage(t.Context(), at, size)
			if err != nil {
				t.Fatal(err)
			}
			log.Write(page.Lines)
			at, size = page.Last, page.Size
			pages++
			write(100)
			if _, err := w.engine.Checkpoint(t.Context()); err != nil { // numbers what is new
				t.Fatal(err)
			}
		}
		key, err := ledger.ParseVerifier(w.engine.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		report, err := ledger.Verify(&log, nil, nil, nil, key)
		if err != nil || !report.OK() || report.Entries != size {
			t.Errorf("an export of %d entries has %d, %s %s, %v", size, report.Entries, report.Tampering, report.Reason, err)
		}
		if want := int(size+1999) / 2000; pages != want {
			t.Errorf("%d pages, want %d", pages, want)
		}
		behind, err := w.engine.LedgerPage(t.Context(), size+1_000_000, size+2_000_000)
		if err != nil || len(behind.Lines) > 0 || behind.Last < behind.Size {
			t.Errorf("behind the end of the log: %d bytes, %d of %d, %v", len(behind.Lines), behind.Last, behind.Size, err)
		}
	})
}
