// Package socket reaches unix sockets whose paths are longer than an address
// holds: a data directory may lie as deep as its owner likes. Start at Address.
package socket

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// longest is what fits in a unix socket's address (108 bytes on Linux, 104 on
// others, with the final zero).
const longest = 103

// Address returns a path of the socket that fits in an address. A longer one
// goes through its directory's file descriptor, which stays open until done is
// called. The error names the directory.
func Address(path string) (short string, done func(), err error) {
	if len(path) <= longest {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err //nolint:wrapcheck // it names the directory
	}
	// proc(5): /proc/self/fd/N stands for the open directory.
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)), func() { _ = dir.Close() }, nil // it was only a name
}

// Dial connects to the socket at a path of any length. The error names it.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	short, done, err := Address(path)
	if err != nil {
		return nil, err
	}
	defer done()
	var d net.Dialer
	return d.DialContext(ctx, "unix", short) //nolint:wrapcheck // it names the socket
}
