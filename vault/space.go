package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
)

var blobName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Free is how many bytes may still be written to the vault's file system.
func (v *Vault) Free() (bytes int64, err error) {
	d, err := v.root.Open(".")
	if err != nil {
		return 0, fmt.Errorf("open the vault: %w", err)
	}
	bytes, err = freeBytes(d)
	return bytes, errors.Join(err, d.Close())
}

// Used is how many bytes the sealed blobs take. Several processes on one
// directory see each other's after the next Sweep.
func (v *Vault) Used() int64 { return v.used.Load() }

// Admit says whether n more bytes may be fetched: ErrFull when the quota or
// the reserve of the file system would be touched. Ask before the fetch.
func (v *Vault) Admit(n int64) error {
	if used := v.used.Load(); v.opts.Quota > 0 && used > v.opts.Quota-n {
		return fmt.Errorf("%w: %d bytes are sealed of a quota of %d, and %d more are wanted", ErrFull, used, v.opts.Quota, n)
	}
	free, err := v.Free()
	if err != nil {
		return err
	}
	if free-n < v.opts.MinFree {
		return fmt.Errorf("%w: %d bytes are free, %d are wanted and %d must stay free", ErrFull, free, n, v.opts.MinFree)
	}
	return nil
}

// Remove deletes a blob. That it is gone already is no error: removal follows
// shredding, and may be repeated after a crash.
func (v *Vault) Remove(ref weir.SealRef) error {
	if !blobName.MatchString(ref.Name) {
		return fmt.Errorf("remove blob: %w: not a blob's name", ErrCorrupt)
	}
	size := v.sizeOf(ref.Name)
	crash.Before(crash.Remove)
	err := v.blobs.Remove(ref.Name)
	crash.After(crash.Remove)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil { // some file systems need room even to remove
		return fmt.Errorf("remove blob: %w", full(err))
	}
	v.used.Add(-size)
	return nil
}

func (v *Vault) sizeOf(name string) int64 {
	info, err := v.blobs.Lstat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Sweep removes what nobody refers to: blobs that known denies, and temporary
// files, once they are older than olderThan (a blob is durable before the row
// that names it). It returns how many files went.
func (v *Vault) Sweep(ctx context.Context, known func(name string) bool, olderThan time.Duration) (int, error) {
	// Files are dated by the machine's clock, not by one that a demo scales.
	before := time.Now().Add(-olderThan)
	removed := 0
	for _, dir := range []*folder{v.root, v.blobs, v.out, v.logs} {
		err := eachFile(ctx, dir, func(info fs.FileInfo) error {
			orphan := strings.HasPrefix(info.Name(), tempPrefix) ||
				dir == v.blobs && blobName.MatchString(info.Name()) && !known(info.Name())
			if !orphan || !info.ModTime().Before(before) {
				return nil
			}
			err := dir.Remove(info.Name())
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil {
				removed++
			}
			return err
		})
		if err != nil {
			return removed, fmt.Errorf("sweep %s: %w", dir.Name(), err)
		}
	}
	_, err := v.measure(ctx)
	return removed, err
}

// measure counts the bytes of the sealed blobs anew.
func (v *Vault) measure(ctx context.Context) (int64, error) {
	var sum int64
	err := eachFile(ctx, v.blobs, func(info fs.FileInfo) error {
		sum += info.Size()
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("measure the vault: %w", err)
	}
	v.used.Store(sum)
	return sum, nil
}

// eachFile visits the regular files of a directory in batches, so that a
// million of them do not have to fit in memory.
func eachFile(ctx context.Context, dir *folder, visit func(fs.FileInfo) error) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	for err == nil {
		var batch []fs.DirEntry
		batch, err = d.ReadDir(256)
		for _, e := range batch {
			if ctx.Err() != nil {
				return errors.Join(ctx.Err(), d.Close())
			}
			info, statErr := e.Info()
			if errors.Is(statErr, fs.ErrNotExist) || statErr == nil && !info.Mode().IsRegular() {
				continue
			}
			if statErr == nil {
				statErr = visit(info)
			}
			if statErr != nil {
				return errors.Join(statErr, d.Close())
			}
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
