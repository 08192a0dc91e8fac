package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/salesforce"
)

// errCredentials says that an org's credentials could not be read.
var errCredentials = errors.New("the org's credentials cannot be read")

// credentials resolves an org's references.
func credentials(cfg *config.Config, o config.Org) (salesforce.Auth, error) {
	secret := func(ref string) (pii.Secret, error) {
		if ref == "" {
			return pii.Secret{}, nil
		}
		s, err := config.ResolveSecret(ref, cfg.Dir())
		if err != nil {
			return s, fmt.Errorf("%w: %w", errCredentials, err)
		}
		return s, nil
	}
	client, err := secret(o.Auth.Secret)
	if err != nil {
		return nil, err
	}
	switch o.Auth.Kind {
	case config.AuthClientCredentials:
		return &salesforce.ClientCredentials{ID: o.Auth.ClientID, Secret: client}, nil
	case config.AuthRefresh:
		token, err := secret(o.Auth.RefreshToken)
		return &salesforce.Refresh{ClientID: o.Auth.ClientID, Secret: client, Token: token}, err
	}
	text, err := secret(o.Auth.Key)
	if err != nil {
		return nil, err
	}
	defer text.Clear()
	key, err := parseKey(text.Reveal())
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errCredentials, o.Auth.Key, err)
	}
	return &salesforce.JWTBearer{ClientID: o.Auth.ClientID, Username: o.Auth.Username, Audience: o.Auth.Audience, Key: key}, nil
}

// parseKey reads an RSA key in PEM, as PKCS #1 or PKCS #8. Errors do not
// repeat any of it.
func parseKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("this is not a PEM file")
	}
	defer clear(block.Bytes)
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	found, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("this is not an unencrypted private key")
	}
	key, ok := found.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("this is not an RSA key; Salesforce takes RS256 only")
	}
	return key, nil
}

// changedAt is when the newest of an org's secret files changed; zero when
// none of them is a file.
func changedAt(auth config.Auth) (time.Time, error) {
	var newest time.Time
	for _, ref := range []string{auth.Secret, auth.Key, auth.RefreshToken} {
		path, ok := config.FileOf(ref)
		if !ok {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return newest, fmt.Errorf("look at a secret file: %w", err)
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}
