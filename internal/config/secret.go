package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/weirhq/weir/internal/pii"
)

// The schemes of references to secrets.
const (
	schemeFile       = "file"       // file:PATH, readable by its owner only
	schemeEnv        = "env"        // env:NAME
	schemeCredential = "credential" // credential:NAME, as systemd's LoadCredential= provides it
)

// credentialDir is the variable in which systemd names the directory of a
// service's credentials. See systemd.exec(5), "CREDENTIALS".
const credentialDir = "CREDENTIALS_DIRECTORY"

// maxSecret bounds what is read: keys and tokens are far smaller.
const maxSecret = 1 << 20

// errNotReference does not repeat the text: it may be a pasted secret.
var errNotReference = errors.New("not a reference to a secret: write file:PATH, env:NAME or credential:NAME")

type reference struct{ scheme, name string }

func parseRef(text string) (reference, error) {
	scheme, name, ok := strings.Cut(text, ":")
	if !ok || name == "" {
		return reference{}, errNotReference
	}
	switch scheme {
	case schemeFile:
	case schemeEnv, schemeCredential:
		if strings.ContainsAny(name, "/\\=\x00") || name == "." || name == ".." {
			return reference{}, errNotReference
		}
	default:
		return reference{}, errNotReference
	}
	return reference{scheme, name}, nil
}

// FileOf returns the path that a reference file:PATH names, and whether it is
// one; keys that do not exist yet are written there.
func FileOf(ref string) (path string, ok bool) {
	return strings.CutPrefix(ref, schemeFile+":")
}

// ResolveSecret fetches what a reference names. One line break at the end is
// not part of the secret. Relative paths start at baseDir. No error repeats
// any part of the secret.
func ResolveSecret(ref, baseDir string) (pii.Secret, error) {
	r, err := parseRef(ref)
	if err != nil {
		return pii.Secret{}, err
	}
	var b []byte
	switch r.scheme {
	case schemeFile:
		path := r.name
		if !filepath.IsAbs(path) {
			path = filepath.Join(baseDir, path)
		}
		b, err = readSecret(path)
	case schemeCredential:
		dir := os.Getenv(credentialDir)
		if dir == "" {
			return pii.Secret{}, fmt.Errorf("%s: $%s is not set: systemd sets it for a service with LoadCredential=%s:…", ref, credentialDir, r.name)
		}
		b, err = readSecret(filepath.Join(dir, r.name))
	case schemeEnv:
		b = []byte(os.Getenv(r.name))
	}
	if err != nil {
		return pii.Secret{}, fmt.Errorf("%s: %w", ref, err)
	}
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	if len(b) == 0 {
		return pii.Secret{}, fmt.Errorf("%s: is empty or not set", ref)
	}
	return pii.New(b), nil
}

// readSecret reads a regular file that only its owner can. The checks are on
// the open file, so that it cannot be exchanged between check and reading.
func readSecret(path string) (b []byte, err error) {
	// Without O_NONBLOCK, opening a named pipe would wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("has mode %04o, so others can read it: run chmod 600 on it", mode)
	}
	if info.Size() > maxSecret {
		return nil, errors.New("is too large for a secret")
	}
	b = make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, err
	}
	return b, nil
}
