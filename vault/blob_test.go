package vault_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/vault"
)

var page = vault.BlobID{Kind: "page", Object: "Contact", Page: 3, Epoch: 7}

func refOf(name string, content []byte) weir.SealRef {
	sum := sha256.Sum256(content[:min(40, len(content))]) // the header
	return weir.SealRef{Name: name, Size: int64(len(content)), Digest: hex.EncodeToString(sum[:])}
}

func TestSealOpensAgain(t *testing.T) {
	v, _ := newVault(t)
	k := newKey(t, v, org, request)
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.SampledFrom([]int{0, 1, 65479, 65480, 65481, 131015, 131016, 200_000}).Draw(rt, "size")
		plain := bytes.Repeat([]byte{rapid.Byte().Draw(rt, "byte")}, size)
		id := vault.BlobID{Kind: rapid.String().Draw(rt, "kind"), Object: rapid.String().Draw(rt, "object"), Page: rapid.IntRange(0, 9).Draw(rt, "page"), Epoch: rapid.Int64().Draw(rt, "epoch")}
		chunk := rapid.IntRange(1, 100_000).Draw(rt, "chunk")
		ref, err := k.Seal(t.Context(), id, func(w io.Writer) error {
			for rest := plain; len(rest) > 0; rest = rest[min(chunk, len(rest)):] {
				if _, err := w.Write(rest[:min(chunk, len(rest))]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
		got, err := opened(t.Context(), k, id, ref)
		if err != nil || !bytes.Equal(got, plain) {
			rt.Fatalf("opened %d of %d bytes: %v", len(got), len(plain), err)
		}
		if err := v.Remove(ref); err != nil {
			rt.Fatal(err)
		}
	})
	if v.Used() != 0 {
		t.Errorf("%d bytes are counted in an empty vault", v.Used())
	}
}

func TestNameTellsNothing(t *testing.T) {
	v, _ := newVault(t)
	a, b := newKey(t, v, org, request), newKey(t, v, org, request)
	ra, rb := sealed(t, a, page, nil), sealed(t, b, page, nil)
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(ra.Name) {
		t.Errorf("name %q", ra.Name)
	}
	if ra.Name == rb.Name {
		t.Error("two keys give one name: names could be compared across requests")
	}
}

// TestAlterations flips every byte and tries every length. The second pass
// forges the reference as well, so that the cipher alone must notice.
func TestAlterations(t *testing.T) {
	v, p := newVault(t)
	k := newKey(t, v, org, request)
	ref := sealed(t, k, page, []byte("secret value"))
	good, err := os.ReadFile(filepath.Join(p.dir, "blobs", ref.Name))
	check(t, err)
	var bad [][]byte
	for i := range good {
		flipped := bytes.Clone(good)
		flipped[i] ^= 0x20
		bad = append(bad, flipped, good[:i])
	}
	bad = append(bad, append(bytes.Clone(good), 0))
	for i, content := range bad {
		forged := forge(t, p, ref, content)
		for _, r := range []weir.SealRef{ref, forged} {
			if b, err := opened(t.Context(), k, page, r); !errors.Is(err, vault.ErrCorrupt) || len(b) > 0 {
				t.Errorf("alteration %d: read %d bytes, error %v", i, len(b), err)
			}
		}
	}
	forge(t, p, ref, good)
	if b, err := opened(t.Context(), k, page, ref); err != nil || string(b) != "secret value" {
		t.Errorf("the unaltered blob: %q, %v", b, err)
	}
}

func TestSegmentsAreBoundToTheirPlaceAndNumber(t *testing.T) {
	v, p := newVault(t)
	k := newKey(t, v, org, request)
	ref := sealed(t, k, page, bytes.Repeat([]byte("0123456789abcdef"), 20_000))
	good, err := os.ReadFile(filepath.Join(p.dir, "blobs", ref.Name))
	check(t, err)
	const seg = 64 << 10
	swapped := bytes.Clone(good)
	copy(swapped[seg:], good[2*seg:3*seg])
	copy(swapped[2*seg:], good[seg:2*seg])
	for name, content := range map[string][]byte{"last segment cut": good[:4*seg], "one byte into it": good[:4*seg+1], "segments swapped": swapped} {
		if _, err := opened(t.Context(), k, page, forge(t, p, ref, content)); !errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A disk that fails is not a page that was altered.
func TestFailedReadIsNoCorruption(t *testing.T) {
	v, _ := newVault(t)
	k := newKey(t, v, org, request)
	ref := sealed(t, k, page, bytes.Repeat([]byte("0123456789abcdef"), 20_000))
	r, err := k.Open(t.Context(), page, ref)
	check(t, err)
	check(t, r.Close())
	if _, err := io.ReadAll(r); !errors.Is(err, os.ErrClosed) || errors.Is(err, vault.ErrCorrupt) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// TestSwaps puts every blob in the place of every other one.
func TestSwaps(t *testing.T) {
	v, p := newVault(t)
	type sealedBlob struct {
		key     *vault.Key
		id      vault.BlobID
		ref     weir.SealRef
		content []byte
	}
	var all []sealedBlob
	keys := []*vault.Key{newKey(t, v, org, request), newKey(t, v, org, "R-OTHER234"), newKey(t, v, "other", request)}
	for _, k := range keys {
		for _, id := range []vault.BlobID{
			page,
			{Kind: "letter", Object: page.Object, Page: page.Page, Epoch: page.Epoch},
			{Kind: page.Kind, Object: "Lead", Page: page.Page, Epoch: page.Epoch},
			{Kind: page.Kind, Object: page.Object, Page: 4, Epoch: page.Epoch},
			{Kind: page.Kind, Object: page.Object, Page: page.Page, Epoch: 8},
			{Kind: page.Kind + "C", Object: "ontact", Page: page.Page, Epoch: page.Epoch},
		} {
			ref := sealed(t, k, id, []byte("same text"))
			content, err := os.ReadFile(filepath.Join(p.dir, "blobs", ref.Name))
			check(t, err)
			all = append(all, sealedBlob{k, id, ref, content})
		}
	}
	for i, a := range all {
		for j, b := range all {
			if i == j {
				continue
			}
			forged := forge(t, p, a.ref, b.content)
			if _, err := opened(t.Context(), a.key, a.id, forged); !errors.Is(err, vault.ErrCorrupt) {
				t.Errorf("blob %d in the place of %d: %v", j, i, err)
			}
			if _, err := opened(t.Context(), a.key, a.id, b.ref); !errors.Is(err, vault.ErrCorrupt) {
				t.Errorf("reference %d for blob %d: %v", j, i, err)
			}
		}
		forge(t, p, a.ref, a.content)
	}
}

func TestMissingBlobIsCorruption(t *testing.T) {
	v, _ := newVault(t)
	k := newKey(t, v, org, request)
	ref := sealed(t, k, page, []byte("x"))
	check(t, v.Remove(ref))
	check(t, v.Remove(ref)) // may be repeated
	_, err := k.Open(t.Context(), page, ref)
	if !errors.Is(err, vault.ErrMissing) || !errors.Is(err, vault.ErrCorrupt) {
		t.Error(err)
	}
	if err := v.Remove(weir.SealRef{Name: "../keys"}); !errors.Is(err, vault.ErrCorrupt) {
		t.Errorf("removed outside: %v", err)
	}
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	v, p := newVault(t)
	k := newKey(t, v, org, request)
	before := files(t, p.dir)
	boom := errors.New("boom")
	cases := map[string]struct {
		want  error
		write func(w io.Writer, cancel func()) error
	}{
		"writer fails": {boom, func(w io.Writer, _ func()) error {
			_, _ = w.Write(make([]byte, 300_000))
			return boom
		}},
		"cancelled in between, error swallowed": {context.Canceled, func(w io.Writer, cancel func()) error {
			cancel()
			_, _ = w.Write(make([]byte, 300_000))
			return nil
		}},
	}
	for name, c := range cases {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := k.Seal(ctx, page, func(w io.Writer) error { return c.write(w, cancel) })
		cancel()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = k.Seal(t.Context(), page, func(io.Writer) error { panic("boom") })
	}()
	if after := files(t, p.dir); len(after) != len(before) {
		t.Errorf("left behind: %v", after)
	}
}

func TestSealAgainReplaces(t *testing.T) {
	v, p := newVault(t)
	k := newKey(t, v, org, request)
	old := sealed(t, k, page, []byte("first"))
	ref := sealed(t, k, page, []byte("second, longer"))
	if old.Name != ref.Name {
		t.Error("a crash repeat must have the same name")
	}
	if b, err := opened(t.Context(), k, page, ref); err != nil || string(b) != "second, longer" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := opened(t.Context(), k, page, old); !errors.Is(err, vault.ErrCorrupt) {
		t.Errorf("the outdated reference opens: %v", err)
	}
	if v.Used() != ref.Size {
		t.Errorf("%d bytes counted, %d used", v.Used(), ref.Size)
	}
	for _, f := range files(t, p.dir) {
		if strings.Contains(f, "tmp-") {
			t.Errorf("left behind: %s", f)
		}
	}
}

func TestSmallValues(t *testing.T) {
	v, _ := newVault(t)
	k, other := newKey(t, v, org, request), newKey(t, v, org, "R-OTHER234")
	ct, err := k.SealBytes(page, secret(canary))
	check(t, err)
	got, err := k.OpenBytes(page, ct)
	check(t, err)
	if !got.Equal(secret(canary)) {
		t.Error("another value came back")
	}
	for i := range ct {
		bad := bytes.Clone(ct)
		bad[i] ^= 1
		if _, err := k.OpenBytes(page, bad); !errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("flip %d: %v", i, err)
		}
		if _, err := k.OpenBytes(page, ct[:i]); !errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("cut %d: %v", i, err)
		}
	}
	later := page
	later.Epoch++
	if _, err := k.OpenBytes(later, ct); !errors.Is(err, vault.ErrCorrupt) {
		t.Errorf("another epoch: %v", err)
	}
	if _, err := other.OpenBytes(page, ct); !errors.Is(err, vault.ErrCorrupt) {
		t.Errorf("another request: %v", err)
	}
}

func TestNoCanaryAtRestAndTightModes(t *testing.T) {
	v, p := newVault(t)
	k := newKey(t, v, org, request)
	plain := []byte(strings.Repeat(canary, 5000))
	sealed(t, k, page, plain)
	j, err := v.Journal()
	check(t, err)
	check(t, j.Append([]byte(canary)))
	check(t, j.Close())
	_, recipient, err := vault.NewIdentity()
	check(t, err)
	_, err = v.Place("R-7QK2M9XA.age", func(w io.Writer) error {
		enc, err := vault.EncryptTo(w, recipient)
		if err != nil {
			return err
		}
		if _, err := enc.Write(plain); err != nil {
			return err
		}
		return enc.Close()
	})
	check(t, err)
	n := 0
	check(t, filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			if info.Mode().Perm() != 0o700 {
				t.Errorf("%s: mode %#o", path, info.Mode().Perm())
			}
			return nil
		}
		n++
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %#o", path, info.Mode().Perm())
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("Canary")) || strings.Contains(d.Name(), "Canary") {
			t.Errorf("%s holds the canary in clear", path)
		}
		return err
	}))
	if n != 4 {
		t.Errorf("looked at %d files, expected blob, journal, delivery and keys", n)
	}
}

