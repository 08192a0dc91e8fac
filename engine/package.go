package engine

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/export"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// delivered is a package that lies ready, encrypted to its recipient.
type delivered struct {
	ref     weir.SealRef // Name is the file's name below the vault's out directory
	path    string
	records int64
}

// maxRecord bounds one record of a page when it is read back.
const maxRecord = 32 << 20

// assemble opens the sealed pages of an access request as a stream and writes
// the package: JSON, CSV, readable HTML and a manifest, encrypted on the way to
// the disk. Plaintext lives for one record.
func (e *Engine) assemble(ctx context.Context, r weir.Request) (*delivered, error) {
	key, err := e.requestKey(ctx, r.Org, r.ID)
	if err != nil {
		return nil, err
	}
	defer key.Close()
	l, err := e.lane(r.Org)
	if err != nil {
		return nil, err
	}
	var objects []string
	var p weir.Plan
	err = e.glance(ctx, func(tx *store.Tx) error {
		if objects, err = tx.BlobObjects(r.ID, pageBlob); err != nil {
			return err
		}
		p, err = tx.Plan(r.ID, r.PlanHash)
		return err
	})
	if err != nil {
		return nil, err
	}
	name := e.packageName(r.ID)
	d := &delivered{ref: weir.SealRef{Name: name}}
	sum := sha256.New()
	d.path, err = e.vault.Place(name, func(w io.Writer) error {
		tally := &counting{w: io.MultiWriter(w, sum)}
		enc, err := vault.EncryptTo(tally, strings.Split(r.Recipient, ",")...)
		if err != nil {
			return err
		}
		out := export.NewWriter(enc, export.Meta{Request: r.ID, Org: r.Org, Law: r.Law, Subject: r.Subject, CreatedAt: e.now()})
		for _, t := range tables(p, objects, l) {
			if err := out.Table(t, func(yield func([]byte) error) error { return e.readPages(ctx, key, r.ID, t.Object, yield) }); err != nil {
				return err
			}
		}
		m, err := out.Close()
		if err != nil {
			return err
		}
		d.records = m.Records()
		err = enc.Close()
		d.ref.Size = tally.n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("assemble package: %w", err)
	}
	d.ref.Digest = hex.EncodeToString(sum.Sum(nil))
	return d, nil
}

// packageName is where this process makes a request's package. On a store that
// nodes share each has a name of its own, and the row picks the winner (design
// section 7): a node that made the same package later, or went on after it was
// stopped, must not replace the file that the certificate tells about.
func (e *Engine) packageName(id weir.RequestID) string {
	const suffix = "-access.zip.age"
	if e.store.Dialect() == store.SQLite {
		return string(id) + suffix
	}
	return string(id) + "-" + tail(e.node) + suffix
}

// tables are the objects of the package, with the fields as the plan names them.
func tables(p weir.Plan, objects []string, l *lane) []export.Table {
	fields := map[string][]string{}
	for _, x := range plan.Exports(p) {
		fields[x.Object] = x.Fields
	}
	out := make([]export.Table, len(objects))
	for i, name := range objects {
		out[i] = export.Table{Object: name, Fields: fields[name]}
		if o, ok := l.Map.Object(name); ok && o.Access != nil {
			out[i].Labels = o.Access.Labels
		}
	}
	return out
}

// pagesAtOnce is how many references of pages are held while they are read.
const pagesAtOnce = 100

// readPages hands each record of an object's pages to yield; the bytes are valid
// only until it returns.
func (e *Engine) readPages(ctx context.Context, key *vault.Key, id weir.RequestID, object string, yield func([]byte) error) error {
	for last := -1; ; {
		var pages []store.Blob
		err := e.glance(ctx, func(tx *store.Tx) error {
			var err error
			pages, err = tx.BlobsAfter(id, pageBlob, object, last, pagesAtOnce)
			return err
		})
		if err != nil {
			return err
		}
		for _, b := range pages {
			if err := readPage(ctx, key, b, yield); err != nil {
				return fmt.Errorf("page %d of %s: %w", b.Page, b.Object, err)
			}
		}
		if len(pages) < pagesAtOnce {
			return nil
		}
		last = pages[len(pages)-1].Page
	}
}

func readPage(ctx context.Context, key *vault.Key, b store.Blob, yield func([]byte) error) error {
	r, err := key.Open(ctx, vault.BlobID{Kind: b.Kind, Object: b.Object, Page: b.Page, Epoch: b.Epoch}, b.Ref)
	if err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	defer clear(buf)
	lines := bufio.NewScanner(r)
	lines.Buffer(buf, maxRecord)
	for lines.Scan() {
		if err := yield(lines.Bytes()); err != nil {
			return errors.Join(err, r.Close())
		}
	}
	return errors.Join(lines.Err(), r.Close())
}

// Package tells where a delivered package lies; it is encrypted to its
// recipient. That somebody fetched it is in the ledger.
func (e *Engine) Package(ctx context.Context, id weir.RequestID, by string) (store.Blob, string, error) {
	var blob store.Blob
	err := e.update(ctx, crash.Show, func(tx *txn) error {
		r, err := tx.Request(id)
		if err != nil {
			return err
		}
		blobs, err := tx.Blobs(id, packageBlob)
		if err != nil {
			return err
		}
		if len(blobs) == 0 {
			return fmt.Errorf("package of %s: %w", id, store.ErrNotFound)
		}
		blob = blobs[0]
		return tx.note(weir.Entry{By: by, Act: "package.get", Org: r.Org, Request: id, Detail: map[string]string{"package": blob.Ref.Digest}})
	})
	return blob, filepath.Join(e.vaultDir(), "out", blob.Ref.Name), err
}

type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
