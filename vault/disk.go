package vault

import (
	"errors"
	"os"
)

// Change is a kind of operation that changes the disk.
type Change string

// The changes that a vault makes.
const (
	ChangeMake   Change = "make"   // a file or a directory
	ChangeWrite  Change = "write"  // a piece of a file
	ChangeSync   Change = "sync"   // make it durable
	ChangeName   Change = "name"   // publish a finished file: rename or link
	ChangeRemove Change = "remove" // a file
)

// folder is a directory of the vault. Every change goes through it and is
// announced first, so that a test can let each of them fail as a disk may:
// ask is Options.Disk, or nil.
type folder struct {
	*os.Root
	ask func(Change) error
}

func (d *folder) may(c Change) error {
	if d.ask == nil {
		return nil
	}
	return d.ask(c)
}

// create makes a new file that only we may use.
func (d *folder) create(name string, access int) (*os.File, error) {
	if err := d.may(ChangeMake); err != nil {
		return nil, err
	}
	return d.OpenFile(name, access|os.O_CREATE|os.O_EXCL, fileMode)
}

// ensure opens a file that only we may use, and makes it if it is not there.
func (d *folder) ensure(name string) (*os.File, error) {
	if err := d.may(ChangeMake); err != nil {
		return nil, err
	}
	return d.OpenFile(name, os.O_WRONLY|os.O_CREATE, fileMode)
}

// makeDir makes a directory that only we may enter.
func (d *folder) makeDir(name string) error {
	if err := d.may(ChangeMake); err != nil {
		return err
	}
	return d.Mkdir(name, dirMode)
}

// write writes one piece. One that is refused is torn: half of it is written.
func (d *folder) write(f *os.File, p []byte) (int, error) {
	if err := d.may(ChangeWrite); err != nil {
		n, torn := f.Write(p[:len(p)/2])
		return n, errors.Join(err, torn)
	}
	return f.Write(p)
}

func (d *folder) sync(f *os.File) error {
	if err := d.may(ChangeSync); err != nil {
		return err
	}
	return f.Sync()
}

// Rename replaces what has the new name.
func (d *folder) Rename(from, to string) error {
	if err := d.may(ChangeName); err != nil {
		return err
	}
	return d.Root.Rename(from, to)
}

// Link fails when the new name is taken.
func (d *folder) Link(from, to string) error {
	if err := d.may(ChangeName); err != nil {
		return err
	}
	return d.Root.Link(from, to)
}

// Remove deletes a file.
func (d *folder) Remove(name string) error {
	if err := d.may(ChangeRemove); err != nil {
		return err
	}
	return d.Root.Remove(name)
}

// piecewise is a file of the folder as an io.Writer.
type piecewise struct {
	to   *folder
	file *os.File
}

func (w piecewise) Write(p []byte) (int, error) { return w.to.write(w.file, p) }
