package vault

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/weirhq/weir/internal/crash"
)

// logFile is one file of the journal. A record is
//
//	4 bytes length n · 4 bytes CRC-32C of that length and of the sequence number · n bytes ciphertext
//
// The ciphertext is bound to the file's name and to its sequence number, so
// records cannot be moved, repeated or exchanged. The checksum is not there
// for security: it tells a torn length from an altered one, because a length
// that was believed wrongly would hide every later record.
type logFile struct {
	vault   *Vault
	name    string
	file    *os.File
	records int
}

const (
	logHeader = 8
	maxRecord = 16 << 20
)

// createLog makes a file and holds it. Whoever adopts between creation and lock
// removes the empty file; then the next name is taken.
func createLog(v *Vault) (*logFile, error) {
	for range 10 {
		name := fmt.Sprintf("j-%016x-%s", uint64(v.opts.Now().UnixNano()), randomHex(8))
		crash.Before(crash.JournalFile)
		f, err := v.logs.create(name, os.O_RDWR)
		if err != nil {
			return nil, full(err)
		}
		l, err := holdLog(v, name, f)
		if err != nil {
			return nil, err
		}
		if l == nil {
			continue
		}
		if err := syncDir(v.logs); err != nil {
			return nil, errors.Join(err, l.remove())
		}
		crash.After(crash.JournalFile)
		return l, nil
	}
	return nil, errors.New("vault: other processes keep taking the journal's new files")
}

// holdLog locks an open file; nil when another process holds or removed it.
func holdLog(v *Vault, name string, f *os.File) (*logFile, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: %s is not a regular file", ErrCorrupt, name)
	}
	held := false
	if err == nil {
		held, err = lockFile(f)
	}
	if err == nil && held {
		if info, err = f.Stat(); err == nil && linked(info) {
			return &logFile{vault: v, name: name, file: f}, nil
		}
	}
	return nil, errors.Join(err, f.Close())
}

func (l *logFile) ad(seq int) []byte {
	return bind("weir/journal/v1", []byte(l.name), number(int64(seq)))
}

func logChecksum(size uint32, seq int) uint32 {
	b := binary.BigEndian.AppendUint32(nil, size)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

func (l *logFile) append(rec []byte) error {
	ct, err := l.vault.store.aead.Encrypt(rec, l.ad(l.records))
	if err != nil {
		return fmt.Errorf("seal record: %w", err)
	}
	if len(ct) > maxRecord {
		return fmt.Errorf("a record of %d bytes is too long", len(rec))
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(ct)))
	head = binary.BigEndian.AppendUint32(head, logChecksum(uint32(len(ct)), l.records))
	crash.Before(crash.JournalWrite)
	if _, err := l.vault.logs.write(l.file, slices.Concat(head, ct)); err != nil {
		return err
	}
	crash.After(crash.JournalWrite)
	crash.Before(crash.JournalSync)
	if err := l.vault.logs.sync(l.file); err != nil {
		return err
	}
	crash.After(crash.JournalSync)
	l.records++
	return nil
}

// scan authenticates every record in order and gives it to fn. It returns how
// many there are and how many bytes of a torn tail it left out.
func (l *logFile) scan(fn func(rec []byte) error) (records int, torn int64, err error) {
	info, err := l.file.Stat()
	if err != nil {
		return 0, 0, fmt.Errorf("examine: %w", err)
	}
	left := info.Size()
	r := bufio.NewReader(io.NewSectionReader(l.file, 0, left))
	for left > 0 {
		size, rec, err := l.record(r, records, left)
		if err != nil {
			return records, 0, err
		}
		if rec == nil {
			break
		}
		err = fn(rec)
		clear(rec)
		if err != nil {
			return records, 0, err
		}
		records++
		left -= size
	}
	return records, left, nil
}

// record reads one record; nil stands for a torn tail, which is one that ends
// before its length says, or nothing but zeros (a file that grew before its
// content was written).
func (l *logFile) record(r *bufio.Reader, seq int, left int64) (size int64, rec []byte, err error) {
	if left < logHeader {
		return 0, nil, nil
	}
	var head [logHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, fmt.Errorf("read: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if binary.BigEndian.Uint32(head[4:]) != logChecksum(n, seq) || n > maxRecord {
		if zero, err := onlyZeros(io.MultiReader(bytes.NewReader(head[:]), r)); err != nil || zero {
			return 0, nil, err
		}
		return 0, nil, fmt.Errorf("%w: the length of record %d was altered", ErrCorrupt, seq)
	}
	if left-logHeader < int64(n) {
		return 0, nil, nil
	}
	ct := make([]byte, n)
	if _, err := io.ReadFull(r, ct); err != nil {
		return 0, nil, fmt.Errorf("read: %w", err)
	}
	rec, err = l.vault.store.aead.Decrypt(ct, l.ad(seq))
	if err == nil {
		if rec == nil {
			rec = []byte{}
		}
		return logHeader + int64(n), rec, nil
	}
	last := left-logHeader == int64(n)
	if zero, _ := onlyZeros(bytes.NewReader(ct[max(0, len(ct)-16):])); last && zero {
		return 0, nil, nil
	}
	return 0, nil, fmt.Errorf("%w: record %d", ErrCorrupt, seq)
}

func onlyZeros(r io.Reader) (bool, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return false, fmt.Errorf("read: %w", err)
	}
	return len(bytes.Trim(b, "\x00")) == 0, nil
}

// remove deletes the file, durably, and releases it.
func (l *logFile) remove() error {
	crash.Before(crash.JournalRemove)
	err := l.vault.logs.Remove(l.name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		err = syncDir(l.vault.logs)
	}
	crash.After(crash.JournalRemove)
	if err = errors.Join(err, l.file.Close()); err != nil {
		return fmt.Errorf("remove journal %s: %w", l.name, err)
	}
	return nil
}
