package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// TestShreddedForGood ends requests in every way that a request can end, and
// then tries every artefact of an earlier time with every key still present.
func TestShreddedForGood(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, dsn string) {
		var shift atomic.Int64 // how far the engine's clock is ahead
		w := newShiftedWorld(t, dsn, &shift)
		if err := w.engine.Close(); err != nil {
			t.Fatal(err)
		}
		w.open()
		for _, id := range w.subjects[4].Records["Case"] {
			w.org.Touch("Case", id, map[string]any{"Approval_Status__c": "Pending"}) // an approval process locks the record
		}
		reach := func(r weir.Request, stages ...weir.Stage) {
			w.reach(&shift, func() bool {
				got, err := w.engine.Request(t.Context(), r.ID)
				return err == nil && strings.Contains(join(stages), string(got.Stage))
			})
		}
		delivered, erased := w.submit(weir.Access, 0), w.submit(weir.Erasure, 1)
		cancelled, rejected, failed := w.submit(weir.Erasure, 2), w.submit(weir.Erasure, 3), w.submit(weir.Erasure, 4)
		alive := w.submit(weir.Erasure, 5)
		all := []weir.Request{delivered, erased, cancelled, rejected, failed, alive}
		reach(delivered, weir.Delivered) // and will expire with its retention
		for _, r := range all[1:] {
			reach(r, weir.AwaitingApproval)
		}
		w.approve(failed)
		w.reach(&shift, func() bool { return len(w.letters()) > 0 })
		old := w.collect(all)

		w.approve(erased)
		reach(erased, weir.Closed)
		need(t, errorOf(w.engine.Cancel(t.Context(), cancelled.ID, "withdrawn", "kim")))
		need(t, errorOf(w.engine.Cancel(t.Context(), failed.ID, "given up", "kim")))
		need(t, errorOf(w.engine.Reject(t.Context(), rejected.ID, "no", "lee")))
		shift.Add(int64(w.options.Policy.Retention + time.Hour))
		reach(delivered, weir.Closed)
		w.settle()
		w.onlyAlive(alive, all)
		old.nothingOpens(w, alive.ID)
		old.notOnDisk(w, dsn)
		old.outlivesKEK(w, alive.ID)
	})
}

// newShiftedWorld is a world whose clock is ahead by what the test says.
func newShiftedWorld(t *testing.T, dsn string, shift *atomic.Int64) *world {
	t.Helper()
	w := newWorld(t, setup{
		dsn:    dsn,
		org:    emulator.Options{Seed: 5, RecycleLag: -1},
		policy: func(p *engine.Policy) { p.ProofLag = time.Second },
		now:    func() time.Time { return time.Now().Add(time.Duration(shift.Load())) },
	})
	w.options.Keys = vault.KeyFile(filepath.Join(w.dir, "kek"), w.options.DataDir)
	return w
}

// reach works and lets the engine's clock go on until something is so.
func (w *world) reach(shift *atomic.Int64, so func() bool) {
	w.t.Helper()
	for range 500 {
		w.settle()
		if so() {
			return
		}
		shift.Add(int64(20 * time.Second))
	}
	w.t.Fatal("it did not come to that")
}

func (w *world) approve(r weir.Request) {
	w.t.Helper()
	r, err := w.engine.Request(w.t.Context(), r.ID)
	need(w.t, err)
	approve(w, r)
}

