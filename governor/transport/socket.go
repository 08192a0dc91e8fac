package transport

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

// dialSocket connects to a unix socket. A path that does not fit in an address
// goes through the open directory's own descriptor, as it does where weir
// listens.
func dialSocket(ctx context.Context, path string) (net.Conn, error) {
	var d net.Dialer
	if len(path) > maxSocketPath {
		dir, err := os.Open(filepath.Dir(path))
		if err != nil {
			return nil, err //nolint:wrapcheck // it names the directory
		}
		defer func() { _ = dir.Close() }() // it was only a name
		// proc(5): /proc/self/fd/N stands for the open directory.
		path = fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))
	}
	return d.DialContext(ctx, "unix", path) //nolint:wrapcheck // it names the socket
}
