// Package pii holds personal data in a type that refuses to speak: it does not
// print, log or marshal itself. Whoever needs the value calls Reveal, so that
// every place that sees personal data can be found by searching for that word.
//
// The invariant: no formatting verb, logger or encoder can reach the value by
// accident. The value sits behind a function because fmt walks into unexported
// fields of structs and bypasses their methods, but cannot look inside a func.
package pii

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what a Secret shows of itself.
const Redacted = "[sealed]"

// ErrRefused is returned by every encoder that is handed a Secret.
var ErrRefused = errors.New("pii: personal data refuses to be encoded; seal it in the vault")

// Secret is one piece of personal data. The zero value is empty.
type Secret struct{ reveal func() []byte }

// New wraps b, which the Secret owns from now on.
func New(b []byte) Secret { return Secret{reveal: func() []byte { return b }} }

// NewString wraps s.
func NewString(s string) Secret { return New([]byte(s)) }

// Reveal returns the value itself, not a copy: do not keep it.
func (s Secret) Reveal() []byte {
	if s.reveal == nil {
		return nil
	}
	return s.reveal()
}

// IsZero says whether there is no value.
func (s Secret) IsZero() bool { return len(s.Reveal()) == 0 }

// Equal compares two values in constant time.
func (s Secret) Equal(o Secret) bool { return subtle.ConstantTimeCompare(s.Reveal(), o.Reveal()) == 1 }

// Clone returns a Secret with a copy of the value, independent of Clear.
func (s Secret) Clone() Secret { return New(bytes.Clone(s.Reveal())) }

// Clear overwrites the value with zeros.
func (s Secret) Clear() { clear(s.Reveal()) }

// String implements fmt.Stringer without the value.
func (Secret) String() string { return Redacted }

// GoString implements fmt.GoStringer without the value.
func (Secret) GoString() string { return Redacted }

// Format implements fmt.Formatter without the value, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// LogValue implements slog.LogValuer without the value.
func (Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalJSON refuses.
func (Secret) MarshalJSON() ([]byte, error) { return nil, ErrRefused }

// MarshalText refuses.
func (Secret) MarshalText() ([]byte, error) { return nil, ErrRefused }

// MarshalBinary refuses.
func (Secret) MarshalBinary() ([]byte, error) { return nil, ErrRefused }
