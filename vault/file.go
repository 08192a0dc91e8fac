package vault

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/weirhq/weir/internal/crash"
)

const tempPrefix = "tmp-"

// replaceFile writes a file as a whole or not at all, and durably: temporary
// file, fsync, rename, fsync of the directory. An older file of that name is
// replaced. Whatever fails leaves nothing behind.
func replaceFile(root *folder, name string, write func(io.Writer) error) error {
	return placeFile(root, name, write, root.Rename)
}

// createFile is replaceFile for a name that must not exist yet: the link
// fails with fs.ErrExist when it does.
func createFile(root *folder, name string, data []byte) error {
	return placeFile(root, name, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	}, func(temp, name string) error {
		if err := root.Link(temp, name); err != nil {
			return err
		}
		return root.Remove(temp)
	})
}

func placeFile(root *folder, name string, write func(io.Writer) error, publish func(temp, name string) error) (err error) {
	temp := tempPrefix + randomHex(16)
	crash.Before(crash.FileTemp)
	f, err := root.create(temp, os.O_WRONLY)
	if err != nil {
		return fmt.Errorf("create a file in %s: %w", root.Name(), full(err))
	}
	crash.After(crash.FileTemp)
	done := false
	defer func() { // also when write panics
		if !done {
			err = errors.Join(err, ignoreClosed(f.Close()), root.Remove(temp))
		}
	}()
	if err := write(piecewise{root, f}); err != nil {
		return full(err)
	}
	crash.Before(crash.FileSync)
	if err := root.sync(f); err != nil {
		return fmt.Errorf("sync %s: %w", f.Name(), full(err))
	}
	crash.After(crash.FileSync)
	if err := f.Close(); err != nil {
		return fmt.Errorf("close %s: %w", f.Name(), full(err))
	}
	crash.Before(crash.FilePublish)
	if err := publish(temp, name); err != nil {
		return fmt.Errorf("publish %s: %w", name, full(err))
	}
	crash.After(crash.FilePublish)
	done = true
	return syncDir(root)
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// syncDir makes creations, renames and removals in the directory durable.
func syncDir(root *folder) error {
	d, err := root.Open(".")
	if err != nil {
		return fmt.Errorf("open %s: %w", root.Name(), err)
	}
	crash.Before(crash.DirSync)
	if err := errors.Join(root.sync(d), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", root.Name(), full(err))
	}
	crash.After(crash.DirSync)
	return nil
}

// randomHex returns n random bytes in hex. crypto/rand never fails: it ends
// the program instead.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
