package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/internal/config"
)

func TestResolveSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, mode os.FileMode, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("good", 0o600, "hunter2\n")
	write("lines", 0o400, "one\ntwo\r\n")
	write("open", 0o640, "hunter2\n")
	write("empty", 0o600, "\n")
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	t.Setenv("WEIR_TEST_SECRET", "hunter2")
	for _, c := range []struct{ ref, want, wrong string }{
		{"file:good", "hunter2", ""},
		{"file:" + filepath.Join(dir, "good"), "hunter2", ""},
		{"file:lines", "one\ntwo", ""},
		{"credential:good", "hunter2", ""},
		{"env:WEIR_TEST_SECRET", "hunter2", ""},
		{"file:open", "", "mode 0640"},
		{"file:empty", "", "empty"},
		{"file:none", "", "no such file"},
		{"file:.", "", "regular file"},
		{"credential:../good", "", "not a reference"},
		{"credential:open", "", "mode 0640"},
		{"env:WEIR_TEST_NOTHING", "", "not set"},
		{"hunter2", "", "not a reference"},
		{"https://hunter2", "", "not a reference"},
		{"file:", "", "not a reference"},
	} {
		t.Run(c.ref, func(t *testing.T) {
			secret, err := config.ResolveSecret(c.ref, dir)
			if c.wrong == "" {
				if err != nil || string(secret.Reveal()) != c.want {
					t.Errorf("got %d bytes, %v", len(secret.Reveal()), err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Fatalf("got %v, want …%s…", err, c.wrong)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the message repeats the secret")
			}
		})
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := config.ResolveSecret("credential:good", dir); err == nil || !strings.Contains(err.Error(), "systemd sets it") {
		t.Errorf("outside a service: %v", err)
	}
}

func TestFileOf(t *testing.T) {
	if path, ok := config.FileOf("file:/k"); !ok || path != "/k" {
		t.Errorf("got %q %v", path, ok)
	}
	if _, ok := config.FileOf("credential:k"); ok {
		t.Error("a credential is not a file of ours")
	}
}
