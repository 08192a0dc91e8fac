package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// algEd25519 is the algorithm byte of signed-note keys.
const algEd25519 = 1

// ErrKey is returned for a signing key that is not an Ed25519 note key. The
// key itself is never echoed.
var ErrKey = errors.New("ledger: malformed signing key")

// GenerateKey draws an Ed25519 key pair in the text form of signed notes. skey
// is secret; vkey is public and is printed at install, so that an auditor has
// it from elsewhere than the log.
func GenerateKey(name string, rand io.Reader) (skey, vkey string, err error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return "", "", fmt.Errorf("ledger: draw a signing key: %w", err)
	}
	defer clear(seed)
	skey, vkey, err = encodeKeys(name, seed)
	if err != nil {
		return "", "", err
	}
	if _, err := note.NewVerifier(vkey); err != nil {
		return "", "", fmt.Errorf("ledger: key name %q: %w", name, err)
	}
	return skey, vkey, nil
}

// NewSigner makes a signer from a 32 byte seed.
func NewSigner(name string, seed []byte) (note.Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, ErrKey
	}
	skey, _, err := encodeKeys(name, seed)
	if err != nil {
		return nil, err
	}
	return ParseSigner(skey)
}

// ParseSigner reads the secret text form that GenerateKey returned.
func ParseSigner(skey string) (note.Signer, error) {
	s, err := note.NewSigner(skey)
	if err != nil {
		return nil, ErrKey
	}
	return s, nil
}

// ParseVerifier reads the public text form that GenerateKey returned.
func ParseVerifier(vkey string) (note.Verifier, error) {
	v, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return nil, fmt.Errorf("ledger: public key: %w", err)
	}
	return v, nil
}

// PublicKey derives the public text form from the secret one.
func PublicKey(skey string) (string, error) {
	if _, err := note.NewSigner(skey); err != nil {
		return "", ErrKey
	}
	// PRIVATE+KEY+name+hash+base64; only the base64 part may hold more pluses.
	parts := strings.SplitN(skey, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil {
		return "", ErrKey
	}
	defer clear(raw)
	_, vkey, err := encodeKeys(parts[2], raw[1:])
	return vkey, err
}

func encodeKeys(name string, seed []byte) (skey, vkey string, err error) {
	key := ed25519.NewKeyFromSeed(seed)
	defer clear(key)
	vkey, err = note.NewEd25519VerifierKey(name, ed25519.PublicKey(key[ed25519.SeedSize:]))
	if err != nil {
		return "", "", fmt.Errorf("ledger: public key: %w", err)
	}
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 || parts[0] != name {
		return "", "", fmt.Errorf("ledger: key name %q must not contain a plus sign", name)
	}
	secret := append([]byte{algEd25519}, seed...)
	defer clear(secret)
	return "PRIVATE+KEY+" + name + "+" + parts[1] + "+" + base64.StdEncoding.EncodeToString(secret), vkey, nil
}
