package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/vault"
)

// faultyDisk fails the k-th change and, when it stays broken, all later ones.
type faultyDisk struct {
	k, seen int
	err     error
	broken  bool // stays so
	off     bool
	failed  []vault.Change
}

func (d *faultyDisk) ask(c vault.Change) error {
	if d.off {
		return nil
	}
	d.seen++
	if d.seen == d.k || d.broken && d.seen > d.k {
		d.failed = append(d.failed, c)
		return d.err
	}
	return nil
}

// TestEveryChangeFails lets the k-th change of the disk fail, for k = 1, 2, …
// until a life of the vault passes unharmed: its first start, pages sealed and
// sealed again, outcomes in the journal, a delivery, a removal and a sweep. After
// each failure what had been acknowledged is whole, nothing else is shown, and
// the same work succeeds once the disk is well. `make prove-storage` runs all
// three ways to fail.
func TestEveryChangeFails(t *testing.T) {
	ways := map[string]faultyDisk{"from then on, disk full": {err: syscall.ENOSPC, broken: true}}
	if os.Getenv("WEIR_PROVE") == "long" {
		ways["one change, disk full"] = faultyDisk{err: syscall.ENOSPC}
		ways["one change, input or output"] = faultyDisk{err: syscall.EIO}
	}
	well := &faultyDisk{}
	lifeOn(t, well)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			kinds := map[vault.Change]int{}
			t.Cleanup(func() { // after the last of the parallel lives
				t.Logf("%d changes failed, each in a life of its own: %v", well.seen, kinds)
				for _, want := range []vault.Change{vault.ChangeMake, vault.ChangeWrite, vault.ChangeSync, vault.ChangeName, vault.ChangeRemove} {
					if kinds[want] == 0 {
						t.Errorf("no change of the kind %s was ever hit", want)
					}
				}
			})
			for k := 1; k <= well.seen; k++ {
				t.Run(strconv.Itoa(k), func(t *testing.T) {
					t.Parallel()
					disk := way
					disk.k = k
					lifeOn(t, &disk)
					if len(disk.failed) == 0 {
						t.Fatal("no change failed")
					}
					mu.Lock()
					defer mu.Unlock()
					kinds[disk.failed[0]]++
				})
			}
		})
	}
}

// life is what the vault has acknowledged so far.
type life struct {
	t       *testing.T
	disk    *faultyDisk
	place   place
	pages   map[vault.BlobID]acked
	records []string
	appends int
}

type acked struct {
	ref  weir.SealRef
	text string
}

func lifeOn(t *testing.T, disk *faultyDisk) {
	t.Helper()
	l := &life{t: t, disk: disk, place: newPlace(t), pages: map[vault.BlobID]acked{}}
	opts, err := l.place.options()
	check(t, err)
	opts.Disk = disk.ask
	v, err := vault.Open(t.Context(), opts)
	if err != nil {
		l.mayFail("start", err)
		disk.off = true
		v, err = vault.Open(t.Context(), opts)
	}
	check(t, err)
	wrapped, _, err := v.NewKey(t.Context(), org, request)
	check(t, err)
	k, err := v.Key(t.Context(), org, request, wrapped)
	check(t, err)
	j, err := v.Journal()
	if err != nil {
		l.mayFail("journal", err)
		disk.off = true
		j, err = v.Journal()
	}
	check(t, err)

	l.work(v, k, j)
	disk.off = true // the disk is well again
	l.whole(k)
	l.work(v, k, j)
	l.whole(k)
	l.replays(v, j)
	_, err = v.Sweep(t.Context(), func(name string) bool { return l.names(name) }, -time.Hour)
	check(t, err)
	for _, f := range files(t, l.place.dir) {
		if strings.Contains(f, "tmp-") {
			t.Errorf("change %d: left behind after a sweep: %s", disk.k, f)
		}
	}
	k.Close()
	check(t, errors.Join(j.Close(), v.Close()))
	p := l.place
	v = p.open(t) // the next process
	k, err = v.Key(t.Context(), org, request, wrapped)
	check(t, err)
	l.whole(k)
	k.Close()
}

