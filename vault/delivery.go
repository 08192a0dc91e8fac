package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"filippo.io/age"

	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/pii"
)

// Recipient is an age recipient that has been verified to be one.
type Recipient struct{ to age.Recipient }

// ParseRecipient parses the public half of an age key: age1… or, for the
// hybrid post-quantum kind, age1pq1….
func ParseRecipient(s string) (Recipient, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(strings.ToUpper(s), "AGE-SECRET-KEY-") {
		return Recipient{}, errors.New("this is a secret age key: keep it, and give its public half, which begins with age1")
	}
	to, err := age.ParseRecipients(strings.NewReader(s))
	if err != nil || len(to) != 1 { // age's error would echo what was typed
		return Recipient{}, errors.New("this is not an age recipient: expected one line that begins with age1")
	}
	return Recipient{to[0]}, nil
}

// EncryptTo encrypts a delivery to age recipients. Nothing is complete before
// Close.
func EncryptTo(w io.Writer, recipients ...string) (io.WriteCloser, error) {
	if len(recipients) == 0 {
		return nil, errors.New("vault: a delivery needs at least one age recipient")
	}
	to := make([]age.Recipient, len(recipients))
	for i, s := range recipients {
		r, err := ParseRecipient(s)
		if err != nil {
			return nil, fmt.Errorf("recipient %d: %w", i+1, err)
		}
		to[i] = r.to
	}
	enc, err := age.Encrypt(w, to...)
	if err != nil {
		return nil, fmt.Errorf("encrypt to age recipients: %w", full(err))
	}
	return enc, nil
}

// NewIdentity makes an age key pair: the identity opens, the recipient is what
// deliveries are encrypted to.
func NewIdentity() (identity pii.Secret, recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return pii.Secret{}, "", fmt.Errorf("make an age identity: %w", err)
	}
	return pii.NewString(id.String()), id.Recipient().String(), nil
}

// Decrypt opens a delivery with an age identity, or with a file of several.
func Decrypt(identity pii.Secret, r io.Reader) (io.Reader, error) {
	ids, err := age.ParseIdentities(bytes.NewReader(identity.Reveal()))
	if err != nil { // age's error may echo what it could not parse
		return nil, errors.New("this is not an age identity: expected a line that begins with AGE-SECRET-KEY-")
	}
	plain, err := age.Decrypt(r, ids...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, errors.New("this delivery is encrypted to other age recipients")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the delivery is not an age file or was altered", ErrCorrupt)
	}
	return plain, nil
}

var deliveryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// Place writes a delivery, which the caller has encrypted, into Dir/out: as a
// whole or not at all, mode 0600. The name holds an id and no personal data.
func (v *Vault) Place(name string, write func(io.Writer) error) (path string, err error) {
	if !deliveryName.MatchString(name) || strings.HasPrefix(name, tempPrefix) {
		return "", fmt.Errorf("place delivery: %q is not a plain file name", name)
	}
	crash.Before(crash.Delivery)
	if err := replaceFile(v.out, name, write); err != nil {
		return "", fmt.Errorf("place delivery %s: %w", name, err)
	}
	crash.After(crash.Delivery)
	return filepath.Join(v.path, "out", name), nil
}

// Withdraw removes a delivery that nobody was told about.
func (v *Vault) Withdraw(name string) error {
	if !deliveryName.MatchString(name) {
		return fmt.Errorf("withdraw delivery: %q is not a plain file name", name)
	}
	if err := v.out.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("withdraw delivery %s: %w", name, err)
	}
	return nil
}
