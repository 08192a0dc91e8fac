//go:build !(linux || darwin || freebsd)

package vault

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

const openNoFollow = 0

// errHost: where owner and mode of a file cannot be verified, the vault
// refuses to open.
var errHost = errors.New("vault: this operating system has no owners and modes that weir can verify")

func ownerOf(fs.FileInfo) (uid int, ok bool) { return 0, false }

func linked(fs.FileInfo) bool { return true }

func outOfSpace(error) bool { return false }

func isSymlinkRefusal(error) bool { return false }

func lockFile(*os.File) (bool, error) { return false, errHost }

func freeBytes(*os.File) (int64, error) { return 0, errHost }

func monotonic() int64 { return time.Now().UnixNano() }
