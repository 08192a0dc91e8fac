package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// planned works until every request has its plan; none is sealed yet.
func (w *world) planned() {
	w.t.Helper()
	for {
		worked, err := w.engine.Turn(w.t.Context(), acme)
		if err != nil {
			w.t.Fatal(err)
		}
		if !worked {
			break
		}
	}
	if err := w.engine.Finish(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// unsealed works without the control round until a request has done all that needs
// calls: what it delivers is not made yet.
func (w *world) unsealed(id weir.RequestID) {
	w.t.Helper()
	for end := time.Now().Add(48 * time.Hour); w.get(id).Stage != weir.Sealing; {
		worked, err := w.engine.Turn(w.t.Context(), acme)
		if err != nil || time.Now().After(end) {
			w.t.Fatalf("%s is %s: %v\n%s", id, w.get(id).Stage, err, w.story(id))
		}
		if worked {
			continue
		}
		w.pass()
		if err := w.engine.Beat(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// fetched is unsealed of an access, and returns its sealed pages.
func (w *world) fetched(r weir.Request) []store.Blob {
	w.t.Helper()
	w.unsealed(r.ID)
	var pages []store.Blob
	err := w.engine.Store().View(w.t.Context(), w.engine.Now(), func(tx *store.Tx) (err error) {
		pages, err = tx.Blobs(r.ID, "page")
		return err
	})
	if err != nil || len(pages) == 0 {
		w.t.Fatalf("%d pages: %v", len(pages), err)
	}
	return pages
}

func (w *world) pageFile(b store.Blob) string {
	return filepath.Join(w.options.DataDir, "vault", "blobs", b.Ref.Name)
}

// older seals other content for the same page under an older epoch, as a claim
// that was lost may have left it.
func (w *world) older(b store.Blob) []byte {
	w.t.Helper()
	ctx := w.t.Context()
	v, err := vault.Open(ctx, vault.Options{Dir: filepath.Join(w.options.DataDir, "vault"), KEK: w.options.KEK})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := v.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	var row store.KeyRow
	err = w.engine.Store().View(ctx, w.engine.Now(), func(tx *store.Tx) (err error) {
		row, err = tx.Key(b.Request)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	key, err := v.Key(ctx, row.Org, row.Request, row.Wrapped)
	if err != nil {
		w.t.Fatal(err)
	}
	defer key.Close()
	ref, err := key.Seal(ctx, vault.BlobID{Kind: b.Kind, Object: b.Object, Page: b.Page, Epoch: b.Epoch - 1}, func(to io.Writer) error {
		_, err := to.Write([]byte(`{"Id":"003000000000000AAA"}` + "\n"))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return contentOf(w.t, filepath.Join(w.options.DataDir, "vault", "blobs", ref.Name))
}

// TestAlteredPagesAreNotServed alters sealed pages between their fetch and the
// package: nothing is delivered while one of them is not what was sealed, and
// the request goes on by itself once the right file lies there again.
func TestAlteredPagesAreNotServed(t *testing.T) {
	for name, alter := range map[string]func(w *world, mine, others []store.Blob) []byte{
		"one byte flipped": func(w *world, mine, _ []store.Blob) []byte {
			b := contentOf(w.t, w.pageFile(mine[0]))
			b[len(b)/2] ^= 1
			return b
		},
		"the end cut": func(w *world, mine, _ []store.Blob) []byte {
			b := contentOf(w.t, w.pageFile(mine[0]))
			return b[:len(b)-1]
		},
		"emptied":                     func(*world, []store.Blob, []store.Blob) []byte { return nil },
		"another request's page":      func(w *world, _, others []store.Blob) []byte { return contentOf(w.t, w.pageFile(others[0])) },
		"another page of the request": func(w *world, mine, _ []store.Blob) []byte { return contentOf(w.t, w.pageFile(mine[1])) },
		"an older epoch put back":     func(w *world, mine, _ []store.Blob) []byte { return w.older(mine[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{})
				first, second := w.submit(weir.Access, 1), w.submit(weir.Access, 2)
				w.planned()
				mine, others := w.fetched(first), w.fetched(second)
				good, bad := contentOf(t, w.pageFile(mine[0])), alter(w, mine, others)
				if bytes.Equal(good, bad) {
					t.Fatal("nothing was altered")
				}
				write(t, w.pageFile(mine[0]), bad)
				for range 3 {
					if err := w.engine.Control(context.Background()); err == nil {
						t.Error("the control round does not tell")
					}
				}
				w.stands(first.ID, weir.Sealing)
				w.stands(second.ID, weir.Delivered)
				if reason := w.get(first.ID).Reason; reason != "pages_damaged" {
					t.Errorf("people are told %q", reason)
				}
				if n := w.acts("request.damaged"); n != 1 {
					t.Errorf("told %d times, want once", n)
				}
				if _, err := os.Stat(filepath.Join(w.options.DataDir, "vault", "out", string(first.ID)+"-access.zip.age")); err == nil {
					t.Error("a package was made of an altered page")
				}
				write(t, w.pageFile(mine[0]), good)
				if err := w.engine.Control(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.stands(first.ID, weir.Delivered)
				if reason := w.get(first.ID).Reason; reason != "" {
					t.Errorf("it is delivered, and people are told %q", reason)
				}
			})
		})
	}
}

// A page is lost for good: a person has everything fetched anew.
func TestALostPageIsFetchedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		r := w.submit(weir.Access, 1)
		w.planned()
		old := w.fetched(r)
		if err := os.Remove(w.pageFile(old[0])); err != nil {
			t.Fatal(err)
		}
		if err := w.engine.Control(t.Context()); err == nil {
			t.Error("the control round does not tell")
		}
		w.stands(r.ID, weir.Sealing)
		if _, err := w.engine.Replan(t.Context(), r.ID, "kim"); err != nil {
			t.Fatal(err)
		}
		w.until(r.ID, time.Hour, weir.Delivered)
		w.holdsExactly(r.ID, w.subjects[1].Records)
		w.clean()
	})
}

// What an erasure has done is not planned anew: its certificate tells of the plan
// that was approved.
func TestACarriedOutErasureIsNotPlannedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		r := w.approved(1)
		w.unsealed(r.ID)
		before := w.get(r.ID)
		if _, err := w.engine.Replan(t.Context(), r.ID, "kim"); !errors.Is(err, weir.ErrNoSuchTransition) {
			t.Errorf("the plan of an erasure that was carried out is made anew: %v", err)
		}
		if now := w.get(r.ID); now != before {
			t.Errorf("the refusal changed the request: %+v, was %+v", now, before)
		}
		w.until(r.ID, time.Hour, weir.Closed)
		w.clean()
	})
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *world) stands(id weir.RequestID, stage weir.Stage) {
	w.t.Helper()
	if r := w.get(id); r.Stage != stage {
		w.t.Errorf("%s is %s, want %s", id, r.Stage, stage)
	}
}
