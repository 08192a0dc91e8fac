package proof

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// control shows that the scan would have seen something in each kind of place
// beside memory, which has a control of its own. Two ways, both through the
// product's own paths: a canary that is no personal value, because it is the
// name of an org and stands in a reference, must appear wherever weir writes
// such words; and the sealed files are opened with their key and must show the
// very canaries that the scan did not find before.
func (a *aviary) control(t *testing.T) {
	opened := t.TempDir()
	if n := a.unseal(t, opened); n == 0 {
		t.Fatal("no sealed file was left to open")
	}
	s, err := a.hay.files(opened)
	if err != nil {
		t.Fatal(err)
	}
	if s.found.of(a.quiet.alias) == 0 {
		t.Errorf("%s: no hit with the seals opened, so the scan proves nothing", placeFiles)
	}
	t.Logf("control with the seals opened: %s: %d hits of the waiting org: %v", placeFiles, s.found.of(a.quiet.alias), s.found[a.quiet.alias])

	a.found, a.read = map[string]hits{}, map[string]int64{}
	third := newFlock(t, a.weir.program, "x"+a.noted.core, time.Second)
	_, recipient, err := vault.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	a.weir.join(third, recipient)
	a.start(t)
	id, err := a.weir.ask(t.Context(), third, access, a.noted.text)
	if err != nil {
		t.Fatal(err)
	}
	a.requests = append(a.requests, id)
	a.deliver(t, id)
	if err := errors.Join(a.rest(t.Context()), a.asked(t.Context())); err != nil {
		t.Fatal(err)
	}
	for _, place := range places()[2:] {
		n := a.found[place].of(a.noted.owner)
		if n == 0 && (place != placeFiles || a.embedded()) {
			t.Errorf("%s: a text that weir writes there was not found, so the scan proves nothing", place)
		}
		t.Logf("control with a text that is not sealed: %s: %d hits", place, n)
	}
	if err := a.running.stop(15 * time.Second); err != nil {
		t.Errorf("weir does not stop: %v", err)
	}
}

// deliver waits for the end of an access request.
func (a *aviary) deliver(t *testing.T, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for {
		var doc struct {
			Request status `json:"status"`
		}
		if err := a.weir.run(ctx, "", &doc, "status", id); err != nil {
			t.Fatal(err)
		}
		if doc.Request.Stage == "DELIVERED" {
			return
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			t.Fatalf("%s is %s: %v\n%s", id, doc.Request.Stage, err, tail(a.weir.path("weir.log")))
		}
	}
}

// unseal opens what a stopped weir has sealed, with its key, and writes it to
// a directory under the names of the sealed files.
func (a *aviary) unseal(t *testing.T, dir string) (n int) {
	t.Helper()
	kek, err := vault.FileKEK(a.weir.path("keys", "kek"), a.weir.path("data"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), vault.Options{Dir: a.weir.path("data", "vault"), KEK: kek})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), a.dsn)
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(t.Context(), time.Now(), func(tx *store.Tx) error {
		for _, id := range a.requests {
			row, err := tx.Key(weir.RequestID(id))
			if errors.Is(err, store.ErrShredded) {
				continue
			}
			if err != nil {
				return err
			}
			opened, err := unsealRequest(t.Context(), tx, v, row, dir)
			if err != nil {
				return err
			}
			n += opened
		}
		return nil
	})
	if err := errors.Join(err, s.Close(), v.Close()); err != nil {
		t.Fatal(err)
	}
	return n
}

func unsealRequest(ctx context.Context, tx *store.Tx, v *vault.Vault, row store.KeyRow, dir string) (n int, err error) {
	key, err := v.Key(ctx, row.Org, row.Request, row.Wrapped)
	if err != nil {
		return 0, err
	}
	defer key.Close()
	for _, kind := range []string{"subject", "page"} {
		blobs, err := tx.Blobs(row.Request, kind)
		if err != nil {
			return n, err
		}
		for _, b := range blobs {
			plain, err := key.Open(ctx, vault.BlobID{Kind: b.Kind, Object: b.Object, Page: b.Page, Epoch: b.Epoch}, b.Ref)
			if err != nil {
				return n, err
			}
			text, err := io.ReadAll(plain)
			if err := errors.Join(err, plain.Close(), os.WriteFile(filepath.Join(dir, b.Ref.Name), text, 0o600)); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

func (a *aviary) embedded() bool { return a.file() != a.weir.path("data", "weir.db") }
