package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrUnsafe says that other users could read or exchange the store's files.
var ErrUnsafe = errors.New("unsafe place for a store")

// trustPlace refuses a directory in which somebody else may create, rename or
// exchange files: SQLite follows whatever it finds under the names of its
// journals. Reading is refused by the files' own mode.
func trustPlace(dir string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("resolve the store's directory: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("examine the store's directory: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%w: directory %s: its mode %#o lets others write; make sure that nobody planted files in it, then run: chmod go-w %s", ErrUnsafe, dir, info.Mode().Perm(), dir)
	}
	if err := ours(dir, info); err != nil {
		return err
	}
	for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
		info, err := os.Lstat(up)
		if err != nil {
			return fmt.Errorf("examine %s: %w", up, err)
		}
		if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return fmt.Errorf("%w: anybody can replace %s, because %s is writable by everyone; run: chmod o-w %s", ErrUnsafe, dir, up, up)
		}
		if up == filepath.Dir(up) {
			return nil
		}
	}
}

// trustFile refuses a link or somebody else's file under one of the store's
// names; that there is none is well.
func trustFile(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("examine %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is a link or no file; find out who planted it and move it away", ErrUnsafe, path)
	}
	return ours(path, info)
}

func ours(path string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: %s belongs to user %d and weir runs as user %d; run weir as its owner or choose another place", ErrUnsafe, path, st.Uid, os.Geteuid())
	}
	return nil
}

// Hold takes a file for this process until it is closed, and makes it, 0600, where
// there is none: one process at a time does what the file stands for. It fails with
// ErrLocked while another one has it, and with ErrUnsafe where others could exchange it.
func Hold(path string) (*os.File, error) {
	if err := trustPlace(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := trustFile(path); err != nil {
		return nil, err
	}
	f, err := openPrivate(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

func openPrivate(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open private file: %w", err)
	}
	if err := f.Chmod(0o600); err != nil { // the file may be older than this rule
		return nil, errors.Join(fmt.Errorf("make %s private: %w", path, err), f.Close())
	}
	return f, nil
}
