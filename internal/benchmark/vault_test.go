package benchmark

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirhq/weir/vault"
)

// Pages sealed into the vault against AES-256-GCM of the same segments without
// anything around it, written to a file in the same place, in turns, so that both
// meet the same machine. The vault lies in memory where the system offers that:
// the disk is another figure, and so is the cipher whose output goes nowhere.
func TestSealedBuffer(t *testing.T) {
	rounds, size := 1, 4<<20
	if long() {
		rounds, size = 24, 64<<20
	}
	plain := make([]byte, size)
	_, _ = rand.Read(plain) // never fails
	place := memoryDir(t)
	mem := sealer(t, place)
	disk := sealer(t, t.TempDir())
	var raw, nowhere, sealed, durable, rawCPU, sealedCPU time.Duration
	for i := range rounds {
		at := processorTime(t)
		raw += rawFile(t, plain, filepath.Join(place, "raw"))
		rawCPU += processorTime(t) - at
		at = processorTime(t)
		sealed += mem(plain, i)
		sealedCPU += processorTime(t) - at
		nowhere += rawGCM(t, plain, io.Discard)
		if i < 4 {
			durable += disk(plain, i)
		}
	}
	if !long() {
		return
	}
	mbs := func(d time.Duration, n int) float64 { return float64(n*size) / d.Seconds() / 1e6 }
	share := 100 * raw.Seconds() / sealed.Seconds()
	note(t, figure{
		Name: "sealed page against raw AES-GCM", Value: share, Unit: "%", Goal: "≥ 85", Reached: share >= 85,
		Baseline: fmt.Sprintf("raw AES-256-GCM, segments of 64 KiB, into a file of the same file system: %.0f MB/s; into nothing: %.0f MB/s", mbs(raw, rounds), mbs(nowhere, rounds)),
		Note: fmt.Sprintf("sealed in memory %.0f MB/s; durable on disk %.0f MB/s; in processor time %.0f %% of raw",
			mbs(sealed, rounds), mbs(durable, min(rounds, 4)), 100*rawCPU.Seconds()/sealedCPU.Seconds()),
	})
}

// memoryDir is a directory in memory, or an ordinary one.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "weir-bench-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// rawFile is rawGCM into a file.
func rawFile(t *testing.T, plain []byte, path string) time.Duration {
	t.Helper()
	began := time.Now()
	f := must(os.Create(path))(t)
	rawGCM(t, plain, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

// rawGCM encrypts in segments and measures that.
func rawGCM(t *testing.T, plain []byte, to io.Writer) time.Duration {
	t.Helper()
	block := must(aes.NewCipher(make([]byte, 32)))(t)
	gcm := must(cipher.NewGCM(block))(t)
	out := make([]byte, 0, 64<<10+16)
	var nonce [12]byte
	began := time.Now()
	for at := 0; at < len(plain); at += 64 << 10 {
		nonce[0]++
		out = gcm.Seal(out[:0], nonce[:], plain[at:min(at+64<<10, len(plain))], nil)
		if _, err := to.Write(out); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(began)
}

// sealer opens a vault in a directory; the function seals one page and says how
// long that took.
func sealer(t *testing.T, dir string) func(plain []byte, page int) time.Duration {
	t.Helper()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := vault.CreateKEKFile(filepath.Join(dir, "kek")); err != nil {
		t.Fatal(err)
	}
	kek := must(vault.FileKEK(filepath.Join(dir, "kek"), data))(t)
	v := must(vault.Open(t.Context(), vault.Options{Dir: filepath.Join(data, "vault"), KEK: kek, Now: time.Now}))(t)
	t.Cleanup(func() { _ = v.Close() })
	wrapped, _, err := v.NewKey(t.Context(), "org", "R-1")
	if err != nil {
		t.Fatal(err)
	}
	key := must(v.Key(t.Context(), "org", "R-1", wrapped))(t)
	t.Cleanup(key.Close)
	return func(plain []byte, page int) time.Duration {
		began := time.Now()
		_, err := key.Seal(t.Context(), vault.BlobID{Kind: "page", Object: "Case", Page: page % 2}, func(w io.Writer) error {
			_, err := w.Write(plain)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
}
