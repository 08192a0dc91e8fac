package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/store"
)

// PublicKey is the ledger's public key in the text form of signed notes: print
// it at install and keep it elsewhere than the log.
func (e *Engine) PublicKey() string { return e.publicKey }

// VerifyLedger checks the whole log against its stored tree, its signed
// checkpoints and, when one is given, a checkpoint that was saved earlier.
func (e *Engine) VerifyLedger(ctx context.Context, held []byte) (ledger.Report, error) {
	// A log that was tampered with may keep the sequencer from its work; it is
	// read nevertheless.
	stuck := e.sequence(ctx)
	var report ledger.Report
	err := e.view(ctx, func(tx *store.Tx) error {
		size, err := tx.TreeSize()
		if err != nil {
			return err
		}
		saved, err := tx.Checkpoints()
		if err != nil {
			return err
		}
		notes := make([][]byte, len(saved))
		for i, c := range saved {
			notes[i] = c.Note
		}
		entries, stop := e.linesAhead(ctx, size)
		defer stop()
		if report, err = ledger.Verify(entries, notes, held, treeReader{tx}, e.verify); err != nil {
			return err
		}
		strays, err := tx.Strays(size, 1)
		if len(strays) > 0 {
			report.BlameStray(strays[0].Seq, size)
		}
		return err
	})
	if err != nil {
		return report, fmt.Errorf("verify the ledger: %w", err)
	}
	if report.OK() {
		return report, stuck
	}
	return report, nil
}

// linesAhead streams the lines from a transaction of its own, so that one core
// reads entries while another one hashes them. Numbered entries never change,
// so that a later snapshot shows the same ones. Call stop before the end of ctx.
func (e *Engine) linesAhead(ctx context.Context, size int64) (_ io.Reader, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{stop: ctx.Done(), pieces: make(chan []byte, 4)}
	go func() { // ends with the log, or when stop cancels ctx
		defer close(a.pieces)
		a.err = e.view(ctx, func(tx *store.Tx) error { return lines(a, tx, 1, size) })
	}()
	return a, func() {
		cancel()
		for range a.pieces { // wait for its end
		}
	}
}

// ahead reads what another goroutine has read already.
type ahead struct {
	stop   <-chan struct{} // nobody reads any more
	pieces chan []byte
	rest   []byte
	err    error // set before pieces is closed
}

func (a *ahead) Write(p []byte) (int, error) {
	select {
	case a.pieces <- bytes.Clone(p):
		return len(p), nil
	case <-a.stop:
		return 0, context.Canceled
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		piece, more := <-a.pieces
		if !more && a.err == nil {
			return 0, io.EOF
		}
		if !more {
			return 0, a.err
		}
		a.rest = piece
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Checkpoint signs and returns the newest state of the log, for safe keeping
// outside of it.
func (e *Engine) Checkpoint(ctx context.Context) ([]byte, error) {
	if err := e.sequence(ctx); err != nil {
		return nil, err
	}
	var note []byte
	err := e.transact(ctx, crash.Checkpoint, func(tx *store.Tx) error {
		if err := e.checkpoint(tx, true); err != nil {
			return err
		}
		last, err := lastCheckpoint(tx)
		note = last.Note
		return err
	})
	return note, err
}

// LedgerPage is a piece of the log as an export has it.
type LedgerPage struct {
	Lines []byte // one JSON object per line, each with its newline
	Last  int64  // the page ends with this number
	Size  int64  // how many entries the export has
}

// LedgerPage returns the numbered lines that follow a number. An export asks with
// zero for both first, which numbers what is new, and then with the Last and Size
// that it was given, until they are equal: numbered entries never change, so that
// the pages are of one log, however long it is and whatever is written meanwhile.
func (e *Engine) LedgerPage(ctx context.Context, after, size int64) (LedgerPage, error) {
	if size == 0 {
		if err := e.sequence(ctx); err != nil {
			return LedgerPage{}, err
		}
	}
	const most = 2000
	var page LedgerPage
	err := e.view(ctx, func(tx *store.Tx) (err error) {
		if page.Size, err = tx.TreeSize(); err != nil {
			return err
		}
		if size > 0 {
			page.Size = min(size, page.Size)
		}
		page.Last = min(max(after, 0)+most, page.Size)
		var text bytes.Buffer
		err = lines(&text, tx, after+1, page.Last)
		page.Lines = text.Bytes()
		return err
	})
	if err != nil {
		return LedgerPage{}, fmt.Errorf("read a page of the ledger: %w", err)
	}
	return page, nil
}

// lines writes the entries from one number to another as the lines that were
// hashed. They are made anew from what the readers of the log are shown, so that
// an edit of any column is found.
func lines(to io.Writer, tx *store.Tx, from, last int64) error {
	return ledger.WriteLines(to, tx.Entries(from, last))
}

// ErrTampered says that the log or a certificate is not what was signed.
var ErrTampered = errors.New("integrity check failed")

// VerifyCertificate checks a certificate with this log's public key.
func (e *Engine) VerifyCertificate(doc []byte) (ledger.Certificate, error) {
	c, err := ledger.VerifyCertificate(doc, e.verify)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return c, nil
}
