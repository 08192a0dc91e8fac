package vault

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Harden makes this process keep its memory and files to itself: no reading of
// its memory by other processes of the same user, no core file, and no file
// that others can read (umask 077). Call it once at the start of a verb that
// runs long, after ReexecScrubbed.
func Harden() error {
	unix.Umask(0o077)
	var errs []error
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		errs = append(errs, fmt.Errorf("forbid memory dumps: %w", err))
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		errs = append(errs, fmt.Errorf("forbid core files: %w", err))
	}
	return errors.Join(errs...)
}
