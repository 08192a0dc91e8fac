package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/store"
	"github.com/weirhq/weir/vault"
)

// keysForm is how much TestKeys does.
type keysForm struct {
	keys   int
	sealed int // of these with a sealed page
	kills  int
	within time.Duration // of one rotation that nobody kills
}

func chosenKeysForm() keysForm {
	if os.Getenv(formVariable) == "long" {
		return keysForm{keys: 100_000, sealed: 200, kills: 20, within: time.Minute}
	}
	return keysForm{keys: 8_000, sealed: 20, kills: 4, within: time.Minute}
}

// TestKeys rotates the key-encryption key of many requests: once while weir
// serves and takes new requests, and then again while the processes are killed.
// Afterwards every key opens with the newest key alone, and no file was touched.
func TestKeys(t *testing.T) {
	f := chosenKeysForm()
	program := build(t)
	pgtest.Each(t, func(t *testing.T, dsn string) {
		h := &household{t: t, form: f, dsn: dsn, rng: rand.New(rand.NewPCG(1, 1))}
		h.weir = installQuiet(t, program, dsn)
		h.fill()
		before := h.blobs()
		h.rotateServing()
		h.rotateKilled()
		if after := h.blobs(); after != before {
			t.Error("a rotation touched sealed files")
		}
		h.destroyOld()
		h.everyKeyOpens()
		h.ledgerCounts()
	})
}

