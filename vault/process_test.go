package vault_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/vault"
)

// limit sets how long a file may become: the portable way to a full disk.
func limit(bytes uint64) error {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &l); err != nil {
		return err
	}
	l.Cur = min(bytes, l.Max)
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &l)
}

const noLimit = ^uint64(0)

func entries(dirs ...string) (names []string, err error) {
	for _, dir := range dirs {
		list, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, nil
}

// childFull lets the disk be full at every byte of a blob, of a journal record
// and of the first start.
func childFull() error {
	v, k, err := roleVault()
	if err != nil {
		return err
	}
	ctx := context.Background()
	dir := os.Getenv("DIR")
	ref, err := k.Seal(ctx, page, writer([]byte(canary)))
	if err != nil {
		return err
	}
	before, err := entries(filepath.Join(dir, "blobs"), filepath.Join(dir, "out"))
	if err != nil {
		return err
	}
	for room := range uint64(ref.Size) {
		if err := fullAt(ctx, v, k, room); err != nil {
			return fmt.Errorf("room for %d bytes: %w", room, err)
		}
	}
	if err := errors.Join(limit(200_000), wantFull(k.Seal(ctx, page, writer(make([]byte, 1<<20)))), limit(noLimit)); err != nil {
		return fmt.Errorf("a stream of many segments: %w", err)
	}
	after, err := entries(filepath.Join(dir, "blobs"), filepath.Join(dir, "out"))
	if err != nil || len(after) != len(before) {
		return fmt.Errorf("left behind: %v %w", after, err)
	}
	if _, err := opened(ctx, k, page, ref); err != nil {
		return fmt.Errorf("the older blob was harmed: %w", err)
	}
	if _, err := k.Seal(ctx, page, writer(make([]byte, 1<<20))); err != nil {
		return fmt.Errorf("space is back: %w", err)
	}
	return errors.Join(childFullJournal(v), childFullStart())
}

func fullAt(ctx context.Context, v *vault.Vault, k *vault.Key, room uint64) error {
	if err := limit(room); err != nil {
		return err
	}
	_, placeErr := v.Place("d.age", writer(make([]byte, 4096)))
	err := errors.Join(wantFull(k.Seal(ctx, page, writer([]byte(canary)))), wantFull(weir.SealRef{}, placeErr))
	return errors.Join(err, limit(noLimit))
}

func wantFull(_ weir.SealRef, err error) error {
	if !errors.Is(err, vault.ErrFull) {
		return fmt.Errorf("expected ErrFull, got %w", err)
	}
	return nil
}

func childFullJournal(v *vault.Vault) error {
	j, err := v.Journal()
	if err != nil {
		return err
	}
	var want []string
	for room := range uint64(150) {
		first, second := fmt.Sprintf("a %03d", room), fmt.Sprintf("b %03d", room)
		if err := limit(room); err != nil {
			return err
		}
		for _, rec := range []string{first, second} {
			switch err := j.Append([]byte(rec)); {
			case err == nil:
				want = append(want, rec)
			case !errors.Is(err, vault.ErrFull):
				return fmt.Errorf("append: %w", err)
			}
		}
		if err := limit(noLimit); err != nil {
			return err
		}
	}
	if len(want) == 0 || len(want) == 300 {
		return fmt.Errorf("%d of 300 appends succeeded: the limit did not bite", len(want))
	}
	var got []string
	err = j.Replay(func(rec []byte) error { got = append(got, string(rec)); return nil })
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		return fmt.Errorf("%d records were durable, %d came back: %w", len(want), len(got), err)
	}
	return errors.Join(err, j.Close())
}

func childFullStart() error {
	p := place{dir: os.Getenv("DIR") + "-new", kek: os.Getenv("KEK")}
	opts, err := p.options()
	if err != nil {
		return err
	}
	if err := limit(10); err != nil {
		return err
	}
	_, err = vault.Open(context.Background(), opts)
	if err := errors.Join(wantFull(weir.SealRef{}, err), limit(noLimit)); err != nil {
		return fmt.Errorf("first start: %w", err)
	}
	v, err := vault.Open(context.Background(), opts)
	if err != nil {
		return fmt.Errorf("start after space came back: %w", err)
	}
	return v.Close()
}

