package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/weirhq/weir/internal/pii"
)

// KeyFile is a keyring: a file of mode 0600 with one key-encryption key a line,
// the oldest first. The last line wraps, all lines unwrap. A file of one line
// is what `weir init` makes. It must not lie in the data directory.
func KeyFile(path, dataDir string) KeySource { return &keyFile{path, dataDir} }

type keyFile struct{ path, dataDir string }

// Load implements KeySource.
func (f *keyFile) Load(context.Context) ([]KEK, error) {
	secret, err := f.read()
	if err != nil {
		return nil, err
	}
	defer secret.Clear()
	return parseKEKs("key file "+f.path, secret)
}

func (f *keyFile) read() (pii.Secret, error) {
	if err := outside(f.path, f.dataDir); err != nil {
		return pii.Secret{}, err
	}
	return ReadSecretFile(f.path)
}

// Add implements KeySource.
func (f *keyFile) Add(ctx context.Context, after string) (made KEK, err error) {
	err = f.change(ctx, func(lines [][]byte, keks []KEK) ([][]byte, error) {
		if keks[0].ID() != after {
			return nil, fmt.Errorf("%w: it is %s", ErrRotated, keks[0].ID())
		}
		line := newKEKLine()
		fresh, err := parseKEKs("new key", pii.New(bytes.Clone(line)))
		if err != nil {
			return nil, err
		}
		made = fresh[0]
		return append(lines, line), nil
	})
	return made, err
}

// Drop implements KeySource.
func (f *keyFile) Drop(ctx context.Context, id string) error {
	return f.change(ctx, func(lines [][]byte, keks []KEK) ([][]byte, error) {
		i := slices.IndexFunc(keks, func(k KEK) bool { return k.ID() == id })
		if i < 0 {
			return nil, nil
		}
		if i == 0 {
			return nil, fmt.Errorf("%s wraps what is new and cannot be dropped", id)
		}
		at := len(keks) - 1 - i // the file has the oldest first
		return slices.Delete(lines, at, at+1), nil
	})
}

// change replaces the file as a whole, under a lock that all weirs respect.
// Lines are the file's, keks the same in the order of Load; nil lines change
// nothing. The old content is overwritten as far as the file system does that.
func (f *keyFile) change(ctx context.Context, edit func(lines [][]byte, keks []KEK) ([][]byte, error)) (err error) {
	root, err := os.OpenRoot(filepath.Dir(f.path))
	if err != nil {
		return fmt.Errorf("open the directory of key file %s: %w", f.path, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	unlock, err := holdDir(ctx, root)
	if err != nil {
		return fmt.Errorf("lock the directory of key file %s: %w", f.path, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	secret, err := f.read()
	if err != nil {
		return err
	}
	defer secret.Clear()
	keks, err := parseKEKs("key file "+f.path, secret)
	if err != nil {
		return err
	}
	lines, err := edit(bytes.Fields(secret.Reveal()), keks)
	if err != nil || lines == nil {
		return err
	}
	text := append(bytes.Join(lines, []byte("\n")), '\n')
	defer clear(text)
	return replaceSecret(root, filepath.Base(f.path), text)
}

// replaceSecret is replaceFile, and overwrites the replaced file's bytes.
func replaceSecret(root *os.Root, name string, text []byte) (err error) {
	old, err := root.OpenFile(name, os.O_RDWR|openNoFollow, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	err = replaceFile(&folder{Root: root}, name, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("replace %s: %w", name, err)
	}
	info, err := old.Stat()
	if err == nil {
		_, err = old.WriteAt(make([]byte, info.Size()), 0)
	}
	if err == nil {
		err = old.Sync()
	}
	if err != nil {
		return fmt.Errorf("overwrite the former %s: %w", name, err)
	}
	return nil
}

// lockPatience is how long to wait for another weir that changes the keyring.
const lockPatience = 10 * time.Second

// holdDir takes a directory for this process until unlock. A file of its own
// for the lock would be one more thing beside the key that a backup copies.
func holdDir(ctx context.Context, root *os.Root) (unlock func() error, err error) {
	d, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(lockPatience); ; {
		held, err := lockFile(d)
		if held {
			return d.Close, nil
		}
		if err == nil && time.Now().After(end) {
			err = errors.New("another weir holds it")
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func newKEKLine() []byte {
	raw := make([]byte, keySize)
	_, _ = rand.Read(raw) // never fails
	defer clear(raw)
	return hex.AppendEncode(append(make([]byte, 0, len(kekPrefix)+2*keySize+1), kekPrefix...), raw)
}

// parseKEKs reads the lines of a keyring and returns the newest key first.
func parseKEKs(what string, secret pii.Secret) ([]KEK, error) {
	lines := bytes.Fields(secret.Reveal())
	if len(lines) == 0 {
		lines = [][]byte{nil} // refused below, like any other text
	}
	var keks []KEK
	for _, line := range slices.Backward(lines) {
		k, err := parseKEK(what, line)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(keks, func(other KEK) bool { return other.ID() == k.ID() }) {
			return nil, &RefusedError{what, "it holds " + k.ID() + " twice", "take one of the two lines out"}
		}
		keks = append(keks, k)
	}
	return keks, nil
}
