package export_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/export"
)

var meta = export.Meta{
	Request: "R-00000001", Subject: "s:0123456789ab", Org: "prod", Law: "gdpr",
	CreatedAt: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
}

// rows is a source over a fixed list.
func rows(list ...string) export.Rows {
	return func(yield func([]byte) error) error {
		for _, r := range list {
			if err := yield([]byte(r)); err != nil {
				return fmt.Errorf("source: %w", err)
			}
		}
		return nil
	}
}

// object encodes a record.
func object(t testing.TB, fields map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

type table struct {
	export.Table
	rows export.Rows
}

// pack writes a package and returns its files.
func pack(t testing.TB, tables ...table) (export.Manifest, map[string]string, []byte) {
	t.Helper()
	var out bytes.Buffer
	w := export.NewWriter(&out, meta)
	for _, tb := range tables {
		if err := w.Table(tb.Table, tb.rows); err != nil {
			t.Fatal(err)
		}
	}
	m, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return m, unzip(t, out.Bytes()), out.Bytes()
}

func unzip(t testing.TB, raw []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		if !f.Modified.Equal(meta.CreatedAt) {
			t.Errorf("%s bears the time %v", f.Name, f.Modified)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

func readCSV(t testing.TB, text string) [][]string {
	t.Helper()
	out, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// checkManifest compares every hash, size and the list of files with the zip.
func checkManifest(t testing.TB, m export.Manifest, files map[string]string) {
	t.Helper()
	var listed export.Manifest
	if err := json.Unmarshal([]byte(files["manifest.json"]), &listed); err != nil {
		t.Fatal(err)
	}
	if listed.Schema != export.Schema || len(listed.Files) != len(m.Files) || len(m.Files) != len(files)-1 {
		t.Errorf("manifest lists %d files under %q, the zip holds %d", len(listed.Files), listed.Schema, len(files))
	}
	for i, f := range m.Files {
		text, ok := files[f.Path]
		sum := sha256.Sum256([]byte(text))
		if !ok || f.SHA256 != hex.EncodeToString(sum[:]) || f.Size != int64(len(text)) || listed.Files[i] != f {
			t.Errorf("manifest of %s does not fit the file", f.Path)
		}
	}
}
