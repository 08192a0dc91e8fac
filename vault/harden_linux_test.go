package vault_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/weirhq/weir/vault"
)

func childHarden() error {
	if err := vault.Harden(); err != nil {
		return err
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		return err
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil {
		return err
	}
	fmt.Printf("dumpable %d core %d/%d umask %#o\n", dumpable, core.Cur, core.Max, unix.Umask(0))
	return nil
}

func TestHarden(t *testing.T) {
	out, err := child(t, "harden").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "dumpable 0 core 0/0 umask 077" {
		t.Errorf("%s, %v", got, err)
	}
}
