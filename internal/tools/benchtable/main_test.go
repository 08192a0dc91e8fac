package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The table takes the place of the one before, and nothing else of the page.
func TestDraw(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "page.md")
	write(t, page, "# Speed\n\n<!-- bench -->\nold\n<!-- /bench -->\nEnd.\n")
	write(t, filepath.Join(dir, "a.json"), `{"schema":"weir.bench/v1","date":"2026-11-25","cores":2,"go":"go1.26","system":"linux/amd64",
		"figures":[{"name":"starts","value":87.654,"unit":"ms","goal":"≤ 100","reached":true,"baseline":"bare 9 ms","load":1.5},
			{"name":"idle","value":61,"unit":"MiB","goal":"≤ 60","load":3}]}`)
	for range 2 { // drawn again, it is the same
		if err := draw(dir, page); err != nil {
			t.Fatal(err)
		}
	}
	text := read(t, page)
	for _, want := range []string{
		"# Speed\n\n<!-- bench -->\n| what ", "| starts | 87.7 ms | ≤ 100 | bare 9 ms |  |\n", "| idle | 61.0 MiB | ≤ 60 (missed) |",
		"2026-11-25, linux/amd64, 2 cores, go1.26; load average 1.5 to 3.0.\n<!-- /bench -->\nEnd.\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "old") {
		t.Error("the table before is still there")
	}
}

func TestDrawRefuses(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "page.md")
	write(t, page, "# no marks\n")
	if err := draw(dir, page); !errors.Is(err, errNoMarks) {
		t.Errorf("a page without marks: %v", err)
	}
	write(t, filepath.Join(dir, "peers.json"), `{"made":"2026-11-25","peers":["a"]}`)
	if err := draw(dir, page); !errors.Is(err, errNoMarks) {
		t.Errorf("figures of another tool are not passed over: %v", err)
	}
	write(t, filepath.Join(dir, "b.json"), `{"schema":"other/v1"}`)
	if err := draw(dir, page); err == nil || !strings.Contains(err.Error(), "other/v1") {
		t.Errorf("figures of another schema: %v", err)
	}
	if got := read(t, page); got != "# no marks\n" {
		t.Errorf("the page was changed: %q", got)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
