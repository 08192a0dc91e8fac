//go:build unix

package vault

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// scrubbing is what the runtime is told: to overwrite what it frees, and to
// interrupt no thread by a signal. The kernel writes the vector registers to the
// signal's stack, and the runtime to a buffer of its own, where the last bytes of
// a page that was being copied would stay until the next signal.
const scrubbing = "clobberfree=1,asyncpreemptoff=1"

// ReexecScrubbed replaces this process by itself with settings of GODEBUG added
// that keep personal data from staying in memory, because the runtime reads them
// only at its start. The process id stays. It returns nil without doing anything
// when clobberfree is set, also as clobberfree=0, by which an operator declines.
// Call it first in main: nothing of the old image survives.
func ReexecScrubbed() error {
	if clobberSetting() != "" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the own executable: %w", err)
	}
	setting := scrubbing
	if old := os.Getenv("GODEBUG"); old != "" {
		setting = old + "," + setting
	}
	env := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "GODEBUG=") })
	if err := syscall.Exec(self, os.Args, append(env, "GODEBUG="+setting)); err != nil {
		return fmt.Errorf("start anew with memory scrubbing: %w", err)
	}
	return nil
}
