package vault

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	stream "github.com/tink-crypto/tink-go/v2/streamingaead/subtle"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
)

// BlobID says what a blob is within its request. All of it is authenticated.
type BlobID struct {
	Kind   string // subject, page, letter, package
	Object string // API name of a Salesforce object, if any
	Page   int
	Epoch  int64 // of the step's claim: an outdated page does not open as a newer one
}

func (k *Key) bind(label string, id BlobID) []byte {
	return bind(label, []byte(k.org), []byte(k.request), []byte(id.Kind), []byte(id.Object), number(int64(id.Page)), number(id.Epoch))
}

// Seal streams what write gives into one finished ciphertext, and returns when
// it is durable. A crash before that leaves nothing that a name points at; the
// same id sealed again replaces the older file as a whole. An exhausted disk is
// ErrFull and leaves nothing behind.
func (k *Key) Seal(ctx context.Context, id BlobID, write func(io.Writer) error) (weir.SealRef, error) {
	var ref weir.SealRef
	t := tally{ctx: ctx}
	name, err := k.name(id)
	if err == nil {
		before := k.vault.sizeOf(name)
		crash.Before(crash.Blob)
		err = replaceFile(k.vault.blobs, name, func(w io.Writer) error {
			t.to = w
			return k.encrypt(&t, id, write)
		})
		if err == nil {
			crash.After(crash.Blob)
			k.vault.used.Add(t.size - before)
		}
	}
	if err != nil {
		return ref, fmt.Errorf("seal %s of request %s: %w", id.Kind, k.request, err)
	}
	return weir.SealRef{Name: name, Size: t.size, Digest: digest(t.header)}, nil
}

func (k *Key) encrypt(t *tally, id BlobID, write func(io.Writer) error) error {
	var enc io.WriteCloser
	err := k.use(func(r *ring) (err error) {
		enc, err = r.stream.NewEncryptingWriter(t, k.bind("weir/blob/v1", id))
		return err
	})
	if err != nil {
		return errors.Join(t.err, err)
	}
	if err := write(struct{ io.Writer }{enc}); err != nil { // Close stays ours
		return err
	}
	if t.err != nil { // write swallowed it
		return t.err
	}
	return enc.Close()
}

// name is a keyed hash, so that a listing of the directory tells nothing, and
// two requests never share a name.
func (k *Key) name(id BlobID) (name string, err error) {
	err = k.use(func(r *ring) error {
		name = hex.EncodeToString(r.mac("weir/name/v1", k.bind("", id)))
		return nil
	})
	return name, err
}

// headerSize is what a stream begins with: its own length, 32 random bytes from
// which the stream's key is derived, and 7 random bytes of its nonces.
const headerSize = 1 + keySize + stream.AESGCMHKDFNoncePrefixSizeInBytes

// digest identifies a blob by its header: no two seals share one, and without the
// request's key nobody can make another ciphertext that opens behind it. So it
// says as much as a hash of the whole, which would take longer than the cipher.
func digest(header []byte) string {
	sum := sha256.Sum256(header)
	return hex.EncodeToString(sum[:])
}

// tally counts ciphertext on its way, keeps its header, and remembers a failure.
type tally struct {
	ctx    context.Context //nolint:containedctx // an io.Writer has no other way to be told
	to     io.Writer
	header []byte
	size   int64
	err    error
}

func (t *tally) Write(p []byte) (int, error) {
	if t.err == nil {
		t.err = t.ctx.Err()
	}
	if t.err != nil {
		return 0, t.err
	}
	n, err := t.to.Write(p)
	t.size += int64(n)
	t.header = append(t.header, p[:min(n, headerSize-len(t.header))]...)
	t.err = err
	return n, err
}

// Open returns the plaintext of a blob. Before the first byte is shown, name,
// size and header are compared with the reference and every segment is
// authenticated; they are once more on the way, so that an alteration in between
// is found too.
func (k *Key) Open(ctx context.Context, id BlobID, ref weir.SealRef) (io.ReadCloser, error) {
	r, err := k.open(ctx, id, ref)
	if err != nil {
		return nil, fmt.Errorf("open %s of request %s: %w", id.Kind, k.request, err)
	}
	return r, nil
}

func (k *Key) open(ctx context.Context, id BlobID, ref weir.SealRef) (io.ReadCloser, error) {
	name, err := k.name(id)
	if err != nil {
		return nil, err
	}
	if name != ref.Name {
		return nil, fmt.Errorf("%w: the reference belongs to another blob", ErrCorrupt)
	}
	f, err := k.vault.blobs.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	b := &blob{ctx: ctx, file: &source{File: f}}
	if err := k.verify(b, id, ref); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := k.decrypt(b, id); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return b, nil
}

// verify reads a whole blob and shows nothing of it.
func (k *Key) verify(b *blob, id BlobID, ref weir.SealRef) error {
	if err := b.names(ref); err != nil {
		return err
	}
	if err := k.decrypt(b, id); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, b)
	return err
}

// decrypt begins to read a blob from its start.
func (k *Key) decrypt(b *blob, id BlobID) error {
	if _, err := b.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind blob: %w", err)
	}
	err := k.use(func(r *ring) (err error) {
		b.plain, err = r.stream.NewDecryptingReader(b.file, k.bind("weir/blob/v1", id))
		return err
	})
	if err != nil && !errors.Is(err, ErrClosed) {
		return b.failed("no header")
	}
	b.err = nil
	return err
}

// blob reads one sealed file.
type blob struct {
	ctx   context.Context //nolint:containedctx // an io.Reader has no other way to be told
	file  *source
	plain io.Reader
	err   error
}

// source remembers that the disk failed: that is no corruption.
type source struct {
	*os.File
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.File.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = fmt.Errorf("read blob: %w", err)
	}
	return n, err
}

// names says whether the reference names this file.
func (b *blob) names(ref weir.SealRef) error {
	info, err := b.file.Stat()
	if err != nil {
		return fmt.Errorf("examine blob: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() != ref.Size {
		return fmt.Errorf("%w: its size is not that of the reference", ErrCorrupt)
	}
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(b.file, header); err != nil {
		return b.failed("no header")
	}
	if subtle.ConstantTimeCompare([]byte(digest(header)), []byte(ref.Digest)) != 1 {
		return fmt.Errorf("%w: it is another ciphertext than that of the reference", ErrCorrupt)
	}
	return nil
}

// failed is the disk's error, or that what it gave is not what was sealed.
func (b *blob) failed(what string) error {
	if b.file.err != nil {
		return b.file.err
	}
	return fmt.Errorf("%w: %s", ErrCorrupt, what)
}

func (b *blob) Read(p []byte) (int, error) {
	if b.err == nil {
		b.err = b.ctx.Err()
	}
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.plain.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.failed("a segment")
	}
	b.err = err
	return n, err
}

func (b *blob) Close() error { return b.file.Close() }
