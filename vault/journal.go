package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"sync"
)

// Journal keeps outcomes while the store cannot be reached: sealed, fsynced,
// append-only. Each process writes files of its own and holds them by a lock;
// those of a process that died are adopted by whoever opens the journal next.
//
// A record may be replayed more than once (after a crash between its replay
// and its removal), never less than once: replay must be idempotent.
type Journal struct {
	vault *Vault

	replay sync.Mutex // one replay at a time

	mu     sync.Mutex
	own    *logFile   // takes appends; nil until one comes
	held   []*logFile // complete files, oldest first
	torn   int64
	closed bool
}

// logName: the time orders the files, the random part tells them apart.
var logName = regexp.MustCompile(`^j-[0-9a-f]{16}-[0-9a-f]{16}$`)

// Journal opens the journal and adopts the files that nobody holds. A record
// that was altered is ErrCorrupt; a torn tail, which is a write that never
// returned, is dropped and reported by Torn.
func (v *Vault) Journal() (*Journal, error) {
	j := &Journal{vault: v}
	if err := j.Adopt(); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// Adopt takes over the files of processes that have died. Nodes that share a
// directory call it when they adopt a dead node's claims.
func (j *Journal) Adopt() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return ErrClosed
	}
	d, err := j.vault.logs.Open(".")
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	names, err := d.Readdirnames(-1)
	if err := errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("list the journal: %w", err)
	}
	slices.Sort(names)
	for _, name := range names {
		if logName.MatchString(name) && !j.holds(name) {
			if err := j.adopt(name); err != nil {
				return fmt.Errorf("adopt journal %s: %w", name, err)
			}
		}
	}
	return nil
}

func (j *Journal) holds(name string) bool {
	return j.own != nil && j.own.name == name ||
		slices.ContainsFunc(j.held, func(l *logFile) bool { return l.name == name })
}

func (j *Journal) adopt(name string) error {
	l, err := openLog(j.vault, name)
	if err != nil || l == nil {
		return err
	}
	records, torn, err := l.scan(func([]byte) error { return nil })
	if err != nil {
		return errors.Join(err, l.file.Close())
	}
	l.records = records
	j.torn += torn
	if l.records == 0 {
		return l.remove()
	}
	j.held = append(j.held, l)
	return nil
}

// Append makes a record durable. When it fails, the record may or may not be
// replayed later.
func (j *Journal) Append(rec []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return ErrClosed
	}
	if j.own == nil {
		l, err := createLog(j.vault)
		if err != nil {
			return fmt.Errorf("append to the journal: %w", err)
		}
		j.own = l
	}
	if err := j.own.append(rec); err != nil {
		// After a failed write or fsync nothing is known about the file's tail:
		// it takes no more records.
		return errors.Join(fmt.Errorf("append to the journal: %w", full(err)), j.retire())
	}
	return nil
}

// retire ends the file that takes appends. j.mu is held.
func (j *Journal) retire() error {
	l := j.own
	j.own = nil
	if l == nil {
		return nil
	}
	if l.records == 0 {
		return l.remove()
	}
	j.held = append(j.held, l)
	return nil
}

// Replay gives every record to fn, in order, and removes a file once all of
// its records succeeded. It stops at the first error. fn may take its time:
// appends go on in a new file, which is replayed too before Replay returns.
func (j *Journal) Replay(fn func(rec []byte) error) error {
	j.replay.Lock()
	defer j.replay.Unlock()
	for {
		l, err := j.next()
		if err != nil || l == nil {
			return err
		}
		if _, _, err := l.scan(fn); err != nil {
			return fmt.Errorf("replay journal %s: %w", l.name, err)
		}
		if err := l.remove(); err != nil {
			return err
		}
		j.mu.Lock()
		j.held = slices.DeleteFunc(j.held, func(h *logFile) bool { return h == l })
		j.mu.Unlock()
	}
}

func (j *Journal) next() (*logFile, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, ErrClosed
	}
	if len(j.held) == 0 {
		if err := j.retire(); err != nil {
			return nil, err
		}
	}
	if len(j.held) == 0 {
		return nil, nil //nolint:nilnil // nothing left, and nothing wrong
	}
	return j.held[0], nil
}

// Len is how many records wait.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	if j.own != nil {
		n = j.own.records
	}
	for _, l := range j.held {
		n += l.records
	}
	return n
}

// Torn is how many bytes of unfinished records were dropped.
func (j *Journal) Torn() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.torn
}

// Close releases the files; their records stay for the next process.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	err := j.retire()
	for _, l := range j.held {
		err = errors.Join(err, l.file.Close())
	}
	j.held = nil
	return err
}

// openLog opens and locks a file; nil when another process holds or removed it.
func openLog(v *Vault, name string) (*logFile, error) {
	f, err := v.logs.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // removed by its holder: nothing to adopt
	}
	if err != nil {
		return nil, err
	}
	return holdLog(v, name, f)
}
