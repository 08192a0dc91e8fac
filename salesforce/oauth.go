package salesforce

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/weirhq/weir/internal/pii"
)

// ErrIncompleteAuth says that credentials lack a part.
var ErrIncompleteAuth = errors.New("credentials are incomplete")

// Auth is one way to obtain an access token: ClientCredentials, JWTBearer or
// Refresh. The interface is sealed.
type Auth interface {
	check() error
	// form returns the body of the token call. rotated is the newest refresh
	// token that the org handed out, if any.
	form(base *url.URL, now time.Time, rotated pii.Secret) ([]byte, error)
}

// ClientCredentials is the OAuth client credentials flow, which runs as the
// user that the org's administrator configured.
type ClientCredentials struct {
	ID     string
	Secret pii.Secret
}

func (a ClientCredentials) check() error {
	if a.ID == "" || a.Secret.IsZero() {
		return fmt.Errorf("client credentials: %w", ErrIncompleteAuth)
	}
	return nil
}

func (a ClientCredentials) form(*url.URL, time.Time, pii.Secret) ([]byte, error) {
	f := appendForm(nil, "grant_type", []byte("client_credentials"))
	f = appendForm(f, "client_id", []byte(a.ID))
	return appendForm(f, "client_secret", a.Secret.Reveal()), nil
}

// JWTBearer is the OAuth JWT bearer flow: a certificate instead of a secret.
// An empty Audience is derived from the org's host.
type JWTBearer struct {
	ClientID string
	Username string
	Audience string
	Key      *rsa.PrivateKey
}

func (a JWTBearer) check() error {
	if a.ClientID == "" || a.Username == "" || a.Key == nil {
		return fmt.Errorf("jwt bearer: %w", ErrIncompleteAuth)
	}
	return nil
}

func (a JWTBearer) form(base *url.URL, now time.Time, _ pii.Secret) ([]byte, error) {
	audience := a.Audience
	if audience == "" {
		audience = defaultAudience(base)
	}
	assertion, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": a.ClientID, "sub": a.Username, "aud": audience, // one string: a list is not documented
		"exp": now.Add(3 * time.Minute).Unix(), // Salesforce accepts at most five
	}).SignedString(a.Key)
	if err != nil {
		return nil, fmt.Errorf("sign the assertion: %w", err)
	}
	f := appendForm(nil, "grant_type", []byte("urn:ietf:params:oauth:grant-type:jwt-bearer"))
	return appendForm(f, "assertion", []byte(assertion)), nil
}

// defaultAudience is the login host that Salesforce expects in an assertion.
func defaultAudience(base *url.URL) string {
	switch host := base.Hostname(); {
	case loopback(host):
		return base.String()
	case strings.Contains(host, ".sandbox."):
		return "https://test.salesforce.com"
	}
	return "https://login.salesforce.com"
}

// Refresh is the OAuth refresh token flow. With rotation every exchange hands
// out a new refresh token and kills the old one; Rotated is called with the
// new one and must make it durable before it returns.
type Refresh struct {
	ClientID string
	Secret   pii.Secret // may be empty for a public client
	Token    pii.Secret
	Rotated  func(pii.Secret) error // nil = the org does not rotate
}

func (a Refresh) check() error {
	if a.ClientID == "" || a.Token.IsZero() {
		return fmt.Errorf("refresh token: %w", ErrIncompleteAuth)
	}
	return nil
}

func (a Refresh) form(_ *url.URL, _ time.Time, rotated pii.Secret) ([]byte, error) {
	if rotated.IsZero() {
		rotated = a.Token
	}
	f := appendForm(nil, "grant_type", []byte("refresh_token"))
	f = appendForm(f, "client_id", []byte(a.ClientID))
	f = appendForm(f, "refresh_token", rotated.Reveal())
	if !a.Secret.IsZero() {
		f = appendForm(f, "client_secret", a.Secret.Reveal())
	}
	return f, nil
}

// appendForm appends one escaped name=value pair; bytes, so that a secret does
// not leave copies in strings.
func appendForm(dst []byte, name string, value []byte) []byte {
	if len(dst) > 0 {
		dst = append(dst, '&')
	}
	dst = append(append(dst, name...), '=')
	return appendEscaped(dst, value)
}

// appendEscaped percent-encodes everything but the unreserved characters of
// RFC 3986.
func appendEscaped(dst, value []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range value {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}
