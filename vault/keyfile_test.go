package vault_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/weirhq/weir/vault"
)

func (p place) source() vault.KeySource { return vault.KeyFile(p.kek, filepath.Dir(p.dir)) }

// rotating opens a vault whose keys can be rotated.
func rotating(t *testing.T, p place) *vault.Vault {
	t.Helper()
	v, err := vault.Open(t.Context(), vault.Options{Dir: p.dir, Source: p.source()})
	check(t, err)
	t.Cleanup(func() { check(t, v.Close()) })
	return v
}

func TestRotation(t *testing.T) {
	p := newPlace(t)
	v, other := rotating(t, p), rotating(t, p) // another node on the same directory
	wrapped, oldID, err := v.NewKey(t.Context(), org, request)
	check(t, err)
	k, err := v.Key(t.Context(), org, request, wrapped)
	check(t, err)
	ref := sealed(t, k, page, []byte("kept"))
	alias := v.Pseudonym("email", []byte("x"))
	blobs := files(t, filepath.Join(p.dir, "blobs"))

	ids, err := v.AddKEK(t.Context(), oldID)
	check(t, err)
	if len(ids) != 2 || ids[0] == oldID || ids[1] != oldID {
		t.Fatalf("keys after the rotation: %v", ids)
	}
	if _, err := v.AddKEK(t.Context(), oldID); !errors.Is(err, vault.ErrRotated) {
		t.Errorf("a second rotation from the same key: %v", err)
	}
	rewrapped, newID, err := v.Rewrap(t.Context(), org, request, wrapped)
	check(t, err)
	if newID != ids[0] {
		t.Errorf("rewrapped with %s, want %s", newID, ids[0])
	}
	reads := func(v *vault.Vault, wrapped []byte) {
		t.Helper()
		k, err := v.Key(t.Context(), org, request, wrapped)
		check(t, err)
		defer k.Close()
		if b, err := opened(t.Context(), k, page, ref); err != nil || string(b) != "kept" {
			t.Errorf("%q, %v", b, err)
		}
	}
	reads(v, wrapped) // a row that was not rewrapped yet
	reads(v, rewrapped)
	reads(other, rewrapped) // which reads the keyring again for it
	if after := files(t, filepath.Join(p.dir, "blobs")); !slices.Equal(after, blobs) {
		t.Errorf("a rotation touched the blobs: %v, %v", blobs, after)
	}

	if err := v.DropKEK(t.Context(), newID); err == nil {
		t.Error("the key that wraps was destroyed")
	}
	check(t, v.DropKEK(t.Context(), oldID))
	check(t, v.DropKEK(t.Context(), oldID)) // twice is no error
	w := rotating(t, p)
	reads(w, rewrapped)
	if w.Pseudonym("email", []byte("x")) != alias {
		t.Error("rotation changed the pseudonyms")
	}
	if _, err := w.Key(t.Context(), org, request, wrapped); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("what a destroyed key wrapped: %v", err)
	}
	if n := len(files(t, filepath.Dir(p.kek))); n != 1 {
		t.Errorf("%d files beside the keyring", n)
	}
}

// TestRotationAfterCrash: the new key is in the file, nothing was rewrapped.
func TestRotationAfterCrash(t *testing.T) {
	p := newPlace(t)
	v := rotating(t, p)
	old := v.KEKs()[0]
	_, err := p.source().Add(t.Context(), old)
	check(t, err)
	w := rotating(t, p)
	check(t, w.DropKEK(t.Context(), old)) // the vault's own keys no longer need it
	rotating(t, p)
}

