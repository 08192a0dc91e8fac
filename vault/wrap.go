package vault

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// wrapVersion is the first byte of every wrapped key: version, length of the
// KEK's id, the id, and what the KEK made. The id is a hint for choosing the
// KEK and for error messages; the KEK itself authenticates.
const wrapVersion = 1

func wrapWith(ctx context.Context, kek KEK, dek, ad []byte) ([]byte, error) {
	id := kek.ID()
	if len(id) > 255 {
		return nil, fmt.Errorf("vault: the id of the key-encryption key is longer than 255 bytes: %.32s…", id)
	}
	ct, err := kek.Wrap(ctx, dek, ad)
	if err != nil {
		return nil, fmt.Errorf("wrap with %s: %w", id, err)
	}
	return slices.Concat([]byte{wrapVersion, byte(len(id))}, []byte(id), ct), nil
}

// splitWrapped parses a wrapped key.
func splitWrapped(wrapped []byte) (id string, ct []byte, err error) {
	if len(wrapped) == 0 {
		return "", nil, ErrShredded
	}
	if wrapped[0] != wrapVersion {
		return "", nil, fmt.Errorf("%w: a wrapped key of version %d is not known here; is this an older weir?", ErrCorrupt, wrapped[0])
	}
	if len(wrapped) < 2 || len(wrapped) < 2+int(wrapped[1]) {
		return "", nil, fmt.Errorf("%w: a wrapped key is cut short", ErrCorrupt)
	}
	n := 2 + int(wrapped[1])
	return string(wrapped[2:n]), wrapped[n:], nil
}

// unwrap finds the KEK that wrapped and asks it. One that is not known may be
// newer than this process: then the keys are read again. The caller clears the
// result.
func (v *Vault) unwrap(ctx context.Context, wrapped, ad []byte) (dek []byte, id string, err error) {
	id, ct, err := splitWrapped(wrapped)
	if err != nil {
		return nil, "", err
	}
	kek := v.find(id)
	if kek == nil {
		if err := v.reload(ctx); err != nil {
			return nil, id, fmt.Errorf("%w: this was wrapped by %s: %w", ErrWrongKey, id, err)
		}
		kek = v.find(id)
	}
	if kek == nil {
		return nil, id, fmt.Errorf("%w: this was wrapped by %s, but the configured key is %s", ErrWrongKey, id, strings.Join(v.KEKs(), ", "))
	}
	dek, err = kek.Unwrap(ctx, ct, ad)
	if err != nil {
		return nil, id, fmt.Errorf("unwrap with %s: %w", id, err)
	}
	if len(dek) != keySize {
		clear(dek)
		return nil, id, fmt.Errorf("%w: %s unwrapped a key of %d bytes", ErrCorrupt, id, len(dek))
	}
	return dek, id, nil
}

// find returns the KEK of that id, or nil.
func (v *Vault) find(id string) KEK {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, k := range v.keks {
		if k.ID() == id {
			return k
		}
	}
	return nil
}

// primary is the KEK that wraps what is new.
func (v *Vault) primary() KEK {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.keks[0]
}