// mayFail accepts what the disk did, told for what it is.
func (l *life) mayFail(what string, err error) {
	l.t.Helper()
	if !errors.Is(err, l.disk.err) {
		l.t.Fatalf("%s, change %d: %v", what, l.disk.k, err)
	}
	if errors.Is(l.disk.err, syscall.ENOSPC) && !errors.Is(err, vault.ErrFull) {
		l.t.Errorf("%s, change %d %v: a full disk is not told as one: %v", what, l.disk.k, l.disk.failed, err)
	}
}

// work does one of everything; a failed change fails the step that met it.
func (l *life) work(v *vault.Vault, k *vault.Key, j *vault.Journal) {
	l.t.Helper()
	for n := range 3 { // the third replaces the first
		id := vault.BlobID{Kind: "page", Object: "Contact", Page: n % 2, Epoch: 1}
		text := strings.Repeat(fmt.Sprintf("%s %d ", canary, n), 3000)
		before, was := l.pages[id]
		ref, err := k.Seal(l.t.Context(), id, writer([]byte(text)))
		switch {
		case err == nil:
			l.pages[id] = acked{ref, text}
		case was && l.replaced(k, id, before, text):
			// The rename had happened and only its durability is unknown: the engine
			// fetches the page anew, under a higher epoch.
			delete(l.pages, id)
			l.mayFail("seal", err)
		default:
			l.mayFail("seal", err)
		}
	}
	for range 2 {
		l.appends++
		rec := fmt.Sprintf("outcome %d", l.appends)
		if err := j.Append([]byte(rec)); err != nil {
			l.mayFail("append", err)
			continue
		}
		l.records = append(l.records, rec)
	}
	if _, err := v.Place("R-1.age", writer([]byte("encrypted to its recipient"))); err != nil {
		l.mayFail("place", err)
	}
	extra := vault.BlobID{Kind: "letter", Page: 9}
	if ref, err := k.Seal(l.t.Context(), extra, writer([]byte(canary))); err != nil {
		l.mayFail("seal", err)
	} else if err := v.Remove(ref); err != nil {
		l.mayFail("remove", err)
	}
}

func (l *life) replaced(k *vault.Key, id vault.BlobID, before acked, text string) bool {
	_, err := opened(l.t.Context(), k, id, before.ref)
	return errors.Is(err, vault.ErrCorrupt) && text != before.text
}

// whole opens everything that was acknowledged.
func (l *life) whole(k *vault.Key) {
	l.t.Helper()
	for id, a := range l.pages {
		b, err := opened(l.t.Context(), k, id, a.ref)
		if err != nil || !bytes.Equal(b, []byte(a.text)) {
			l.t.Errorf("change %d %v: page %d is not whole: %v", l.disk.k, l.disk.failed, id.Page, err)
		}
	}
}

func (l *life) names(name string) bool {
	for _, a := range l.pages {
		if a.ref.Name == name {
			return true
		}
	}
	return false
}

// replays compares the journal with what it acknowledged: all of it, in order;
// a record whose append failed may come too.
func (l *life) replays(v *vault.Vault, j *vault.Journal) {
	l.t.Helper()
	check(l.t, j.Close())
	again, err := v.Journal()
	check(l.t, err)
	var got []string
	check(l.t, again.Replay(func(rec []byte) error {
		if slices.Contains(l.records, string(rec)) {
			got = append(got, string(rec))
		}
		return nil
	}))
	if !slices.Equal(got, l.records) {
		l.t.Errorf("change %d %v: %d records were acknowledged, %d came back", l.disk.k, l.disk.failed, len(l.records), len(got))
	}
	if left := files(l.t, l.place.dir+"/journal"); len(left) > 0 {
		l.t.Errorf("change %d: the journal is not empty after its replay: %v", l.disk.k, left)
	}
	check(l.t, again.Close())
}
