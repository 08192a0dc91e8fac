package vault_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/vault"
)

// foreign is a user that is not this one.
const foreign = 12345

// refused demands a refusal that names what, why and what to do.
func refused(t *testing.T, name string, err error, words ...string) {
	t.Helper()
	var r *vault.RefusedError
	if !errors.As(err, &r) || !errors.Is(err, vault.ErrUnsafe) {
		t.Errorf("%s: expected a refusal, got %v", name, err)
		return
	}
	if r.What == "" || r.Why == "" || r.Do == "" {
		t.Errorf("%s: incomplete: %v", name, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %q does not mention %q", name, err, w)
		}
	}
}

func TestFileKEKRefuses(t *testing.T) {
	p := newPlace(t)
	data := filepath.Join(p.base, "data")
	check(t, os.MkdirAll(filepath.Join(data, "sub"), 0o700))
	copyTo := func(path string, mode fs.FileMode) string {
		b, err := os.ReadFile(p.kek)
		check(t, err)
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, b, 0o600))
		check(t, os.Chmod(path, mode))
		return path
	}
	link := filepath.Join(p.base, "link")
	check(t, os.Symlink(p.kek, link))
	dirLink := filepath.Join(p.base, "elsewhere")
	check(t, os.Symlink(filepath.Join(data, "sub"), dirLink))
	garbage := filepath.Join(p.base, "garbage")
	check(t, os.WriteFile(garbage, []byte("weir-kek-1:zz"), 0o600))
	open := filepath.Join(p.base, "open", "kek")
	copyTo(open, 0o600)
	check(t, os.Chmod(filepath.Dir(open), 0o777))

	for name, c := range map[string]struct {
		path string
		want []string
	}{
		"readable by others":     {copyTo(filepath.Join(p.base, "others"), 0o604), []string{"0604", "chmod 600"}},
		"readable by the group":  {copyTo(filepath.Join(p.base, "group"), 0o640), []string{"0640", "chmod 600"}},
		"a symbolic link":        {link, []string{"symbolic link"}},
		"a directory":            {data, []string{"regular file"}},
		"in the data directory":  {copyTo(filepath.Join(data, "kek"), 0o600), []string{"data directory", "move it"}},
		"below it":               {copyTo(filepath.Join(data, "sub", "kek"), 0o600), []string{"data directory"}},
		"below it through links": {filepath.Join(dirLink, "kek"), []string{"data directory"}},
		"not a key":              {garbage, []string{"does not hold", "backup"}},
		"anybody may replace it": {open, []string{"writable by everyone", "chmod o-w"}},
	} {
		_, err := vault.FileKEK(c.path, data)
		refused(t, name, err, c.want...)
	}
	if _, err := vault.FileKEK(filepath.Join(p.base, "absent"), data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	_, err := vault.FileKEK(filepath.Join(p.base, "none", "kek"), filepath.Join(p.base, "none"))
	refused(t, "in a data directory that is yet to be made", err, "data directory")
	if os.Geteuid() == 0 { // only root can give files away
		path := copyTo(filepath.Join(p.base, "foreign"), 0o600)
		check(t, os.Chown(path, foreign, -1))
		_, err := vault.FileKEK(path, data)
		refused(t, "foreign owner", err, "12345")
	} else {
		t.Log("not run as root: a key file of a foreign owner was not tried")
	}
}

func TestKeyFileIsNeverOverwritten(t *testing.T) {
	p := newPlace(t)
	before, err := os.ReadFile(p.kek)
	check(t, err)
	refused(t, "second key", vault.CreateKEKFile(p.kek), "exists")
	after, err := os.ReadFile(p.kek)
	check(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the key was replaced")
	}
	if n := len(files(t, filepath.Dir(p.kek))); n != 1 {
		t.Errorf("%d files beside the key", n)
	}
	info, err := os.Stat(p.kek)
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %#o", info.Mode().Perm())
	}
}

func TestSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "signing.key")
	check(t, vault.WriteSecretFile(path, secret("k")))
	got, err := vault.ReadSecretFile(path)
	check(t, err)
	if !got.Equal(secret("k")) {
		t.Error("another secret came back")
	}
	check(t, os.Chmod(path, 0o644))
	_, err = vault.ReadSecretFile(path)
	refused(t, "mode", err, "0644")
}

func TestCredentialKEK(t *testing.T) {
	p := newPlace(t)
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	_, err := vault.CredentialKEK("weir-kek")
	refused(t, "outside a unit", err, "CREDENTIALS_DIRECTORY")
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(p.kek))
	for _, mode := range []fs.FileMode{0o400, 0o440, 0o600} {
		check(t, os.Chmod(p.kek, mode))
		kek, err := vault.CredentialKEK("kek")
		check(t, err)
		check(t, os.Chmod(p.kek, 0o600))
		same, err := vault.FileKEK(p.kek, "")
		check(t, err)
		if kek.ID() != same.ID() {
			t.Error("one key has two names: moving it to systemd would look like another key")
		}
	}
	check(t, os.Chmod(p.kek, 0o444))
	_, err = vault.CredentialKEK("kek")
	refused(t, "readable by all", err, "0444")
	_, err = vault.CredentialKEK("../etc/kek")
	refused(t, "a path", err, "plain name")
}

