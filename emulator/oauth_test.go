package emulator_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/weirhq/weir/emulator"
)

func TestJWTBearer(t *testing.T) {
	org, c := calm(t)
	creds := org.Credentials()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	org.RegisterKey(&key.PublicKey)
	good := func() jwt.RegisteredClaims {
		return jwt.RegisteredClaims{
			Issuer: creds.ClientID, Subject: creds.Username, Audience: jwt.ClaimStrings{creds.Audiences[0]},
			ExpiresAt: jwt.NewNumericDate(time.Now().Add(3 * time.Minute)),
		}
	}
	for _, tc := range []struct {
		name   string
		key    any
		method jwt.SigningMethod
		change func(*jwt.RegisteredClaims)
		want   string
	}{
		{"good", key, jwt.SigningMethodRS256, func(*jwt.RegisteredClaims) {}, "access_token"},
		{"own host as audience", key, jwt.SigningMethodRS256, func(c *jwt.RegisteredClaims) { c.Audience = jwt.ClaimStrings{base} }, "access_token"},
		{"other key", stranger, jwt.SigningMethodRS256, func(*jwt.RegisteredClaims) {}, "invalid assertion"},
		{"other algorithm", key, jwt.SigningMethodRS512, func(*jwt.RegisteredClaims) {}, "invalid assertion"},
		{"shared secret", []byte("x"), jwt.SigningMethodHS256, func(*jwt.RegisteredClaims) {}, "invalid assertion"},
		{"unsigned", jwt.UnsafeAllowNoneSignatureType, jwt.SigningMethodNone, func(*jwt.RegisteredClaims) {}, "invalid assertion"},
		{"other client", key, jwt.SigningMethodRS256, func(c *jwt.RegisteredClaims) { c.Issuer = "x" }, "client identifier invalid"},
		{"other audience", key, jwt.SigningMethodRS256, func(c *jwt.RegisteredClaims) { c.Audience = jwt.ClaimStrings{"https://x"} }, "audience is invalid"},
		{"other user", key, jwt.SigningMethodRS256, func(c *jwt.RegisteredClaims) { c.Subject = "x" }, "approved"},
		{"expired", key, jwt.SigningMethodRS256, func(c *jwt.RegisteredClaims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Second)) }, "expired"},
		{"too long", key, jwt.SigningMethodRS256, func(c *jwt.RegisteredClaims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(time.Hour)) }, "too far"},
		{"without expiry", key, jwt.SigningMethodRS256, func(c *jwt.RegisteredClaims) { c.ExpiresAt = nil }, "expired"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			claims := good()
			tc.change(&claims)
			signed, err := jwt.NewWithClaims(tc.method, claims).SignedString(tc.key)
			if err != nil {
				t.Fatal(err)
			}
			a := c.askToken(url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {signed}})
			if !strings.Contains(a.body, tc.want) || strings.Contains(a.body, "expires_in") || strings.Contains(a.body, "refresh_token") {
				t.Errorf("%d %s, want %q", a.status, a.body, tc.want)
			}
		})
	}
}

func TestRefresh(t *testing.T) {
	org, c := calm(t, func(o *emulator.Options) { o.RotateRefreshTokens = true })
	creds := org.Credentials()
	refresh := func(token string) (out struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		Error        string `json:"error"`
	},
	) {
		a := c.askToken(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {creds.ClientID}, "client_secret": {creds.ClientSecret}})
		c.decode(a, &out)
		return out
	}
	first := refresh(creds.RefreshToken)
	if refresh(creds.RefreshToken).Error != "invalid_grant" {
		t.Error("an old refresh token still works")
	}
	second := refresh(first.RefreshToken)
	c.token = first.AccessToken
	c.send(http.MethodGet, "/limits", "").want(t, 401, "INVALID_SESSION_ID")
	c.token = second.AccessToken
	c.send(http.MethodGet, "/limits", "").want(t, 200, "")
}

func TestCredentials(t *testing.T) {
	org, c := calm(t)
	creds := org.Credentials()
	ask := func(secret string) answer {
		return c.askToken(url.Values{"grant_type": {"client_credentials"}, "client_id": {creds.ClientID}, "client_secret": {secret}})
	}
	if a := ask("wrong"); a.status != 400 || !strings.Contains(a.body, "invalid_client") {
		t.Error(a.body)
	}
	if a := ask(creds.ClientSecret); !strings.Contains(a.body, `"instance_url":"`+base+`"`) {
		t.Error(a.body)
	}
	org.SetCredentialsValid(false)
	c.send(http.MethodGet, "/limits", "").want(t, 401, "INVALID_SESSION_ID")
	if a := ask(creds.ClientSecret); !strings.Contains(a.body, `{"error":"invalid_grant","error_description":"inactive user"}`) {
		t.Error(a.body)
	}
	org.SetCredentialsValid(true)
	c.signIn(org)
	c.send(http.MethodGet, "/limits", "").want(t, 200, "")
	if a := c.askToken(url.Values{"grant_type": {"password"}}); !strings.Contains(a.body, "unsupported_grant_type") {
		t.Error(a.body)
	}
}
