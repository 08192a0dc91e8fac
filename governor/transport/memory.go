package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/weirhq/weir/governor"
)

// Memory keeps the governor's state where a restart does not reach it. It is
// saved at once when the gate moves, otherwise once a second at most, by the
// call that changed it, and by Close.
type Memory interface {
	// Load returns what was saved last; the zero State when nothing was.
	Load() (governor.State, error)
	Save(s governor.State) error
}

// File is a Memory in one JSON file, which is replaced as a whole. One Transport
// at a time may use it.
type File string

// Load implements Memory.
func (f File) Load() (governor.State, error) {
	var s governor.State
	doc, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err //nolint:wrapcheck // it names the file
	}
	if err := json.Unmarshal(doc, &s); err != nil {
		return governor.State{}, fmt.Errorf("%s: %w", string(f), err)
	}
	return s, nil
}

// Save implements Memory.
func (f File) Save(s governor.State) error {
	doc, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(string(f)), filepath.Base(string(f))+".*") // 0600
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	_, err = tmp.Write(doc)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), string(f))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// saveEvery is how often the state is saved while nothing but counts change.
const saveEvery = time.Second

// saver decides when to save.
type saver struct {
	memory Memory
	due    bool      // guarded by the judge's lock, like the next
	at     time.Time // of the last time that it was due

	mu  sync.Mutex // one writer at a time, so that the newest state is the last one written
	err error      // of the last one
}

func (v *saver) note(now time.Time, gateMoved bool) {
	if v.memory == nil || !gateMoved && now.Sub(v.at) < saveEvery {
		return
	}
	v.due, v.at = true, now
}
