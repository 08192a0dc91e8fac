package web

import (
	"errors"
	"os/user"
	"strconv"
	"syscall"
)

// Person is the name of an operating-system user, or its number.
func Person(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return "uid:" + strconv.Itoa(uid)
}

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