// installQuiet is an installation whose org nobody calls.
func installQuiet(t *testing.T, program, dsn string) *installation {
	t.Helper()
	w := &installation{log: "weir.log", t: t, program: program, dir: t.TempDir(), env: []string{"WEIR_STORE=" + dsn}}
	var made struct {
		PublicKey string `json:"public_key"`
	}
	w.must(&made, "init", w.dir)
	w.public = made.PublicKey
	datamap, err := os.ReadFile("testdata/datamap.yaml")
	if err == nil {
		err = errors.Join(
			os.WriteFile(w.path("datamap", alias+".yaml"), datamap, 0o600),
			os.WriteFile(w.path("secret"), []byte("quiet"), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	w.configure(map[string]string{"listen: 127.0.0.1:7433": "listen: 127.0.0.1:0"})
	w.must(nil, "org", "add", alias, "--instance-url", "https://quiet.my.salesforce.com", "--client-id", "quiet", "--secret", "file:"+w.path("secret"))
	w.must(nil, "keys", "list") // makes the store
	return w
}

// household is an installation with many requests, and what the test remembers
// of them.
type household struct {
	t    *testing.T
	form keysForm
	dsn  string
	rng  *rand.Rand
	weir *installation

	refs  map[weir.RequestID]weir.SealRef
	later []weir.RequestID // submitted while a rotation went on
	took  time.Duration    // by a rotation that nobody killed
}

var pageID = vault.BlobID{Kind: "page", Object: "Contact"}

// inside opens store and vault in this process, while no weir has them.
func (h *household) inside(fn func(ctx context.Context, s *store.Store, v *vault.Vault) error) {
	h.t.Helper()
	ctx := h.t.Context()
	v, err := vault.Open(ctx, vault.Options{
		Dir: h.weir.path("data", "vault"), Source: vault.KeyFile(h.weir.path("keys", "kek"), h.weir.path("data")),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := store.Open(ctx, h.dsn)
	if err == nil {
		err = errors.Join(fn(ctx, s, v), s.Close())
	}
	if err := errors.Join(err, v.Close()); err != nil {
		h.t.Fatal(err)
	}
}

// fill writes the requests as submissions do, without their ceremony.
func (h *household) fill() {
	const portion = 250 // in one transaction, which a busy machine must end within 30 s
	began := time.Now()
	h.refs = map[weir.RequestID]weir.SealRef{}
	h.inside(func(ctx context.Context, s *store.Store, v *vault.Vault) error {
		for from := 0; from < h.form.keys; from += portion {
			err := s.Update(ctx, time.Now(), func(tx *store.Tx) error {
				if err := tx.EnsureOrg(alias); err != nil {
					return err
				}
				for i := from; i < min(from+portion, h.form.keys); i++ {
					if err := h.insert(ctx, tx, v, i); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	h.t.Logf("%d request keys made in %s", h.form.keys, time.Since(began).Round(time.Second))
}

func (h *household) insert(ctx context.Context, tx *store.Tx, v *vault.Vault, i int) error {
	id := weir.RequestID(fmt.Sprintf("R-%08d", i))
	wrapped, kek, err := v.NewKey(ctx, alias, id)
	if err != nil {
		return err
	}
	err = tx.InsertRequest(weir.Request{
		ID: id, Org: alias, Right: weir.Erasure, Law: "gdpr", Risk: weir.RiskNormal, Stage: weir.Received,
		ReceivedAt: tx.Now(), DueAt: tx.Now().AddDate(0, 1, 0), Pass: weir.PassPlan,
	}, string(id))
	if err != nil {
		return err
	}
	if i < h.form.sealed {
		key, err := v.Key(ctx, alias, id, wrapped)
		if err != nil {
			return err
		}
		defer key.Close()
		ref, err := key.Seal(ctx, pageID, func(w io.Writer) error { _, err := io.WriteString(w, string(id)); return err })
		if err != nil {
			return err
		}
		if err := tx.PutBlob(store.Blob{Request: id, Kind: pageID.Kind, Object: pageID.Object, Ref: ref}); err != nil {
			return err
		}
		h.refs[id] = ref
	}
	return tx.InsertKey(id, alias, kek, wrapped)
}

// blobs describes the sealed files of the first requests: names, sizes, times.
func (h *household) blobs() string {
	var out strings.Builder
	for i := range h.form.sealed {
		ref := h.refs[weir.RequestID(fmt.Sprintf("R-%08d", i))]
		info, err := os.Stat(h.weir.path("data", "vault", "blobs", ref.Name))
		if err != nil {
			h.t.Fatal(err)
		}
		fmt.Fprintln(&out, ref.Name, info.Size(), info.ModTime().UnixNano())
	}
	return out.String()
}

// rotated is what `weir keys rotate` and `weir keys list` say.
type rotated struct {
	Keys []struct {
		ID       string `json:"id"`
		State    string `json:"state"`
		Requests int    `json:"requests"`
	} `json:"keys"`
	Remaining  int `json:"remaining"`
	Unreadable int `json:"unreadable"`
}

// rotateServing rotates while weir serves, and submits requests meanwhile.
func (h *household) rotateServing() {
	p, _, err := h.weir.serve(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	done := make(chan error, 1)
	began := time.Now()
	verb := h.start("keys", "rotate")
	go func() { done <- verb.Wait() }()
	for waiting := true; waiting; {
		h.submit()
		select {
		case err := <-done:
			if err != nil {
				h.t.Fatal(err)
			}
			waiting = false
		case <-time.After(500 * time.Millisecond):
		}
	}
	took := time.Since(began)
	h.took = took
	if out := h.list(); out.Remaining != 0 || out.Unreadable != 0 {
		h.t.Errorf("after the rotation: %+v", out)
	}
	if err := p.stop(20 * time.Second); err != nil {
		h.t.Errorf("weir does not stop: %v", err)
	}
	h.t.Logf("%d request keys rewrapped in %s while weir served, with %s of processor time in all; %d requests came in meanwhile",
		h.form.keys, took.Round(10*time.Millisecond), work(p.cmd).Round(10*time.Millisecond), len(h.later))
	if took > h.form.within {
		h.t.Errorf("the rotation took %s, want at most %s", took, h.form.within)
	}
}

// work is the processor time that a program has used, on any number of cores.
func work(ended *exec.Cmd) time.Duration {
	return ended.ProcessState.UserTime() + ended.ProcessState.SystemTime()
}

func (h *household) submit() {
	var doc struct {
		Request struct {
			ID weir.RequestID `json:"id"`
		} `json:"request"`
	}
	text := fmt.Sprintf("email:p%d@example.invalid\n", len(h.later))
	if err := h.weir.run(h.t.Context(), text, &doc, "submit", "--org", alias, "--right", "erasure"); err != nil {
		h.t.Errorf("submit during a rotation: %v", err)
		return
	}
	h.later = append(h.later, doc.Request.ID)
}

// rotateKilled rotates again and again. In turn, the verb that does it by
// itself and the weir that does it for the verb are killed at random moments,
// counted from the new key in the keyring. A rotation that was left in the
// middle goes on, whoever comes next; the last one comes to its end.
func (h *household) rotateKilled() {
	began, middle := time.Now(), 0
	for kill := range h.form.kills {
		ring := h.keyring()
		var weir *process
		if kill%2 == 1 {
			var err error
			if weir, _, err = h.weir.serve(h.t.Context()); err != nil {
				h.t.Fatal(err)
			}
		}
		verb := h.start("keys", "rotate")
		for end := time.Now().Add(2 * time.Second); h.keyring() == ring && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(h.rng.Int64N(int64(h.took))) / 2)
		if weir != nil {
			weir.kill()
		} else {
			_ = verb.Process.Kill() // it may have ended
		}
		_ = verb.Wait() // it was killed, or lost its weir, or came to its end
		if h.list().Remaining > 0 {
			middle++
		}
	}
	h.must("keys", "rotate")
	if list := h.list(); list.Remaining != 0 || list.Unreadable != 0 {
		h.t.Errorf("after the last rotation: %+v", list)
	}
	h.t.Logf("%d kills in %s, %d of them left a rotation in the middle", h.form.kills, time.Since(began).Round(time.Second), middle)
	if middle == 0 {
		h.t.Error("no kill hit a rotation: this proves nothing")
	}
}

// keyring is the content of the key file, to be compared only.
func (h *household) keyring() string {
	text, err := os.ReadFile(h.weir.path("keys", "kek"))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

func (h *household) start(args ...string) *exec.Cmd {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), h.weir.program, append([]string{"--json", "--config", h.weir.path("weir.yaml")}, args...)...)
	cmd.Env = append(os.Environ(), h.weir.env...)
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	return cmd
}

// must runs a verb that may take long.
func (h *household) must(args ...string) {
	h.t.Helper()
	if err := h.start(args...).Wait(); err != nil {
		h.t.Fatalf("weir %v: %v", args, err)
	}
}

func (h *household) list() rotated {
	h.t.Helper()
	var out rotated
	h.weir.must(&out, "keys", "list")
	return out
}

// destroyOld leaves only the newest key, in the store and in the keyring.
func (h *household) destroyOld() {
	for _, k := range h.list().Keys {
		if k.State == "DECRYPT_ONLY" {
			h.weir.must(nil, "keys", "destroy", k.ID)
		}
	}
	text, err := os.ReadFile(h.weir.path("keys", "kek"))
	if err != nil || bytes.Count(text, []byte("\n")) != 1 {
		h.t.Errorf("the keyring has %d keys: %v", bytes.Count(text, []byte("\n")), err)
	}
	left, err := filepath.Glob(h.weir.path("keys", "tmp-*"))
	if err != nil || len(left) > 0 {
		h.t.Logf("kills left %d temporary files beside the keyring", len(left))
	}
}

// everyKeyOpens opens each key, and each sealed page of the first requests.
func (h *household) everyKeyOpens() {
	opened, pages := 0, 0
	h.inside(func(ctx context.Context, s *store.Store, v *vault.Vault) error {
		return s.View(ctx, time.Now(), func(tx *store.Tx) error {
			rows, err := tx.LiveKeys("", 0)
			for _, r := range rows {
				key, err := v.Key(ctx, r.Org, r.Request, r.Wrapped)
				if err != nil {
					h.t.Errorf("unreadable: %v", err)
					continue
				}
				opened++
				if ref, sealed := h.refs[r.Request]; sealed {
					if text, err := readPage(ctx, key, ref); err != nil || text != string(r.Request) {
						h.t.Errorf("page of %s: %v", r.Request, err)
					}
					pages++
				}
				key.Close()
			}
			return err
		})
	})
	if want := h.form.keys + len(h.later); opened != want || pages != h.form.sealed {
		h.t.Errorf("%d keys and %d pages open, want %d and %d", opened, pages, want, h.form.sealed)
	}
	h.t.Logf("%d keys and %d sealed pages open with the newest key alone", opened, pages)
}

func readPage(ctx context.Context, key *vault.Key, ref weir.SealRef) (string, error) {
	r, err := key.Open(ctx, pageID, ref)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), errors.Join(err, r.Close())
}

// ledgerCounts wants the log intact, and each row swapped once per rotation.
func (h *household) ledgerCounts() {
	h.weir.must(nil, "audit", "verify")
	file := h.weir.path("log.jsonl")
	h.weir.must(nil, "audit", "export", "-o", file)
	text, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	rotations, rewrapped := 0, 0
	for line := range bytes.Lines(text) {
		e, err := ledger.ParseLine(bytes.TrimSpace(line))
		if err != nil {
			h.t.Fatal(err)
		}
		switch e.Act {
		case "keys.rotate":
			rotations++
		case "keys.rewrap":
			n, err := strconv.Atoi(e.Detail["count"])
			if err != nil {
				h.t.Error(err)
			}
			rewrapped += n
		}
	}
	most := rotations * (h.form.keys + len(h.later))
	if rotations < 2 || rewrapped > most || rewrapped < rotations*h.form.keys {
		h.t.Errorf("the ledger says %d rotations and %d rows, want %d to %d rows", rotations, rewrapped, rotations*h.form.keys, most)
	}
	h.t.Logf("the ledger: %d rotations, %d rows", rotations, rewrapped)
}
