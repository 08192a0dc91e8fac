//go:build unix

package vault

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// ReexecScrubbed replaces this process by itself with GODEBUG=clobberfree=1
// added, because the runtime reads that setting only at its start. The process
// id stays. It returns nil without doing anything when the setting is there,
// also as clobberfree=0, by which an operator declines. Call it first in main:
// nothing of the old image survives.
func ReexecScrubbed() error {
	if clobberSetting() != "" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the own executable: %w", err)
	}
	setting := "clobberfree=1"
	if old := os.Getenv("GODEBUG"); old != "" {
		setting = old + "," + setting
	}
	env := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "GODEBUG=") })
	if err := syscall.Exec(self, os.Args, append(env, "GODEBUG="+setting)); err != nil {
		return fmt.Errorf("start anew with memory scrubbing: %w", err)
	}
	return nil
}
