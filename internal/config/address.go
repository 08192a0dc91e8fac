package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var (
	aliasForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	versionForm = regexp.MustCompile(`^[1-9]\d{1,2}\.0$`)
	// An age X25519 recipient is bech32 of 32 bytes; the vault checks its sum.
	recipientForm = regexp.MustCompile(`^age1[02-9ac-hj-np-z]{58}$`)
)

func checkAlias(text string) error {
	if !aliasForm.MatchString(text) {
		return errors.New("must be letters, digits, - and _, and begin with a letter or digit")
	}
	return nil
}

func checkAPIVersion(text string) error {
	if !versionForm.MatchString(text) {
		return fmt.Errorf("is %q: write an API version such as \"66.0\"", text)
	}
	return nil
}

func checkRecipient(text string) error {
	if !recipientForm.MatchString(text) {
		return errors.New("is not an age recipient: they begin with age1 and have 62 characters")
	}
	return nil
}

func checkNotEmpty(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("is empty")
	}
	return nil
}

// checkListen admits loopback only: /metrics has no accounts.
func checkListen(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || port == "" {
		return fmt.Errorf("is %q: write host:port, such as 127.0.0.1:7433", text)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("has the port %q: write a number from 0 to 65535", port)
	}
	if !loopback(host) {
		return fmt.Errorf("would be reachable from other machines: write a loopback address such as 127.0.0.1:%s", port)
	}
	return nil
}

// checkStore admits the two stores. Errors never repeat the text, which may
// hold a password.
func checkStore(text string) error {
	if path, ok := strings.CutPrefix(text, sqliteScheme); ok {
		if path == "" {
			return errors.New("names no file: write sqlite://PATH")
		}
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return errors.New("must be sqlite://PATH or postgres://USER@HOST/DATABASE")
	}
	return nil
}

// checkURL admits https, and http where the traffic cannot leave the machine.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return errors.New("is not a URL: write one such as https://acme.my.salesforce.com")
	}
	if u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be scheme and host only, such as https://acme.my.salesforce.com")
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("sends tokens in clear: write https://%s (http is for loopback hosts only)", u.Host)
	}
	return errors.New("must begin with https://")
}

// loopback decides without asking a resolver: what a name resolves to may
// change after the check.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
