package vault_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/vault"
)

// TestEveryByteOfAPage does to a page of real size, with several segments,
// what TestAlterations does to a small one: each byte is flipped and each
// length is tried. Opening compares size and hash; where those are forged as
// well, the cipher must notice, and may show earlier segments but never a wrong
// byte. The short form goes in steps; `make prove-storage` takes each byte.
func TestEveryByteOfAPage(t *testing.T) {
	step := 2_003 // a prime, so that it meets headers, segments and tags
	if os.Getenv("WEIR_PROVE") == "long" {
		step = 1
	}
	v, p := newVault(t)
	k := newKey(t, v, org, request)
	var text strings.Builder
	for i := 0; text.Len() < 140_000; i++ { // three segments
		fmt.Fprintf(&text, `{"Id":"003000000000%03dAAA","Email":"%d.%s"}`+"\n", i%1000, i, canary)
	}
	ref := sealed(t, k, page, []byte(text.String()))
	path := filepath.Join(p.dir, "blobs", ref.Name)
	good, err := os.ReadFile(path)
	check(t, err)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	check(t, err)
	flips, cuts, found := 0, 0, 0
	for i := 0; i < len(good); i += step {
		_, err := f.WriteAt([]byte{good[i] ^ 0x20}, int64(i))
		check(t, err)
		flips++
		if b, err := opened(t.Context(), k, page, ref); errors.Is(err, vault.ErrCorrupt) && len(b) == 0 {
			found++
		} else {
			t.Errorf("byte %d flipped: read %d bytes, error %v", i, len(b), err)
		}
		_, err = f.WriteAt(good[i:i+1], int64(i))
		check(t, err)
	}
	for n := len(good) - 1; n >= 0; n -= step {
		check(t, f.Truncate(int64(n)))
		cuts++
		forged := refOf(ref.Name, good[:n])
		whole, err := opened(t.Context(), k, page, ref)
		some, forgedErr := opened(t.Context(), k, page, forged)
		if errors.Is(err, vault.ErrCorrupt) && len(whole) == 0 && errors.Is(forgedErr, vault.ErrCorrupt) && strings.HasPrefix(text.String(), string(some)) {
			found++
		} else {
			t.Errorf("cut to %d bytes: read %d and %d bytes, errors %v and %v", n, len(whole), len(some), err, forgedErr)
		}
	}
	check(t, f.Close())
	t.Logf("a page of %d bytes: %d bytes flipped, %d lengths tried, %d detected", len(good), flips, cuts, found)
}
