package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/weirhq/weir/internal/crash"
)

// keysName is the file that holds the store's own keys: those for pseudonyms,
// for the dedupe index and for the journal outlive every request.
const keysName = "keys"

// keysFile is its content. Wrapped is a wrapped key as in wrap.go.
type keysFile struct {
	Version int    `json:"version"`
	Wrapped []byte `json:"wrapped"`
}

const keysVersion = 1

func storeAD() []byte { return bind("weir/store/v1") }

// openStoreKeys is the self-test of the start: it fails when the configured
// KEK is not the one that this vault was made with.
func (v *Vault) openStoreKeys(ctx context.Context) error {
	wrapped, err := v.readStoreKeys()
	if errors.Is(err, fs.ErrNotExist) {
		if err = v.createStoreKeys(ctx); err == nil {
			wrapped, err = v.readStoreKeys() // another process may have been first
		}
	}
	if err != nil {
		return err
	}
	dek, id, err := v.unwrap(ctx, wrapped, storeAD())
	if err != nil {
		return fmt.Errorf("vault %s does not open: %w; configure the key that was in use when this data was sealed (without it, nothing here can be read)", v.path, err)
	}
	defer clear(dek)
	if v.store, err = newRing(dek); err != nil {
		return err
	}
	if to := v.primary(); to.ID() != id {
		return v.saveStoreKeys(ctx, dek, to) // a rotation has begun
	}
	return nil
}

func (v *Vault) readStoreKeys() ([]byte, error) {
	path := filepath.Join(v.path, keysName)
	secret, err := ReadSecretFile(path)
	if err != nil {
		return nil, err
	}
	var f keysFile
	if err := json.Unmarshal(secret.Reveal(), &f); err != nil {
		return nil, fmt.Errorf("%w: %s is not readable: restore it from a backup", ErrCorrupt, path)
	}
	if f.Version != keysVersion {
		return nil, fmt.Errorf("%w: %s has version %d and this weir knows %d", ErrCorrupt, path, f.Version, keysVersion)
	}
	// JSON and base64 have several spellings of one value; only ours is accepted,
	// so that no altered byte passes.
	if canonical, err := json.Marshal(f); err != nil || !bytes.Equal(canonical, secret.Reveal()) {
		return nil, fmt.Errorf("%w: %s was altered: restore it from a backup", ErrCorrupt, path)
	}
	return f.Wrapped, nil
}

// createStoreKeys makes the keys of a new vault. Several processes may try:
// the first one's file stays.
func (v *Vault) createStoreKeys(ctx context.Context) error {
	for _, dir := range []*folder{v.blobs, v.logs} {
		empty, err := isEmpty(dir)
		if err != nil {
			return err
		}
		if !empty {
			return fmt.Errorf("%w: %s holds sealed data but %s is gone: restore that file from a backup", ErrCorrupt, dir.Name(), filepath.Join(v.path, keysName))
		}
	}
	dek := make([]byte, keySize)
	_, _ = rand.Read(dek) // never fails
	defer clear(dek)
	data, err := encodeStoreKeys(ctx, dek, v.primary())
	if err != nil {
		return err
	}
	crash.Before(crash.StoreKeys)
	if err := createFile(v.root, keysName, data); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keep the vault's own keys: %w", err)
	}
	crash.After(crash.StoreKeys)
	return nil
}

func (v *Vault) saveStoreKeys(ctx context.Context, dek []byte, to KEK) error {
	data, err := encodeStoreKeys(ctx, dek, to)
	if err != nil {
		return err
	}
	err = replaceFile(v.root, keysName, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the vault's own keys: %w", err)
	}
	return nil
}

func encodeStoreKeys(ctx context.Context, dek []byte, to KEK) ([]byte, error) {
	wrapped, err := wrapWith(ctx, to, dek, storeAD())
	if err != nil {
		return nil, err
	}
	return json.Marshal(keysFile{keysVersion, wrapped})
}

// rewrapStoreKeys wraps the vault's own keys with the KEK that wraps what is
// new, unless they are already. Several nodes may do it: they write the same.
func (v *Vault) rewrapStoreKeys(ctx context.Context) error {
	wrapped, err := v.readStoreKeys()
	if err != nil {
		return err
	}
	dek, id, err := v.unwrap(ctx, wrapped, storeAD())
	if err != nil {
		return fmt.Errorf("rewrap the vault's own keys: %w", err)
	}
	defer clear(dek)
	if to := v.primary(); to.ID() != id {
		return v.saveStoreKeys(ctx, dek, to)
	}
	return nil
}

func isEmpty(root *folder) (bool, error) {
	d, err := root.Open(".")
	if err != nil {
		return false, fmt.Errorf("open %s: %w", root.Name(), err)
	}
	names, err := d.Readdirnames(1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return len(names) == 0, errors.Join(err, d.Close())
}
