package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/internal/ledger"
)

// publicKey reads the ledger's public key from a flag: the key itself, or a
// file that holds it.
func publicKey(text string) (note.Verifier, error) {
	if text == "" {
		return nil, usage("`weir init` printed it; `weir audit verify` prints it again.", "give the ledger's public key: --key KEY")
	}
	v, err := ledger.ParseVerifier(text)
	if err == nil {
		return v, nil
	}
	file, readErr := os.ReadFile(text)
	if readErr != nil {
		return nil, usage("It looks like NAME+0123abcd+…", "--key is neither a public key nor a file that holds one")
	}
	if v, err = ledger.ParseVerifier(string(file)); err != nil {
		return nil, usage("It looks like NAME+0123abcd+…", "%s holds no public key", text)
	}
	return v, nil
}

// ownKey derives the public key from the configured signing key.
func ownKey(cfg *config.Config) (string, error) {
	secret, err := config.ResolveSecret(cfg.Keys.Signing, cfg.Dir())
	if err != nil {
		return "", keyMissing("signing key", err)
	}
	defer secret.Clear()
	key, err := ledger.PublicKey(strings.TrimSpace(string(secret.Reveal())))
	if err != nil {
		return "", fmt.Errorf("signing key: %w", err)
	}
	return key, nil
}
