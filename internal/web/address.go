package web

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// maxSocketPath is what fits in a unix socket's address (108 bytes on Linux,
// 104 on others, with the final zero).
const maxSocketPath = 103

// socketPath returns a path of the socket in dir that fits in an address. A
// longer one goes through the directory's own file descriptor, which must stay
// open until done is called.
func socketPath(dir string) (path string, done func(), err error) {
	path = filepath.Join(dir, SocketName)
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return "", nil, fmt.Errorf("open the data directory: %w", err)
	}
	// proc(5): /proc/self/fd/N stands for the open directory.
	return fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), SocketName), func() { _ = d.Close() }, nil // it was only a name
}

// dial connects to the socket in dir.
func dial(ctx context.Context, dir string) (net.Conn, error) {
	path, done, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}
