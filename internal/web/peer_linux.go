package web

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// peer names the operating-system user at the other end of a unix socket, as
// the kernel knows it: a caller cannot claim to be somebody else.
func peer(c net.Conn) (string, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return "", errors.New("not a unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return "", fmt.Errorf("peer of the socket: %w", err)
	}
	var cred *syscall.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err = errors.Join(err, credErr); err != nil {
		return "", fmt.Errorf("peer of the socket: %w", err)
	}
	return Person(int(cred.Uid)), nil
}
