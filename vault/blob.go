package vault

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

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
	t := tally{ctx: ctx, hash: sha256.New()}
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
	return weir.SealRef{Name: name, Size: t.size, SHA256: hex.EncodeToString(t.hash.Sum(nil))}, nil
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

// tally counts and hashes ciphertext on its way, and remembers a failure.
type tally struct {
	ctx  context.Context //nolint:containedctx // an io.Writer has no other way to be told
	to   io.Writer
	hash hash.Hash
	size int64
	err  error
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
	t.hash.Write(p[:n])
	t.err = err
	return n, err
}

// Open returns the plaintext of a blob. Name, size and hash are compared with
// the reference before the first byte is shown; what follows is authenticated
// segment by segment, so that an alteration in between is found too.
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
	b := &blob{ctx: ctx, file: f}
	if err := b.verify(ref); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	err = k.use(func(r *ring) (err error) {
		b.plain, err = r.stream.NewDecryptingReader(f, k.bind("weir/blob/v1", id))
		return err
	})
	if err != nil {
		if !errors.Is(err, ErrClosed) {
			err = fmt.Errorf("%w: no header", ErrCorrupt)
		}
		return nil, errors.Join(err, f.Close())
	}
	return b, nil
}

// blob reads one sealed file.
type blob struct {
	ctx   context.Context //nolint:containedctx // an io.Reader has no other way to be told
	file  *os.File
	plain io.Reader
	err   error
}

// verify compares the whole file with its reference and rewinds.
func (b *blob) verify(ref weir.SealRef) error {
	info, err := b.file.Stat()
	if err != nil {
		return fmt.Errorf("examine blob: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() != ref.Size {
		return fmt.Errorf("%w: its size is not that of the reference", ErrCorrupt)
	}
	t := tally{ctx: b.ctx, to: io.Discard, hash: sha256.New()}
	if _, err := io.Copy(&t, b.file); err != nil {
		return fmt.Errorf("read blob: %w", err)
	}
	sum := hex.EncodeToString(t.hash.Sum(nil))
	if t.size != ref.Size || subtle.ConstantTimeCompare([]byte(sum), []byte(ref.SHA256)) != 1 {
		return fmt.Errorf("%w: its hash is not that of the reference", ErrCorrupt)
	}
	if _, err := b.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind blob: %w", err)
	}
	return nil
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
		err = fmt.Errorf("%w: a segment", ErrCorrupt)
	}
	b.err = err
	return n, err
}

func (b *blob) Close() error { return b.file.Close() }