func need(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func errorOf[T any](_ T, err error) error { return err }

func join(stages []weir.Stage) string {
	var b strings.Builder
	for _, s := range stages {
		b.WriteString(string(s) + " ")
	}
	return b.String()
}

// artefacts is what a thief or a backup has from before the requests ended.
type artefacts struct {
	keys  map[weir.RequestID]store.KeyRow
	blobs []store.Blob
	files map[string][]byte // sealed files by name
	out   map[string][]byte // deliveries
}

func (w *world) collect(all []weir.Request) *artefacts {
	w.t.Helper()
	a := &artefacts{keys: map[weir.RequestID]store.KeyRow{}, files: map[string][]byte{}, out: map[string][]byte{}}
	need(w.t, w.engine.Store().View(w.t.Context(), w.engine.Now(), func(tx *store.Tx) error {
		for _, r := range all {
			k, err := tx.Key(r.ID)
			if err != nil {
				return err
			}
			a.keys[r.ID] = k
			for _, kind := range []string{"subject", "page", "package"} {
				some, err := tx.Blobs(r.ID, kind)
				if err != nil {
					return err
				}
				a.blobs = append(a.blobs, some...)
			}
		}
		return nil
	}))
	for dir, into := range map[string]map[string][]byte{"blobs": a.files, "out": a.out} {
		names, err := filepath.Glob(filepath.Join(w.options.DataDir, "vault", dir, "*"))
		need(w.t, err)
		for _, name := range names {
			into[filepath.Base(name)], err = os.ReadFile(name)
			need(w.t, err)
		}
	}
	if len(a.blobs) < len(all) || len(a.files) < len(all) || len(a.out) == 0 {
		w.t.Fatalf("%d blobs, %d files, %d deliveries: nothing to try", len(a.blobs), len(a.files), len(a.out))
	}
	return a
}

// onlyAlive wants the store to hold one request's key, and no other.
func (w *world) onlyAlive(alive weir.Request, all []weir.Request) {
	w.t.Helper()
	need(w.t, w.engine.Store().View(w.t.Context(), w.engine.Now(), func(tx *store.Tx) error {
		for _, r := range all {
			_, err := tx.Key(r.ID)
			if gone := errors.Is(err, store.ErrShredded); gone == (r.ID == alive.ID) {
				w.t.Errorf("%s: %v\n%s", r.ID, err, w.story(r.ID))
			}
		}
		return nil
	}))
}

// nothingOpens puts every old file back and tries it with every old key, the
// vault's keys and the key-encryption key being all there.
func (a *artefacts) nothingOpens(w *world, alive weir.RequestID) {
	w.t.Helper()
	v := w.secondVault()
	for name, text := range a.files {
		need(w.t, os.WriteFile(filepath.Join(w.options.DataDir, "vault", "blobs", name), text, 0o600))
	}
	tried, control := 0, 0
	for id, k := range a.keys {
		key, err := v.Key(w.t.Context(), k.Org, id, k.Wrapped)
		if id != alive {
			if !errors.Is(err, vault.ErrShredded) {
				w.t.Errorf("the old key of %s: %v", id, err)
			}
			continue
		}
		need(w.t, err)
		for _, b := range a.blobs {
			tried++
			text, err := openBlob(w.t.Context(), key, b)
			if opened := err == nil && len(text) > 0; opened != (b.Request == alive) {
				w.t.Errorf("%s of %s with the key of %s: %v", b.Kind, b.Request, alive, err)
			} else if opened {
				control++
			}
		}
		key.Close()
	}
	if control == 0 || tried == control {
		w.t.Errorf("%d blobs tried, %d opened: the trial is broken", tried, control)
	}
	for name, text := range a.out {
		stranger, _, err := vault.NewIdentity()
		need(w.t, err)
		if _, err := vault.Decrypt(stranger, bytes.NewReader(text)); err == nil {
			w.t.Errorf("the delivery %s opened for a stranger", name)
		}
		if _, err := vault.Decrypt(w.identity, bytes.NewReader(text)); err != nil {
			w.t.Errorf("the delivery %s does not open for its recipient: %v", name, err)
		}
	}
	if hits := grep(w.t, w.options.DataDir, "AGE-SECRET-KEY"); len(hits) > 0 {
		w.t.Errorf("weir keeps an age identity: %v", hits)
	}
}

func openBlob(ctx context.Context, key *vault.Key, b store.Blob) ([]byte, error) {
	r, err := key.Open(ctx, vault.BlobID{Kind: b.Kind, Object: b.Object, Page: b.Page, Epoch: b.Epoch}, b.Ref)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	return text, errors.Join(err, r.Close())
}

func (w *world) secondVault() *vault.Vault {
	w.t.Helper()
	v, err := vault.Open(w.t.Context(), vault.Options{Dir: filepath.Join(w.options.DataDir, "vault"), Source: w.options.Keys})
	need(w.t, err)
	w.t.Cleanup(func() { need(w.t, v.Close()) })
	return v
}

// notOnDisk wants no old wrapped key in any file of SQLite, free pages and
// journal included. PostgreSQL keeps dead rows until it vacuums, and archives
// for as long as its owner says: destroying the key-encryption key ends those.
func (a *artefacts) notOnDisk(w *world, dsn string) {
	w.t.Helper()
	path, sqlite := strings.CutPrefix(dsn, "sqlite://")
	if !sqlite {
		return
	}
	found := map[bool]int{}
	files, err := filepath.Glob(path + "*")
	need(w.t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		need(w.t, err)
		for id, k := range a.keys {
			if bytes.Contains(text, k.Wrapped) || bytes.Contains(text, k.Wrapped[len(k.Wrapped)-24:]) {
				r, err := w.engine.Request(w.t.Context(), id)
				need(w.t, err)
				found[r.Stage.Ended()]++
			}
		}
	}
	if found[true] > 0 || found[false] == 0 {
		w.t.Errorf("old wrapped keys in %v: %d of ended requests, %d of the one that is alive", files, found[true], found[false])
	}
}

// outlivesKEK rotates and destroys: then not even a whole backup with its
// marks taken away opens what was shredded.
func (a *artefacts) outlivesKEK(w *world, alive weir.RequestID) {
	w.t.Helper()
	ctx := w.t.Context()
	before := a.keys[alive].KEK
	report, err := w.engine.RotateKeys(ctx, "kim")
	need(w.t, err)
	for !report.Done || report.Remaining > 0 {
		report, err = w.engine.RewrapKeys(ctx, time.Second)
		need(w.t, err)
	}
	need(w.t, errorOf(w.engine.DestroyKEK(ctx, before, "kim")))
	marks := filepath.Join(w.options.DataDir, "vault", "shredded")
	need(w.t, os.RemoveAll(marks))
	v := w.secondVault()
	for id, k := range a.keys {
		if _, err := v.Key(ctx, k.Org, id, k.Wrapped); !errors.Is(err, vault.ErrWrongKey) {
			w.t.Errorf("%s, under a destroyed key: %v", id, err)
		}
	}
	need(w.t, w.engine.Store().View(ctx, w.engine.Now(), func(tx *store.Tx) error {
		k, err := tx.Key(alive)
		if err != nil {
			return err
		}
		key, err := v.Key(ctx, k.Org, alive, k.Wrapped)
		if err == nil {
			key.Close()
		}
		return err
	}))
}

// TestAMarkIsNotTheEnd: a weir is killed after it has marked a request that it
// was about to close. The next one signs the certificate, and does not say that
// a backup was restored.
func TestAMarkIsNotTheEnd(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, dsn string) {
		var shift atomic.Int64
		w := newShiftedWorld(t, dsn, &shift)
		erased, delivered := w.submit(weir.Erasure, 1), w.submit(weir.Access, 0)
		stage := func(r weir.Request) weir.Stage {
			got, err := w.engine.Request(t.Context(), r.ID)
			need(t, err)
			return got.Stage
		}
		w.reach(&shift, func() bool { return stage(erased) == weir.AwaitingApproval && stage(delivered) == weir.Delivered })
		w.approve(erased)
		for stage(erased) != weir.Sealing { // a round of control would close it
			need(t, w.engine.Control(t.Context()))
			for range 100 {
				if worked, err := w.engine.Turn(t.Context(), erased.Org); err != nil || !worked {
					need(t, err)
					break
				}
			}
			shift.Add(int64(20 * time.Second))
		}
		shift.Add(int64(w.options.Policy.Retention + time.Hour))
		need(t, w.engine.Close())
		v := w.secondVault()
		for _, r := range []weir.Request{erased, delivered} {
			need(t, v.MarkShredded(r.Org, r.ID))
		}
		w.open()
		w.settle()
		for _, r := range []weir.Request{erased, delivered} {
			got, err := w.engine.Request(t.Context(), r.ID)
			need(t, err)
			if got.Stage != weir.Closed || got.Reason != "" {
				t.Errorf("the %s is %s, because %q", r.Right, got.Stage, got.Reason)
			}
			if doc, err := w.engine.Certificate(t.Context(), r.ID); err != nil || len(doc) == 0 {
				t.Errorf("the %s has no certificate: %v", r.Right, err)
			}
		}
		w.onlyAlive(weir.Request{}, []weir.Request{erased, delivered})
	})
}
