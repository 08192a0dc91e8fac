package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// openTrusted creates the directory when it is absent and opens it, once owner,
// mode and parents have been verified. The checks are made on the opened
// directory and compared with the name, so that a swap in between is seen.
//
// os.Root keeps files inside the directory but follows links that stay inside:
// therefore nobody else may be able to create names in it.
func openTrusted(dir string, ask func(Change) error) (*folder, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", dir, err)
	}
	if err := os.MkdirAll(filepath.Dir(abs), dirMode); err != nil {
		return nil, fmt.Errorf("create the parent of the vault: %w", full(err))
	}
	if err := trustParents(abs); err != nil {
		return nil, err
	}
	if err := os.Mkdir(abs, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create the vault: %w", full(err))
	}
	named, err := os.Lstat(abs)
	if err != nil {
		return nil, fmt.Errorf("examine the vault: %w", err)
	}
	if err := trustDir(abs, named); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("open the vault: %w", err)
	}
	return sameDir(&folder{root, ask}, abs, named)
}

// subTrusted is openTrusted for a directory inside a trusted one.
func subTrusted(parent *folder, name string) (*folder, error) {
	path := filepath.Join(parent.Name(), name)
	if err := parent.makeDir(name); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create %s: %w", path, full(err))
	}
	named, err := parent.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("examine %s: %w", path, err)
	}
	if err := trustDir(path, named); err != nil {
		return nil, err
	}
	root, err := parent.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return sameDir(&folder{root, parent.ask}, path, named)
}

// sameDir refuses a directory that was exchanged between check and opening.
func sameDir(root *folder, path string, named fs.FileInfo) (*folder, error) {
	opened, err := root.Stat(".")
	if err == nil && !os.SameFile(opened, named) {
		err = &RefusedError{"directory " + path, "it was exchanged while weir opened it", "find out who can write to its parent"}
	}
	if err == nil {
		err = trustDir(path, opened)
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

func trustDir(path string, info fs.FileInfo) error {
	what := "directory " + path
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return &RefusedError{what, "it is a symbolic link", "name the directory itself"}
	case !info.IsDir():
		return &RefusedError{what, "it is not a directory", "move it away or choose another place"}
	case info.Mode().Perm()&0o077 != 0:
		return &RefusedError{
			what, fmt.Sprintf("its mode %#o lets others in", info.Mode().Perm()),
			"make sure that nobody planted files in it, then run: chmod 700 " + path,
		}
	}
	return trustOwner(what, info)
}

func trustOwner(what string, info fs.FileInfo) error {
	uid, ok := ownerOf(info)
	if !ok {
		return &RefusedError{what, "this system does not tell who owns it", "run weir on Linux, macOS or FreeBSD"}
	}
	if uid != os.Geteuid() {
		return &RefusedError{
			what, fmt.Sprintf("it belongs to user %d and weir runs as user %d", uid, os.Geteuid()),
			"run weir as its owner or choose another place",
		}
	}
	return nil
}

// trustParents refuses a place where somebody else may rename what is ours
// away: the owner of the directory that it lies in, or anybody where one above
// is everyone's. The sticky bit, as on /tmp, forbids that.
func trustParents(path string) error {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("resolve the parent of %s: %w", path, err)
	}
	for first := true; ; first = false {
		info, err := os.Lstat(dir)
		if err != nil {
			return fmt.Errorf("examine %s: %w", dir, err)
		}
		if uid, ok := ownerOf(info); first && ok && uid != 0 && info.Mode()&fs.ModeSticky == 0 {
			if err := trustOwner("directory "+dir, info); err != nil {
				return err
			}
		}
		if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return &RefusedError{
				path, "anybody can rename or replace it, because " + dir + " is writable by everyone",
				"run: chmod o-w " + dir + " or choose another place",
			}
		}
		up := filepath.Dir(dir)
		if up == dir {
			return nil
		}
		dir = up
	}
}
