package vault_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/vault"
)

func encrypted(t *testing.T, recipients ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := vault.EncryptTo(&out, recipients...)
	check(t, err)
	_, err = io.WriteString(w, canary)
	check(t, err)
	check(t, w.Close())
	return out.Bytes()
}

func decrypted(identity pii.Secret, b []byte) (string, error) {
	r, err := vault.Decrypt(identity, bytes.NewReader(b))
	if err != nil {
		return "", err
	}
	plain, err := io.ReadAll(r)
	return string(plain), err
}

func TestDelivery(t *testing.T) {
	v, p := newVault(t)
	idA, toA, err := vault.NewIdentity()
	check(t, err)
	idB, toB, err := vault.NewIdentity()
	check(t, err)
	stranger, _, err := vault.NewIdentity()
	check(t, err)
	ct := encrypted(t, toA, " "+toB+"\n")
	for _, id := range []pii.Secret{idA, idB} {
		if got, err := decrypted(id, ct); err != nil || got != canary {
			t.Errorf("%v", err)
		}
	}
	if _, err := decrypted(stranger, ct); err == nil || !strings.Contains(err.Error(), "other age recipients") {
		t.Errorf("a stranger: %v", err)
	}
	for i := range ct {
		bad := bytes.Clone(ct)
		bad[i] ^= 1
		if got, err := decrypted(idA, bad); err == nil && got == canary && i > 300 {
			t.Errorf("flip %d of %d went unseen", i, len(ct))
		}
		if _, err := decrypted(idA, ct[:i]); err == nil {
			t.Errorf("cut at %d went unseen", i)
		}
	}
	path, err := v.Place("R-7QK2M9XA.zip.age", writer(ct))
	check(t, err)
	if filepath.Dir(path) != filepath.Join(p.dir, "out") {
		t.Errorf("placed in %s", path)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, ct) {
		t.Error("another file was placed")
	}
	for _, name := range []string{"", "../x", "a/b", ".hidden", "tmp-x", strings.Repeat("x", 200)} {
		if _, err := v.Place(name, writer(nil)); err == nil {
			t.Errorf("placed %q", name)
		}
	}
	boom := errors.New("boom")
	if _, err := v.Place("x.age", func(io.Writer) error { return boom }); !errors.Is(err, boom) {
		t.Error(err)
	}
	if n := len(files(t, filepath.Join(p.dir, "out"))); n != 1 {
		t.Errorf("%d files in out", n)
	}
}

// TestKeysAreNotEchoed: what people paste by mistake stays out of the message.
func TestKeysAreNotEchoed(t *testing.T) {
	id, to, err := vault.NewIdentity()
	check(t, err)
	text := string(id.Reveal())
	for _, s := range []string{text, strings.ToLower(text), "x" + text, "", "age1garbage", to + "\n" + to} {
		_, err := vault.ParseRecipient(s)
		if err == nil {
			t.Errorf("taken as a recipient: %d characters", len(s))
			continue
		}
		if strings.Contains(strings.ToUpper(err.Error()), text[20:40]) {
			t.Error("the message echoes a secret key")
		}
	}
	_, err = vault.Decrypt(secret(text[:40]), strings.NewReader(""))
	if err == nil || strings.Contains(err.Error(), text[20:30]) {
		t.Error("a cut identity was taken or echoed")
	}
	if _, err := vault.EncryptTo(io.Discard); err == nil {
		t.Error("encrypted to nobody")
	}
}