func TestPassphraseKEK(t *testing.T) {
	salt := []byte("0123456789abcdef")
	a, err := vault.PassphraseKEK(secret("correct horse battery"), salt)
	check(t, err)
	b, err := vault.PassphraseKEK(secret("correct horse battery"), salt)
	check(t, err)
	c, err := vault.PassphraseKEK(secret("correct horse battery"), []byte("0123456789abcdeF"))
	check(t, err)
	if a.ID() != b.ID() || a.ID() == c.ID() {
		t.Error("the key must depend on passphrase and salt, and on nothing else")
	}
	if _, err := vault.PassphraseKEK(secret("short"), salt); err == nil {
		t.Error("a short passphrase was taken")
	}
	if _, err := vault.PassphraseKEK(secret("correct horse battery"), salt[:8]); err == nil {
		t.Error("a short salt was taken")
	}
}

func TestWrongKeyRefusesToStart(t *testing.T) {
	_, p := newVault(t)
	other := place{p.base, p.dir, filepath.Join(p.base, "etc", "other")}
	check(t, vault.CreateKEKFile(other.kek))
	right, err := p.options()
	check(t, err)
	opts, err := other.options()
	check(t, err)
	_, err = vault.Open(t.Context(), opts)
	if !errors.Is(err, vault.ErrWrongKey) {
		t.Fatal(err)
	}
	for _, word := range []string{right.KEK.ID(), opts.KEK.ID(), p.dir, "configure the key"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not mention %q", err, word)
		}
	}
	if _, err := vault.Open(t.Context(), vault.Options{Dir: p.dir}); err == nil || !strings.Contains(err.Error(), "weir init") {
		t.Errorf("without a key: %v", err)
	}
}

func TestAlteredOrLostStoreKeysRefuseToStart(t *testing.T) {
	v, p := newVault(t)
	sealed(t, newKey(t, v, org, request), page, []byte("x"))
	opts, err := p.options()
	check(t, err)
	path := filepath.Join(p.dir, "keys")
	good, err := os.ReadFile(path)
	check(t, err)
	for i := range 8 * len(good) {
		bad := bytes.Clone(good)
		bad[i/8] ^= 1 << (i % 8)
		check(t, os.WriteFile(path, bad, 0o600))
		w, err := vault.Open(t.Context(), opts)
		if err == nil {
			check(t, w.Close())
			t.Errorf("flipped bit %d of the vault's keys went unseen", i)
		}
	}
	check(t, os.Remove(path))
	if _, err := vault.Open(t.Context(), opts); !errors.Is(err, vault.ErrCorrupt) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("new keys were made over sealed data: %v", err)
	}
}

func TestWrappedKeyIsBound(t *testing.T) {
	v, _ := newVault(t)
	wrapped, id, err := v.NewKey(t.Context(), org, request)
	check(t, err)
	if !strings.HasPrefix(id, "local:") {
		t.Errorf("id %q", id)
	}
	for _, c := range []struct {
		org     weir.OrgID
		request weir.RequestID
	}{{"other", request}, {org, "R-OTHER234"}, {org + "R", "-7QK2M9XA"}} {
		if _, err := v.Key(t.Context(), c.org, c.request, wrapped); !errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("opened for %s %s: %v", c.org, c.request, err)
		}
	}
	for i := range wrapped {
		bad := bytes.Clone(wrapped)
		bad[i] ^= 1
		if _, err := v.Key(t.Context(), org, request, bad); err == nil {
			t.Errorf("flip %d opened", i)
		}
		if _, err := v.Key(t.Context(), org, request, wrapped[:i]); err == nil {
			t.Errorf("cut %d opened", i)
		}
	}
	if _, err := v.Key(t.Context(), org, request, nil); !errors.Is(err, vault.ErrShredded) {
		t.Error(err)
	}
}

func TestClosedKey(t *testing.T) {
	v, _ := newVault(t)
	k := newKey(t, v, org, request)
	ref := sealed(t, k, page, []byte("x"))
	k.Close()
	k.Close()
	_, sealErr := k.Seal(t.Context(), page, writer(nil))
	_, openErr := k.Open(t.Context(), page, ref)
	_, bytesErr := k.SealBytes(page, secret("x"))
	_, plainErr := k.OpenBytes(page, nil)
	for _, err := range []error{sealErr, openErr, bytesErr, plainErr} {
		if !errors.Is(err, vault.ErrClosed) {
			t.Error(err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a closed key gave a digest")
		}
	}()
	k.Digest("x")
}

func TestDigestsAndPseudonyms(t *testing.T) {
	v, _ := newVault(t)
	k, other := newKey(t, v, org, request), newKey(t, v, org, request)
	seen := map[string]bool{}
	for _, d := range []string{
		k.Digest("before", []byte("ab"), []byte("c")), k.Digest("before", []byte("a"), []byte("bc")), k.Digest("before", []byte("abc")),
		k.Digest("before", []byte("abc"), nil), k.Digest("after", []byte("abc")), other.Digest("before", []byte("abc")),
		v.Index("email", []byte("abc")), v.Index("phone", []byte("abc")),
	} {
		if len(d) != 64 || seen[d] {
			t.Errorf("digest %q is short or repeated", d)
		}
		seen[d] = true
	}
	if first := k.Digest("before", []byte("abc")); k.Digest("before", []byte("abc")) != first {
		t.Error("a digest changes")
	}
	a := v.Pseudonym("email", []byte("abc"))
	if len(a) != 14 || a[:2] != "s:" || a == v.Pseudonym("email", []byte("abd")) || strings.HasPrefix(v.Index("email", []byte("abc")), a[2:]) {
		t.Errorf("pseudonym %q", a)
	}
}