func TestFullDisk(t *testing.T) {
	p := newPlace(t)
	_, env := roleEnv(t, p)
	if out, err := child(t, "full", env...).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// childSeal seals page after page until it is killed and prints what is durable.
func childSeal() error {
	_, k, err := roleVault()
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for i := 0; ; i++ {
		id := vault.BlobID{Kind: "page", Page: i % 5, Epoch: 1}
		ref, err := k.Seal(context.Background(), id, writer(bytes.Repeat([]byte{byte(i % 5)}, 150_000)))
		if err != nil {
			return err
		}
		if err := out.Encode(ref); err != nil {
			return err
		}
	}
}

// TestSealSurvivesKill: after a kill at any moment each page is whole under its
// name, either as the newest durable version or as the one after it.
func TestSealSurvivesKill(t *testing.T) {
	p := newPlace(t)
	wrapped, env := roleEnv(t, p)
	v := p.open(t)
	k, err := v.Key(t.Context(), org, request, wrapped)
	check(t, err)
	defer k.Close()
	for i := range 4 {
		out := killedOutput(t, child(t, "seal", env...), time.Duration(5+i*17)*time.Millisecond)
		names := map[string]int{}
		lines := bufio.NewScanner(bytes.NewReader(out))
		for n := 0; lines.Scan(); n++ {
			var ref weir.SealRef
			if json.Unmarshal(lines.Bytes(), &ref) == nil { // the last line may be cut by the kill
				names[ref.Name] = n % 5
			}
		}
		for name, n := range names {
			content, err := os.ReadFile(filepath.Join(p.dir, "blobs", name))
			check(t, err)
			b, err := opened(t.Context(), k, vault.BlobID{Kind: "page", Page: n, Epoch: 1}, refOf(name, content))
			if err != nil || !bytes.Equal(b, bytes.Repeat([]byte{byte(n)}, 150_000)) {
				t.Errorf("page %d is not whole: %v", n, err)
			}
		}
		if len(names) == 0 {
			t.Error("no page was sealed before the kill: nothing was tested")
		}
	}
	_, err = v.Sweep(t.Context(), func(string) bool { return true }, -time.Hour)
	check(t, err)
	for _, f := range files(t, p.dir) {
		if strings.Contains(f, "tmp-") {
			t.Errorf("left behind after a sweep: %s", f)
		}
	}
}

func childReexec() error {
	if err := vault.ReexecScrubbed(); err != nil {
		return err
	}
	fmt.Println(os.Getpid(), os.Getenv("GODEBUG"), vault.Scrubbing())
	return nil
}

func TestReexecScrubbed(t *testing.T) {
	for before, want := range map[string]string{
		"":                     "clobberfree=1,asyncpreemptoff=1 true",
		"http2client=0":        "http2client=0,clobberfree=1,asyncpreemptoff=1 true",
		"clobberfree=1":        "clobberfree=1 true",
		"clobberfree=0,gc=off": "clobberfree=0,gc=off false", // declined by the operator
	} {
		cmd := child(t, "reexec", "GODEBUG="+before)
		out, err := cmd.Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != fmt.Sprint(cmd.Process.Pid, " ", want) {
			t.Errorf("GODEBUG=%q: pid %d printed %q, %v", before, cmd.Process.Pid, got, err)
		}
	}
}

// What was dropped is collected within two seconds, and no more than once in one:
// the collection right after the drop may have come too early for a copy.
func TestScrubIsOwedUntilItSettles(t *testing.T) {
	collections := func() uint32 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumGC
	}
	for !vault.Scrub() { // what other tests dropped
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(time.Second)
	vault.Dropped()
	began, before := time.Now(), collections()
	if vault.Scrub() || collections() < before+2 {
		t.Error("the first collection is not made at once, or taken for the last")
	}
	if before = collections(); vault.Scrub() || collections() > before+1 { // one may be the runtime's own
		t.Error("two collections within a second")
	}
	for !vault.Scrub() {
		time.Sleep(50 * time.Millisecond)
	}
	if took := time.Since(began); took > 2*time.Second || collections() < before+2 {
		t.Errorf("settled after %s with %d more collections", took, collections()-before)
	}
}