// TestRotationsRace: of many that rotate from one key, one makes the next.
func TestRotationsRace(t *testing.T) {
	p := newPlace(t)
	old := rotating(t, p).KEKs()[0]
	var wg sync.WaitGroup
	made := make(chan string, 8)
	for range cap(made) {
		wg.Go(func() {
			k, err := p.source().Add(t.Context(), old)
			if err == nil {
				made <- k.ID()
			} else if !errors.Is(err, vault.ErrRotated) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(made)
	if len(made) != 1 || rotating(t, p).KEKs()[0] != <-made {
		t.Errorf("%d new keys from one", len(made))
	}
}

// TestDroppedKeyIsOverwritten: its bytes are not left in the file that was
// replaced, which a hard link still shows.
func TestDroppedKeyIsOverwritten(t *testing.T) {
	p := newPlace(t)
	v := rotating(t, p)
	old := v.KEKs()[0]
	secretLine, err := os.ReadFile(p.kek)
	check(t, err)
	_, err = v.AddKEK(t.Context(), old)
	check(t, err)
	witness := filepath.Join(p.base, "witness")
	check(t, os.Link(p.kek, witness))
	check(t, v.DropKEK(t.Context(), old))
	for _, path := range []string{witness, p.kek} {
		b, err := os.ReadFile(path)
		check(t, err)
		if bytes.Contains(b, bytes.TrimSpace(secretLine)) {
			t.Errorf("%s still holds the destroyed key", filepath.Base(path))
		}
	}
}

func TestKeyringRefuses(t *testing.T) {
	p := newPlace(t)
	good, err := os.ReadFile(p.kek)
	check(t, err)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"a line that is no key": {string(good) + "weir-kek-1:12\n", []string{"does not hold", "backup"}},
		"one key twice":         {string(good) + string(good), []string{"twice"}},
		"nothing":               {"\n", []string{"does not hold"}},
	} {
		check(t, os.WriteFile(p.kek, []byte(c.text), 0o600))
		_, err := p.source().Load(t.Context())
		refused(t, name, err, c.want...)
		_, err = p.source().Add(t.Context(), "local:any")
		refused(t, name, err, c.want...)
		if after, err := os.ReadFile(p.kek); err != nil || string(after) != c.text {
			t.Errorf("%s: the file was changed", name)
		}
	}
	check(t, os.WriteFile(p.kek, good, 0o600))
	check(t, os.Chmod(p.kek, 0o640))
	_, err = p.source().Add(t.Context(), "local:any")
	refused(t, "a key that others read", err, "0640")
}

func TestKeysThatWeirCannotWrite(t *testing.T) {
	p := newPlace(t)
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(p.kek))
	credential := vault.CredentialKeys("kek")
	keks, err := credential.Load(t.Context())
	check(t, err)
	_, err = credential.Add(t.Context(), keks[0].ID())
	refused(t, "credential", err, "systemd", "restart weir")
	refused(t, "credential", credential.Drop(t.Context(), keks[0].ID()), "systemd")
	fixed := vault.FixedKeys(keks...)
	_, err = fixed.Add(t.Context(), keks[0].ID())
	refused(t, "fixed", err, "cannot write")
	refused(t, "fixed", fixed.Drop(t.Context(), keks[0].ID()), "cannot write")
	if _, err := vault.FixedKeys(nil).Load(t.Context()); err == nil || !strings.Contains(err.Error(), "weir init") {
		t.Errorf("no key: %v", err)
	}
}

// TestShreddedStaysShut: the mark closes a request's key although the wrapped
// key, the vault's keys and the key-encryption key are all there.
func TestShreddedStaysShut(t *testing.T) {
	v, p := newVault(t)
	wrapped, _, err := v.NewKey(t.Context(), org, request)
	check(t, err)
	other, _, err := v.NewKey(t.Context(), org, "R-OTHER234")
	check(t, err)
	check(t, v.MarkShredded(org, request))
	check(t, v.MarkShredded(org, request))
	for _, w := range []*vault.Vault{v, p.open(t)} {
		if _, err := w.Key(t.Context(), org, request, wrapped); !errors.Is(err, vault.ErrShredded) {
			t.Errorf("a shredded request: %v", err)
		}
		if gone, err := w.Shredded("another", request); err != nil || gone {
			t.Errorf("the same id in another org: %v, %v", gone, err)
		}
		k, err := w.Key(t.Context(), org, "R-OTHER234", other)
		check(t, err)
		k.Close()
	}
	check(t, os.Chmod(filepath.Join(p.dir, "shredded"), 0o755))
	opts, err := p.options()
	check(t, err)
	_, err = vault.Open(t.Context(), opts)
	refused(t, "a directory of marks that others can read", err, "0755")
}
