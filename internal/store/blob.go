package store

import (
	"cmp"
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// Blob names one sealed page in the vault. Of several epochs of the same page,
// the newest row wins.
type Blob struct {
	Request weir.RequestID
	Kind    string
	Object  string
	Page    int
	Epoch   int64
	Ref     weir.SealRef
	At      time.Time // when it was sealed; PutBlob fills in the transaction's time
}

const blobColumns = `request, kind, object, page, epoch, name, size, sha256, at`

func scanBlob(r row) (b Blob, err error) {
	err = r.Scan(&b.Request, &b.Kind, &b.Object, &b.Page, &b.Epoch, &b.Ref.Name, &b.Ref.Size, &b.Ref.Digest, instant{&b.At})
	return b, err
}

// PutBlob notes a page that is durable in the vault. A page of an older epoch
// than the noted one changes nothing: the sweeper removes its file.
func (t *Tx) PutBlob(b Blob) error {
	return t.put("put blob of "+string(b.Request), `
		INSERT INTO blob (`+blobColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (request, kind, object, page) DO UPDATE
		SET epoch = excluded.epoch, name = excluded.name, size = excluded.size, sha256 = excluded.sha256, at = excluded.at
		WHERE excluded.epoch >= blob.epoch`,
		b.Request, b.Kind, b.Object, b.Page, b.Epoch, b.Ref.Name, b.Ref.Size, b.Ref.Digest, t.or(b.At))
}

// Blobs lists a request's pages of one kind.
func (t *Tx) Blobs(request weir.RequestID, kind string) ([]Blob, error) {
	return list(t, "list blobs of "+string(request), scanBlob, `
		SELECT `+blobColumns+` FROM blob WHERE request = $1 AND kind = $2
		ORDER BY object, page`, request, kind)
}

// BlobObjects lists the objects of which a request has pages of one kind.
func (t *Tx) BlobObjects(request weir.RequestID, kind string) ([]string, error) {
	return list(t, "list objects of the blobs of "+string(request), scanValue[string], `
		SELECT DISTINCT object FROM blob WHERE request = $1 AND kind = $2 ORDER BY object`, request, kind)
}

// BlobsAfter lists a request's pages of one kind and object, those behind a
// page, as many as that at most.
func (t *Tx) BlobsAfter(request weir.RequestID, kind, object string, page, most int) ([]Blob, error) {
	return list(t, "list blobs of "+string(request), scanBlob, `
		SELECT `+blobColumns+` FROM blob WHERE request = $1 AND kind = $2 AND object = $3 AND page > $4
		ORDER BY page LIMIT $5`, request, kind, object, page, most)
}

// BlobNames is the set of every file that the vault must keep: those of the
// pages, and those that dead letters refer to.
func (t *Tx) BlobNames() (map[string]bool, error) {
	all, err := list(t, "list names of blobs", scanValue[string], `
		SELECT name FROM blob UNION SELECT sealed_name FROM letter WHERE sealed_name <> ''`)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool, len(all))
	for _, name := range all {
		names[name] = true
	}
	return names, nil
}

// DeleteBlobs forgets a request's pages and returns what it forgot.
func (t *Tx) DeleteBlobs(request weir.RequestID) ([]Blob, error) {
	gone, err := list(t, "delete blobs of "+string(request), scanBlob,
		`DELETE FROM blob WHERE request = $1 RETURNING `+blobColumns, request)
	slices.SortFunc(gone, func(a, b Blob) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Page, b.Page))
	})
	return gone, err
}

// DropBlobs forgets a request's pages of one kind: the sweeper removes their files.
func (t *Tx) DropBlobs(request weir.RequestID, kind string) error {
	return t.put("drop blobs of "+string(request), `DELETE FROM blob WHERE request = $1 AND kind = $2`, request, kind)
}

// SealedStats counts the pages and says when the oldest was sealed.
func (t *Tx) SealedStats() (count int, oldest time.Time, err error) {
	return t.backlog("count sealed pages", `SELECT count(*), coalesce(min(at), 0) FROM blob`)
}
