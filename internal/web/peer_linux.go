package web

import (
	"errors"
	"fmt"
	"net"
	"os/user"
	"strconv"
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

// Person is the name of an operating-system user, or its number.
func Person(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return "uid:" + strconv.Itoa(uid)
}

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
