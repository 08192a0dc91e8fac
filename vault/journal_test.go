package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/vault"
)

func newJournal(t *testing.T, v *vault.Vault) *vault.Journal {
	t.Helper()
	j, err := v.Journal()
	check(t, err)
	t.Cleanup(func() { check(t, j.Close()) })
	return j
}

func replayed(t *testing.T, j *vault.Journal) []string {
	t.Helper()
	var got []string
	check(t, j.Replay(func(rec []byte) error {
		got = append(got, string(rec))
		return nil
	}))
	return got
}

// written makes a journal file with records and returns its path and content.
func written(t *testing.T, v *vault.Vault, p place, recs ...string) (path string, content []byte) {
	t.Helper()
	j := newJournal(t, v)
	for _, r := range recs {
		check(t, j.Append([]byte(r)))
	}
	check(t, j.Close())
	path = files(t, filepath.Join(p.dir, "journal"))[0]
	content, err := os.ReadFile(path)
	check(t, err)
	return path, content
}

func TestJournalReplays(t *testing.T) {
	v, p := newVault(t)
	j := newJournal(t, v)
	if j.Len() != 0 || len(replayed(t, j)) != 0 {
		t.Error("a new journal is not empty")
	}
	check(t, j.Append([]byte("one")))
	check(t, j.Append(nil))
	check(t, j.Append([]byte("three")))
	if j.Len() != 3 {
		t.Errorf("Len %d", j.Len())
	}
	down := errors.New("store is down")
	n := 0
	err := j.Replay(func([]byte) error {
		if n++; n == 2 {
			return down
		}
		return nil
	})
	if !errors.Is(err, down) || j.Len() != 3 {
		t.Errorf("%v, Len %d: a failed replay must keep the records", err, j.Len())
	}
	check(t, j.Append([]byte("four")))
	if diff := cmp.Diff([]string{"one", "", "three", "four"}, replayed(t, j)); diff != "" {
		t.Error(diff)
	}
	if j.Len() != 0 || len(files(t, filepath.Join(p.dir, "journal"))) != 0 {
		t.Error("replayed records are still there")
	}
}

func TestJournalTakesAppendsDuringReplay(t *testing.T) {
	v, _ := newVault(t)
	j := newJournal(t, v)
	check(t, j.Append([]byte("one")))
	var got []string
	check(t, j.Replay(func(rec []byte) error {
		if got = append(got, string(rec)); len(got) == 1 {
			return j.Append([]byte("two"))
		}
		return nil
	}))
	if diff := cmp.Diff([]string{"one", "two"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestJournalIsHeldByOneProcess(t *testing.T) {
	v, p := newVault(t)
	mine := newJournal(t, v)
	check(t, mine.Append([]byte("mine")))
	other := newJournal(t, p.open(t))
	if other.Len() != 0 {
		t.Error("a second process took a file that is held")
	}
	check(t, other.Append([]byte("other")))
	check(t, mine.Close())
	check(t, other.Adopt()) // the first process has ended
	if diff := cmp.Diff([]string{"mine", "other"}, replayed(t, other)); diff != "" {
		t.Error(diff)
	}
	if err := mine.Append(nil); !errors.Is(err, vault.ErrClosed) {
		t.Error(err)
	}
}

// TestJournalTornTail cuts the file at every length: every complete record
// survives, the rest is reported.
func TestJournalTornTail(t *testing.T) {
	v, p := newVault(t)
	path, content := written(t, v, p, "one", "two")
	second := len(content) / 2 // the records are equally long
	for cut := range content {
		check(t, os.WriteFile(path, content[:cut], 0o600))
		j, err := v.Journal()
		check(t, err)
		want, torn := []string(nil), int64(cut)
		if cut >= second {
			want, torn = []string{"one"}, int64(cut-second)
		}
		if j.Torn() != torn || j.Len() != len(want) {
			t.Errorf("cut at %d: torn %d, Len %d", cut, j.Torn(), j.Len())
		}
		if diff := cmp.Diff(want, replayed(t, j)); diff != "" {
			t.Errorf("cut at %d: %s", cut, diff)
		}
		check(t, j.Close())
	}
	check(t, os.WriteFile(path, append(bytes.Clone(content), make([]byte, 4096)...), 0o600))
	j := newJournal(t, v)
	if diff := cmp.Diff([]string{"one", "two"}, replayed(t, j)); diff != "" || j.Torn() != 4096 {
		t.Errorf("a tail of zeros: torn %d %s", j.Torn(), diff)
	}
}

// TestJournalAlterations: no altered byte is ever taken for a torn tail, which
// would lose a record silently.
func TestJournalAlterations(t *testing.T) {
	v, p := newVault(t)
	path, content := written(t, v, p, "one", "two")
	half := len(content) / 2
	bad := map[string][]byte{
		"records exchanged": append(bytes.Clone(content[half:]), content[:half]...),
		"a record repeated": append(bytes.Clone(content), content[half:]...),
		"a record removed":  content[half:],
	}
	for i := range content {
		flipped := bytes.Clone(content)
		flipped[i] ^= 0x40
		bad[fmt.Sprintf("flip %d", i)] = flipped
	}
	for name, c := range bad {
		check(t, os.WriteFile(path, c, 0o600))
		if j, err := v.Journal(); !errors.Is(err, vault.ErrCorrupt) || !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				check(t, j.Close())
			}
		}
	}
	renamed := filepath.Join(filepath.Dir(path), "j-0000000000000000-0000000000000000")
	check(t, os.WriteFile(path, content, 0o600))
	check(t, os.Rename(path, renamed))
	if _, err := v.Journal(); !errors.Is(err, vault.ErrCorrupt) {
		t.Errorf("a file under another name: %v", err)
	}
}

// childJournal appends until it is killed and prints each record that is durable.
func childJournal() error {
	v, _, err := roleVault()
	if err != nil {
		return err
	}
	j, err := v.Journal()
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		rec := fmt.Sprintf("%s %06d", canary, i)
		if err := j.Append([]byte(rec)); err != nil {
			return err
		}
		fmt.Println(rec)
	}
}

func TestJournalSurvivesKill(t *testing.T) {
	p := newPlace(t)
	_, env := roleEnv(t, p)
	v := p.open(t)
	total := 0
	for i := range 6 {
		out := killedOutput(t, child(t, "journal", env...), time.Duration(3+i*11)*time.Millisecond)
		acked := strings.Split(string(out), "\n")
		acked = acked[:len(acked)-1]
		j := newJournal(t, v)
		got := replayed(t, j)
		if len(got) < len(acked) || len(got) > len(acked)+1 {
			t.Errorf("%d records were durable, %d came back", len(acked), len(got))
		}
		if diff := cmp.Diff(acked, got[:min(len(acked), len(got))]); diff != "" {
			t.Error(diff)
		}
		check(t, j.Close())
		total += len(acked)
	}
	if total == 0 {
		t.Error("no record was ever written before the kill: nothing was tested")
	}
}
