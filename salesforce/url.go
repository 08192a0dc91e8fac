package salesforce

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// errForeignLink says that a link in an answer does not lead to the same org.
var errForeignLink = errors.New("a link in the org's answer leads elsewhere")

// pinnedBase parses the org's URL: the one host that the client ever calls.
func pinnedBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, ErrInstanceURL // the text is not repeated: somebody may have put credentials into it
	}
	u.Scheme, u.Host, u.Path = strings.ToLower(u.Scheme), strings.ToLower(u.Host), ""
	switch u.Scheme {
	case "https":
		return u, nil
	case "http":
		if loopback(u.Hostname()) {
			return u, nil
		}
		return nil, fmt.Errorf("%s: %w", u.Host, ErrInsecureURL)
	default:
		return nil, ErrInstanceURL
	}
}

// loopback says whether a host name can only mean this machine.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// sameHost says whether an absolute URL of an answer names the pinned host.
// Default ports are equal to no port.
func sameHost(base *url.URL, raw string) bool {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.User != nil || u.Opaque != "" {
		return false
	}
	return strings.EqualFold(u.Scheme, base.Scheme) && hostPort(u) == hostPort(base)
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

var locatorPath = regexp.MustCompile(`^/services/data/v[1-9][0-9]{1,2}\.[0-9]/(?:query|queryAll)/[A-Za-z0-9_.~-]+$`)

// locator checks a nextRecordsUrl before it is followed: url.Parse would let
// "//evil/x" or an absolute URL switch the host, and dot segments would leave
// the resource. It returns the path to call.
func locator(base *url.URL, raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.User != nil || u.Fragment != "" || u.RawQuery != "" || u.ForceQuery {
		return "", errForeignLink
	}
	if (u.Scheme != "" || u.Host != "") && !sameHost(base, raw) {
		return "", errForeignLink
	}
	// The pattern has no room for percent signs, so that escaped and unescaped
	// form are one; path.Clean then finds what dots are left.
	if p := u.EscapedPath(); locatorPath.MatchString(p) && path.Clean(p) == p {
		return p, nil
	}
	return "", errForeignLink
}

var (
	recordID  = regexp.MustCompile(`^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$`)
	apiName   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}$`)
	fieldPath = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}(\.[A-Za-z][A-Za-z0-9_]{0,79}){0,5}$`)
)
