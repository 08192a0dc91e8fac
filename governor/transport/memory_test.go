package transport_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/governor/transport"
)

// counting is a Memory that counts how often it is written.
type counting struct {
	transport.File
	saves int
	fail  error
}

func (c *counting) Save(s governor.State) error {
	c.saves++
	if c.fail != nil {
		return c.fail
	}
	return c.File.Save(s)
}

// TestARestartForgetsNothing: what the next process knows after a kill, without
// Close.
func TestARestartForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &counting{File: transport.File(filepath.Join(t.TempDir(), "state.json"))}
		org := &script{}
		rt := governed(t, org, transport.Options{Memory: memory})
		for range 500 {
			if _, _, err := do(t.Context(), rt, request(t, "GET", someURL, "")); err != nil {
				t.Fatal(err)
			}
		}
		if memory.saves != 1 {
			t.Errorf("saved %d times in one instant", memory.saves)
		}
		closeGate(t, rt, org, 3600)
		if memory.saves != 2 {
			t.Error("the gate was not saved at once")
		}
		next := governed(t, org, transport.Options{Memory: memory})
		if a, b := rt.View(), next.View(); !a.GateUntil.Equal(b.GateUntil) || a.Own24h != b.Own24h || a.Strikes != b.Strikes {
			t.Errorf("knew %+v and knows %+v", a, b)
		}
		_, _, err := do(transport.WithDeadline(t.Context(), time.Now().Add(time.Minute)), next, request(t, "GET", someURL, ""))
		_ = isDeferred(t, err)
		if err := next.Close(); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(string(memory.File)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if left, err := os.ReadDir(filepath.Dir(string(memory.File))); err != nil || len(left) != 1 {
			t.Errorf("%d files, %v", len(left), err)
		}
		memory.fail = errors.New("disk full")
		if err := next.Close(); !errors.Is(err, memory.fail) {
			t.Errorf("Close = %v", err)
		}
	})
}

func TestABrokenMemoryIsAnError(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(name, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := transport.New(nil, transport.Options{Memory: transport.File(name)}); err == nil {
		t.Error("a broken state was taken for none: a gate would be forgotten")
	}
}
