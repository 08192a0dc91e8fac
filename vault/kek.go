package vault

import (
	"bytes"
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	aead "github.com/tink-crypto/tink-go/v2/aead/subtle"

	"github.com/weirhq/weir/internal/pii"
)

// KEK is a key-encryption key. The two methods are what every key management
// service offers; adapters live in modules of their own.
type KEK interface {
	// Wrap encrypts a data key and binds it to ad.
	Wrap(ctx context.Context, dek, ad []byte) ([]byte, error)
	// Unwrap reverses Wrap and fails for another ad.
	Unwrap(ctx context.Context, wrapped, ad []byte) ([]byte, error)
	// ID names the key, without a secret, and never changes: at most 255 bytes.
	ID() string
}

const kekPrefix = "weir-kek-1:" // then 64 hex digits

// passphraseRounds is what OWASP's password storage cheat sheet asks of
// PBKDF2-HMAC-SHA256 (600,000).
const passphraseRounds = 600_000

// localKEK holds a key in this process.
type localKEK struct {
	id   string
	aead *aead.AESGCM
}

// FileKEK reads the key-encryption key that wraps from a keyring; see KeyFile.
// The file must not lie in the data directory: a backup of that directory
// would then hold both the lock and the key.
func FileKEK(path, dataDir string) (KEK, error) {
	return first(KeyFile(path, dataDir).Load(context.Background()))
}

// CredentialKEK reads the key-encryption key that wraps from a keyring that
// systemd passed to the service (LoadCredential= or LoadCredentialEncrypted=).
func CredentialKEK(name string) (KEK, error) { return first(credentialKEKs(name)) }

func first(keks []KEK, err error) (KEK, error) {
	if err != nil {
		return nil, err
	}
	return keks[0], nil
}

func credentialKEKs(name string) ([]KEK, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	what := "credential " + name
	if dir == "" {
		return nil, &RefusedError{what, "CREDENTIALS_DIRECTORY is not set", "start weir from a systemd unit with LoadCredentialEncrypted=" + name + ":…"}
	}
	if name != filepath.Base(name) || name == "." || name == ".." {
		return nil, &RefusedError{what, "a credential has a plain name", "give the name that stands in the unit"}
	}
	// systemd keeps the file as root with an access list for the service's
	// user, which shows as mode 0440; or hands it over with mode 0400.
	secret, err := readSecret(filepath.Join(dir, name), func(what string, info fs.FileInfo) error {
		if info.Mode().Perm()&^0o640 != 0 {
			return &RefusedError{what, fmt.Sprintf("its mode is %#o", info.Mode().Perm()), "let systemd create it"}
		}
		if uid, ok := ownerOf(info); ok && uid == 0 {
			return nil
		}
		return trustOwner(what, info)
	})
	if err != nil {
		return nil, err
	}
	defer secret.Clear()
	return parseKEKs(what, secret)
}

// PassphraseKEK derives a key-encryption key with PBKDF2-HMAC-SHA256. The salt
// is no secret but must be kept: without it the passphrase opens nothing.
func PassphraseKEK(pass pii.Secret, salt []byte) (KEK, error) {
	if len(pass.Reveal()) < 12 {
		return nil, errors.New("vault: a passphrase for the key needs at least 12 characters; six random words are better")
	}
	if len(salt) < 16 {
		return nil, errors.New("vault: the salt of the passphrase needs at least 16 random bytes")
	}
	raw, err := pbkdf2.Key(sha256.New, string(pass.Reveal()), salt, passphraseRounds, keySize)
	if err != nil {
		return nil, fmt.Errorf("derive the key from the passphrase: %w", err)
	}
	return newLocalKEK(raw)
}

// CreateKEKFile makes a new random key-encryption key. It never overwrites.
func CreateKEKFile(path string) error {
	text := append(newKEKLine(), '\n')
	defer clear(text)
	return WriteSecretFile(path, pii.New(text))
}

// parseKEK reads one line of a keyring.
func parseKEK(what string, line []byte) (KEK, error) {
	digits, found := bytes.CutPrefix(line, []byte(kekPrefix))
	raw := make([]byte, keySize)
	if found && len(digits) == 2*keySize {
		if _, err := hex.Decode(raw, digits); err == nil { // the error would echo a digit of the key
			return newLocalKEK(raw)
		}
	}
	return nil, &RefusedError{what, "it does not hold a key-encryption key of weir", "restore it from a backup; a new one (weir init) opens only new data"}
}

// newLocalKEK clears raw.
func newLocalKEK(raw []byte) (KEK, error) {
	defer clear(raw)
	var k localKEK
	err := withSubkey(raw, "weir/kek/wrap/v1", func(sub []byte) (err error) {
		k.aead, err = aead.NewAESGCM(sub)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = withSubkey(raw, "weir/kek/id/v1", func(sub []byte) error {
		k.id = "local:" + hex.EncodeToString(sub[:6])
		return nil
	})
	return &k, err
}

func (k *localKEK) ID() string { return k.id }

func (k *localKEK) Wrap(_ context.Context, dek, ad []byte) ([]byte, error) {
	return k.aead.Encrypt(dek, ad)
}

func (k *localKEK) Unwrap(_ context.Context, wrapped, ad []byte) ([]byte, error) {
	dek, err := k.aead.Decrypt(wrapped, ad)
	if err != nil {
		return nil, fmt.Errorf("%w: the wrapped key was altered or belongs to another org or request", ErrCorrupt)
	}
	return dek, nil
}

// outside refuses a file that lies in dir or below it, whatever links and
// mounts are called.
func outside(path, dir string) error {
	if dir == "" {
		return nil
	}
	data, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return outsideByName(path, dir)
	}
	if err != nil {
		return fmt.Errorf("examine the data directory: %w", err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("resolve %s: %w", path, err)
	}
	at, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return fmt.Errorf("resolve the directory of the key file: %w", err)
	}
	for {
		if info, err := os.Stat(at); err == nil && os.SameFile(info, data) {
			return misplaced(path, dir)
		}
		if filepath.Dir(at) == at {
			return nil
		}
		at = filepath.Dir(at)
	}
}

func outsideByName(path, dir string) error {
	from, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("resolve %s: %w", dir, err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("resolve %s: %w", path, err)
	}
	if rel, err := filepath.Rel(from, abs); err == nil && filepath.IsLocal(rel) {
		return misplaced(path, dir)
	}
	return nil
}

func misplaced(path, dir string) error {
	return &RefusedError{
		"key file " + path, "it lies in the data directory " + dir + ", so that every copy of the data would carry its key",
		"move it to a directory of its own and back it up apart from the data",
	}
}
