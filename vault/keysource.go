package vault

import (
	"context"
	"errors"
	"fmt"
)

// KeySource is where an installation keeps its key-encryption keys: one that
// wraps, and older ones that still unwrap until no row needs them.
type KeySource interface {
	// Load reads the keys anew. The first one wraps, all of them unwrap.
	Load(ctx context.Context) ([]KEK, error)
	// Add makes a new key, durably, which wraps from then on. It fails with
	// ErrRotated when another key than after is the one that wraps by now.
	Add(ctx context.Context, after string) (KEK, error)
	// Drop destroys a key that only unwraps. That it is gone already is no error.
	Drop(ctx context.Context, id string) error
}

// ErrRotated says that somebody else rotated the key first.
var ErrRotated = errors.New("vault: another key-encryption key was made in the meantime")

// FixedKeys is a source that weir cannot change.
func FixedKeys(keks ...KEK) KeySource { return fixedKeys(keks) }

type fixedKeys []KEK

func (f fixedKeys) Load(context.Context) ([]KEK, error) {
	if len(f) == 0 || f[0] == nil {
		return nil, errors.New("vault: no key-encryption key is configured; create one with: weir init")
	}
	return f, nil
}

func (f fixedKeys) Add(context.Context, string) (KEK, error) {
	return nil, &RefusedError{"key-encryption key", "weir cannot write where it is kept", "add a key there yourself; weir rewraps when it sees it"}
}

func (f fixedKeys) Drop(context.Context, string) error {
	return &RefusedError{"key-encryption key", "weir cannot write where it is kept", "take the key away there yourself"}
}

// CredentialKeys is the keyring in a credential that systemd passes to the
// service. The unit's owner changes it; weir only reads it.
func CredentialKeys(name string) KeySource { return credentialKeys(name) }

type credentialKeys string

func (c credentialKeys) Load(context.Context) ([]KEK, error) { return credentialKEKs(string(c)) }

func (c credentialKeys) Add(context.Context, string) (KEK, error) {
	return nil, &RefusedError{
		"credential " + string(c), "weir cannot write a credential of systemd",
		"add a line weir-kek-1:HEX with 64 random hex digits as its last one and restart weir: it rewraps by itself",
	}
}

func (c credentialKeys) Drop(context.Context, string) error {
	return &RefusedError{"credential " + string(c), "weir cannot write a credential of systemd", "take the key's line out of it and restart weir"}
}

// reload reads the keys of the source again: another node may have rotated.
// When that fails, the keys that are known stay.
func (v *Vault) reload(ctx context.Context) error {
	keks, err := v.opts.Source.Load(ctx)
	if err != nil {
		return fmt.Errorf("read the key-encryption keys again: %w", err)
	}
	v.mu.Lock()
	v.keks = keks
	v.mu.Unlock()
	return nil
}

// Refresh reads the key-encryption keys again and rewraps the vault's own keys
// with the one that wraps. It returns the ids of all, that one first.
func (v *Vault) Refresh(ctx context.Context) ([]string, error) {
	if err := v.reload(ctx); err != nil {
		return nil, err
	}
	return v.KEKs(), v.rewrapStoreKeys(ctx)
}

// KEKs lists the ids of the key-encryption keys; the first one wraps.
func (v *Vault) KEKs() []string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	ids := make([]string, len(v.keks))
	for i, k := range v.keks {
		ids[i] = k.ID()
	}
	return ids
}

// AddKEK makes a new key-encryption key after the one that is given, and uses
// it from now on. Older keys go on unwrapping, so that rows can be rewrapped
// one by one, and a kill at any moment leaves each row with a key that opens it.
func (v *Vault) AddKEK(ctx context.Context, after string) ([]string, error) {
	if _, err := v.opts.Source.Add(ctx, after); err != nil {
		return nil, err
	}
	return v.Refresh(ctx)
}

// DropKEK destroys a key-encryption key that nothing needs any more. What it
// wrapped, in a backup for instance, never opens again.
func (v *Vault) DropKEK(ctx context.Context, id string) error {
	if err := v.rewrapStoreKeys(ctx); err != nil {
		return err
	}
	wrapped, err := v.readStoreKeys()
	if err != nil {
		return err
	}
	if holder, _, err := splitWrapped(wrapped); err != nil || holder == id {
		return errors.Join(err, fmt.Errorf("drop %s: the vault's own keys are wrapped by %s", id, holder))
	}
	if err := v.opts.Source.Drop(ctx, id); err != nil {
		return err
	}
	return v.reload(ctx)
}
