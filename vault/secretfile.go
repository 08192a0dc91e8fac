package vault

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/weirhq/weir/internal/pii"
)

const maxSecretFile = 64 << 10

// WriteSecretFile writes a new file with mode 0600, durably and as a whole. It
// never replaces one: the key in it may be the only copy. The parent directory
// is created with mode 0700 when it is absent.
func WriteSecretFile(path string, secret pii.Secret) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("resolve %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(abs), dirMode); err != nil {
		return fmt.Errorf("create the directory of %s: %w", path, full(err))
	}
	if err := trustParents(abs); err != nil {
		return err
	}
	root, err := os.OpenRoot(filepath.Dir(abs))
	if err != nil {
		return fmt.Errorf("open the directory of %s: %w", path, err)
	}
	err = createFile(&folder{Root: root}, filepath.Base(abs), secret.Reveal())
	if errors.Is(err, fs.ErrExist) {
		err = &RefusedError{"secret file " + path, "it exists already, and weir never overwrites a secret", "use it, or move it away"}
	}
	return errors.Join(err, root.Close())
}

// ReadSecretFile reads a file that only its owner, the user that runs weir,
// can read. It refuses symbolic links.
func ReadSecretFile(path string) (pii.Secret, error) {
	return readSecret(path, func(what string, info fs.FileInfo) error {
		if info.Mode().Perm()&0o077 != 0 {
			return &RefusedError{
				what, fmt.Sprintf("its mode %#o lets others read it", info.Mode().Perm()),
				"run: chmod 600 " + path + " and consider the secret known to others",
			}
		}
		return trustOwner(what, info)
	})
}

// readSecret opens without following a link, and checks what it opened.
func readSecret(path string, trust func(what string, info fs.FileInfo) error) (_ pii.Secret, err error) {
	what := "secret file " + path
	abs, err := filepath.Abs(path)
	if err != nil {
		return pii.Secret{}, fmt.Errorf("resolve %s: %w", path, err)
	}
	f, err := os.OpenFile(abs, os.O_RDONLY|openNoFollow, 0)
	if isSymlinkRefusal(err) {
		return pii.Secret{}, &RefusedError{what, "it is a symbolic link", "name the file itself"}
	}
	if err != nil {
		return pii.Secret{}, fmt.Errorf("open secret file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return pii.Secret{}, fmt.Errorf("examine secret file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return pii.Secret{}, &RefusedError{what, "it is not a regular file", "name a file"}
	}
	if info.Size() > maxSecretFile {
		return pii.Secret{}, &RefusedError{what, "it is too long for a secret", "name another file"}
	}
	if err := trust(what, info); err != nil {
		return pii.Secret{}, err
	}
	if err := trustParents(abs); err != nil {
		return pii.Secret{}, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	if err != nil {
		return pii.Secret{}, fmt.Errorf("read secret file: %w", err)
	}
	return pii.New(b), nil
}
