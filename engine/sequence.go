package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/store"
)

// The sequencer numbers entries in batches; a lock held through every commit
// would cap all orgs together (design section 10).
const (
	sequenceBatch   = 1000
	checkpointEvery = time.Minute
	originName      = "weir/ledger"
)

// sequence numbers new entries, extends the Merkle tree and signs a checkpoint
// when the last one is a minute old.
func (e *Engine) sequence(ctx context.Context) error {
	for {
		n := 0
		err := e.transact(ctx, crash.Sequence, func(tx *store.Tx) error {
			mine, err := tx.LockLedger()
			if err != nil || !mine {
				return err
			}
			n, err = number(tx)
			if err != nil {
				return err
			}
			return e.checkpoint(tx, false)
		})
		if err != nil {
			return fmt.Errorf("number the ledger: %w", err)
		}
		if n < sequenceBatch {
			return nil
		}
	}
}

// numberAll numbers what is left.
func numberAll(tx *store.Tx) error {
	for {
		if n, err := number(tx); err != nil || n < sequenceBatch {
			return err
		}
	}
}

func number(tx *store.Tx) (int, error) {
	rows, err := tx.Unnumbered(sequenceBatch)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	size, err := tx.TreeSize()
	if err != nil {
		return 0, err
	}
	lines := make([][]byte, len(rows))
	for i := range rows {
		rows[i].Entry.Seq = size + int64(i) + 1
		if lines[i], err = ledger.Line(rows[i].Entry); err != nil {
			return 0, err
		}
	}
	fresh, err := ledger.Extend(size, lines, treeReader{tx})
	if err != nil {
		return 0, err
	}
	hashes := make(map[int64][]byte, len(fresh))
	next := tlog.StoredHashCount(size)
	for i, h := range fresh {
		hashes[next+int64(i)] = append([]byte(nil), h[:]...)
	}
	return len(rows), tx.Number(rows, hashes)
}

// checkpoint signs the tree's root, at most once a minute unless it must.
func (e *Engine) checkpoint(tx *store.Tx, must bool) error {
	size, err := tx.TreeSize()
	if err != nil || size == 0 {
		return err
	}
	last, err := lastCheckpoint(tx)
	if err != nil {
		return err
	}
	if last.Size == size || (!must && tx.Now().Sub(last.At) < checkpointEvery) {
		return nil
	}
	root, err := ledger.Root(size, treeReader{tx})
	if err != nil {
		return err
	}
	note, err := ledger.Checkpoint(originName, size, root, e.signer)
	if err != nil {
		return err
	}
	return tx.SaveCheckpoint(size, note)
}

func lastCheckpoint(tx *store.Tx) (store.Checkpoint, error) {
	all, err := tx.Checkpoints()
	if err != nil || len(all) == 0 {
		return store.Checkpoint{}, err
	}
	return all[len(all)-1], nil
}

// openLedgerKey parses the signing key; it is apart from the vault's keys.
func (e *Engine) openLedgerKey() error {
	skey := string(e.opts.SigningKey.Reveal())
	var err error
	if e.signer, err = ledger.ParseSigner(skey); err != nil {
		return err
	}
	vkey, err := ledger.PublicKey(skey)
	if err != nil {
		return err
	}
	e.verify, err = ledger.ParseVerifier(vkey)
	e.publicKey = vkey
	return err
}

// treeReader reads stored hashes inside a transaction.
type treeReader struct{ tx *store.Tx }

// ReadHashes implements tlog.HashReader.
func (r treeReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	raw, err := r.tx.ReadHashes(indexes)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", ledger.ErrNoHash, err)
	}
	if err != nil {
		return nil, err
	}
	out := make([]tlog.Hash, len(raw))
	for i, h := range raw {
		if len(h) != len(out[i]) {
			return nil, fmt.Errorf("stored hash %d has %d bytes", indexes[i], len(h))
		}
		copy(out[i][:], h)
	}
	return out, nil
}