func TestSweep(t *testing.T) {
	v, p := newVault(t)
	k := newKey(t, v, org, request)
	kept := sealed(t, k, page, []byte("kept"))
	orphan := sealed(t, k, vault.BlobID{Kind: "page", Page: 1}, []byte("orphan"))
	young := sealed(t, k, vault.BlobID{Kind: "page", Page: 2}, []byte("its row is being written"))
	temp := filepath.Join(p.dir, "blobs", "tmp-0123")
	check(t, os.WriteFile(temp, nil, 0o600))
	old := time.Now().Add(-2 * time.Hour)
	for _, path := range []string{temp, filepath.Join(p.dir, "blobs", kept.Name), filepath.Join(p.dir, "blobs", orphan.Name), filepath.Join(p.dir, "keys")} {
		check(t, os.Chtimes(path, old, old))
	}
	n, err := v.Sweep(t.Context(), func(name string) bool { return name == kept.Name }, time.Hour)
	if err != nil || n != 2 {
		t.Errorf("swept %d, %v", n, err)
	}
	if v.Used() != kept.Size+young.Size {
		t.Errorf("%d bytes counted", v.Used())
	}
	if _, err := opened(t.Context(), k, page, kept); err != nil {
		t.Error(err)
	}
}

func TestAdmission(t *testing.T) {
	p := newPlace(t)
	opts, err := p.options()
	check(t, err)
	opts.Quota = 1000
	v, err := vault.Open(t.Context(), opts)
	check(t, err)
	check(t, v.Admit(1000))
	if err := v.Admit(1001); !errors.Is(err, vault.ErrFull) {
		t.Errorf("beyond the quota: %v", err)
	}
	ref := sealed(t, newKey(t, v, org, request), page, make([]byte, 500))
	if err := v.Admit(500); !errors.Is(err, vault.ErrFull) {
		t.Errorf("beyond the rest of the quota: %v", err)
	}
	check(t, v.Remove(ref))
	check(t, v.Admit(1000))
	check(t, v.Close())

	opts.Quota, opts.MinFree = 0, 1<<62
	v, err = vault.Open(t.Context(), opts)
	check(t, err)
	if err := v.Admit(1); !errors.Is(err, vault.ErrFull) {
		t.Errorf("below the reserve: %v", err)
	}
	check(t, v.Close())
}
