package vault

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a vault. Dir and one of KEK and Source are required.
type Options struct {
	Dir     string             // created 0700; must be ours alone
	KEK     KEK                // a key that never changes, when there is no Source
	Source  KeySource          // keeps the key-encryption keys
	MinFree int64              // bytes that Admit leaves free on the file system
	Quota   int64              // bytes of sealed blobs that Admit allows; 0 = no quota
	Now     func() time.Time   // orders the journal's files; nil = time.Now
	Disk    func(Change) error // asked before each change of the disk, which fails with what it returns; nil = never: for tests
}

// Vault seals and opens. Its methods are safe for concurrent use.
type Vault struct {
	opts  Options
	path  string
	root  *folder // Dir
	blobs *folder // Dir/blobs: sealed pages, subjects, letters, packages
	out   *folder // Dir/out: encrypted deliveries
	logs  *folder // Dir/journal
	gone  *folder // Dir/shredded: which requests were
	store *ring   // the store's own keys: pseudonyms, index, journal
	used  atomic.Int64

	mu   sync.RWMutex // guards keks
	keks []KEK        // the first wraps; all unwrap
}

// Open verifies the directory, unwraps the store's own keys and so proves that
// the configured key is the right one. It refuses to start otherwise and says
// why; it never makes new keys where sealed data is waiting for old ones.
func Open(ctx context.Context, opts Options) (_ *Vault, err error) {
	if opts.Source == nil {
		opts.Source = FixedKeys(opts.KEK)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	keks, err := opts.Source.Load(ctx)
	if err != nil {
		return nil, err
	}
	v := &Vault{opts: opts, keks: keks}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.Close())
		}
	}()
	if v.path, err = filepath.Abs(opts.Dir); err != nil {
		return nil, fmt.Errorf("resolve %s: %w", opts.Dir, err)
	}
	if v.root, err = openTrusted(v.path, opts.Disk); err != nil {
		return nil, err
	}
	if v.blobs, err = subTrusted(v.root, "blobs"); err != nil {
		return nil, err
	}
	if v.out, err = subTrusted(v.root, "out"); err != nil {
		return nil, err
	}
	if v.logs, err = subTrusted(v.root, "journal"); err != nil {
		return nil, err
	}
	if v.gone, err = subTrusted(v.root, "shredded"); err != nil {
		return nil, err
	}
	if err = v.openStoreKeys(ctx); err != nil {
		return nil, err
	}
	if _, err = v.measure(ctx); err != nil {
		return nil, err
	}
	return v, nil
}

// Close wipes the store's keys and closes the directory. Keys and journals of
// this vault must not be used afterwards.
func (v *Vault) Close() error {
	if v.store != nil {
		v.store.wipe()
		v.store = nil
	}
	var errs []error
	for _, r := range []*folder{v.blobs, v.out, v.logs, v.gone, v.root} {
		if r != nil {
			errs = append(errs, r.Close())
		}
	}
	return errors.Join(errs...)
}
