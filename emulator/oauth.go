package emulator

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	integrationUser = "privacy@acme.example"
	consumerKey     = "3MVG9emulatorConsumerKey"
	orgID           = "00D5g0000000001EAA"
	jwtGrant        = "urn:ietf:params:oauth:grant-type:jwt-bearer"

	// maxAssertion is how far ahead an assertion may expire; Salesforce wants
	// three minutes and allows for skewed clocks.
	maxAssertion = 5 * time.Minute
	// maxLogins is how many logins a user has in an hour.
	maxLogins = 3_600
)

// Credentials are what a client signs in with. A public key for the JWT flow is
// registered with [Org.RegisterKey].
type Credentials struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Username     string `json:"username"`
	RefreshToken string `json:"refresh_token"`
	// Audiences are the accepted aud claims, besides the org's own URL.
	Audiences []string `json:"audiences"`
}

// session is one access token.
type session struct {
	used    time.Time
	refresh bool // it came from the refresh token
}

// Credentials returns what signs in at present.
func (o *Org) Credentials() Credentials {
	_, unlock := o.lock()
	defer unlock()
	return Credentials{
		ClientID: consumerKey, ClientSecret: o.secret, Username: integrationUser, RefreshToken: o.refresh,
		Audiences: audiences(),
	}
}

func audiences() []string {
	return []string{"https://login.salesforce.com", "https://test.salesforce.com"}
}

// RegisterKey uploads a public key to the connected app; assertions signed with
// any registered key are accepted.
func (o *Org) RegisterKey(key *rsa.PublicKey) {
	_, unlock := o.lock()
	defer unlock()
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(key))
	o.keys[hex.EncodeToString(sum[:])] = key
}

// SetCredentialsValid disables the integration user, which ends its sessions,
// or enables it again.
func (o *Org) SetCredentialsValid(valid bool) {
	_, unlock := o.lock()
	defer unlock()
	o.credentialsValid = valid
	if !valid {
		clear(o.sessions)
	}
}

// ExpireSessions ends every session.
func (o *Org) ExpireSessions() {
	_, unlock := o.lock()
	defer unlock()
	clear(o.sessions)
}

// grantError is a refusal of the token endpoint, which has a form of its own.
type grantError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func grantRefused(code, description string) *reply {
	return jsonReply(http.StatusBadRequest, grantError{code, description})
}

// token answers /services/oauth2/token.
func (o *Org) token(c *call, now time.Time) *reply {
	if c.in.method != http.MethodPost {
		return methodNotAllowed(c.in.method, http.MethodPost)
	}
	form, err := url.ParseQuery(string(c.in.body))
	if err != nil {
		return grantRefused("invalid_request", "cannot read the form")
	}
	if id, secret, ok := basicAuth(c.in.header); ok {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	o.logins.add(now, 1)
	if o.logins.within(now, time.Hour) > maxLogins {
		return grantRefused("invalid_grant", "login rate exceeded")
	}
	var refusal *grantError
	grant := form.Get("grant_type")
	switch grant {
	case "client_credentials":
		refusal = o.clientCredentials(form)
	case jwtGrant:
		refusal = o.assertion(form.Get("assertion"), c.in.base, now)
	case "refresh_token":
		refusal = o.refreshGrant(form)
	default:
		refusal = &grantError{"unsupported_grant_type", "grant type not supported"}
	}
	if refusal == nil && !o.credentialsValid {
		refusal = &grantError{"invalid_grant", "inactive user"}
	}
	if refusal != nil {
		return grantRefused(refusal.Code, refusal.Description)
	}
	return o.grant(grant, c.in.base, now)
}

func basicAuth(h http.Header) (id, secret string, ok bool) {
	return (&http.Request{Header: h}).BasicAuth()
}

func (o *Org) clientCredentials(form url.Values) *grantError {
	if form.Get("client_id") != consumerKey {
		return &grantError{"invalid_client_id", "client identifier invalid"}
	}
	if form.Get("client_secret") != o.secret {
		return &grantError{"invalid_client", "invalid client credentials"}
	}
	return nil
}

func (o *Org) refreshGrant(form url.Values) *grantError {
	if refused := o.clientCredentials(form); refused != nil && (form.Get("client_secret") != "" || refused.Code == "invalid_client_id") {
		return refused
	}
	if form.Get("refresh_token") != o.refresh {
		return &grantError{"invalid_grant", "expired access/refresh token"}
	}
	return nil
}

// assertion checks a signed JWT: its signature first, then who made it, for
// whom, for which host and until when.
func (o *Org) assertion(signed, base string, now time.Time) *grantError {
	var claims jwt.RegisteredClaims
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	verified := errors.New("no key is registered")
	for _, key := range o.keys {
		if _, verified = parser.ParseWithClaims(signed, &claims, func(*jwt.Token) (any, error) { return key, nil }); verified == nil {
			break
		}
	}
	switch {
	case verified != nil:
		return &grantError{"invalid_grant", "invalid assertion"}
	case claims.Issuer != consumerKey:
		return &grantError{"invalid_client_id", "client identifier invalid"}
	case !slices.ContainsFunc(append(audiences(), base, o.options.InstanceURL), func(host string) bool {
		return host != "" && slices.Contains(claims.Audience, host)
	}):
		return &grantError{"invalid_grant", "audience is invalid"}
	case claims.ExpiresAt == nil || !now.Before(claims.ExpiresAt.Time):
		return &grantError{"invalid_grant", "expired authorization code"}
	case claims.ExpiresAt.Sub(now) > maxAssertion:
		return &grantError{"invalid_grant", "assertion expires too far in the future"}
	case claims.Subject != integrationUser:
		return &grantError{"invalid_grant", "user hasn't approved this consumer"}
	default:
		return nil
	}
}

// grant opens a session. The answer has no expires_in: a session dies of
// idleness, and one learns of it by a 401.
func (o *Org) grant(grant, base string, now time.Time) *reply {
	refreshing := grant == "refresh_token"
	token := orgID[:15] + "!AQ" + o.mint(60)
	out := map[string]string{
		"access_token": token, "token_type": "Bearer", "scope": "api", "signature": o.mint(43) + "=",
		"instance_url": base, "id": "https://login.salesforce.com/id/" + orgID + "/" + o.user,
	}
	if o.options.InstanceURL != "" {
		out["instance_url"] = strings.TrimRight(o.options.InstanceURL, "/")
	}
	if grant != jwtGrant {
		out["issued_at"] = strconv.FormatInt(now.UnixMilli(), 10)
	}
	if refreshing && o.options.RotateRefreshTokens {
		for token, s := range o.sessions {
			if s.refresh {
				delete(o.sessions, token)
			}
		}
		o.refresh = "5Aep861" + o.mint(40)
		out["refresh_token"] = o.refresh
	}
	o.sessions[token] = &session{used: now, refresh: refreshing}
	return jsonReply(http.StatusOK, out)
}
