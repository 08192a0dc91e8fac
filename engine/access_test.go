package engine_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/vault"
)

// opened decrypts the package of a request and returns its files by name.
func (w *world) opened(id weir.RequestID) map[string][]byte {
	w.t.Helper()
	_, path, err := w.engine.Package(w.t.Context(), id, "kim")
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	plain, err := vault.Decrypt(w.identity, f)
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := io.ReadAll(plain)
	if err != nil {
		w.t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(all), int64(len(all)))
	if err != nil {
		w.t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, entry := range z.File {
		r, err := entry.Open()
		if err != nil {
			w.t.Fatal(err)
		}
		if files[entry.Name], err = io.ReadAll(r); err != nil {
			w.t.Fatal(err)
		}
	}
	return files
}

func TestAccessPackageHoldsExactlyTheSubject(t *testing.T) {
	for name, profile := range map[string]emulator.Profile{"calm": emulator.Calm(), "rude": emulator.Rude()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{org: emulator.Options{Seed: 3, Profile: profile}})
				r := w.submit(weir.Access, 1)
				r = w.until(r.ID, 72*time.Hour, weir.Delivered)
				files := w.opened(r.ID)
				for object, ids := range w.subjects[1].Records {
					var rows []map[string]any
					if err := json.Unmarshal(files["data/"+object+".json"], &rows); err != nil {
						t.Fatalf("%s: %v", object, err)
					}
					if len(rows) != len(ids) {
						t.Errorf("%s: %d rows, want %d", object, len(rows), len(ids))
					}
				}
				for file, text := range files {
					if bytes.Contains(text, []byte("evil.test")) {
						t.Errorf("%s holds somebody else's address", file)
					}
				}
				if !bytes.Contains(files["data/Contact.json"], []byte(w.subjects[1].Email)) {
					t.Error("the subject's own address is missing")
				}
				w.clean()
				if w.org.Truth().Mutations != nil && name == "calm" {
					t.Error("an access request wrote to the org")
				}
			})
		})
	}
}

// Nothing of the subject is readable in the data directory, at any time.
func TestNothingReadableAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		r := w.submit(weir.Access, 0)
		w.until(r.ID, 72*time.Hour, weir.Delivered)
		for _, canary := range []string{w.subjects[0].Email, strings.ToUpper(w.subjects[0].Email), "O'Neil", "Order 1"} {
			found := grep(t, w.options.DataDir, canary)
			found = append(found, grep(t, w.dir, canary)...)
			if len(found) > 0 {
				t.Errorf("%d files hold a canary in clear, such as %s", len(found), found[0])
			}
		}
	})
}
