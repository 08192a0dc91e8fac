package export_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/internal/export"
)

func TestPackage(t *testing.T) {
	contact := table{
		export.Table{Object: "Contact", Fields: []string{"Id", "Name", "Owner", "Phone"}, Labels: map[string]string{"Name": "Full name"}},
		rows(
			`{"Id":"003A","Name":"Ann O'Hara","Owner":{"attributes":{"type":"User","url":"/x"},"Name":"Bo"},"Amount":12.50,"Big":12345678901234567890,"Ok":true,"Gone":null}`,
			`{ "Id": "003B", "Name": "Zoë; \"Z\"", "Owner": null, "Tags": ["a", "b"], "Kids": {"records": [{"Id": "k1"}]} }`,
		),
	}
	empty := table{export.Table{Object: "Case", Fields: []string{"Id", "Subject"}}, rows()}
	m, files, _ := pack(t, contact, empty)
	checkManifest(t, m, files)
	if m.Records() != 2 {
		t.Errorf("records: %d", m.Records())
	}
	wantCSV := [][]string{
		{"Id", "Name", "Owner", "Owner.Name", "Phone", "Amount", "Big", "Gone", "Kids.records.0.Id", "Ok", "Tags.0", "Tags.1"},
		{"003A", "Ann O'Hara", "", "Bo", "", "12.50", "12345678901234567890", "", "", "true", "", ""},
		{"003B", `Zoë; "Z"`, "", "", "", "", "", "", "k1", "", "a", "b"},
	}
	got := readCSV(t, files["data/Contact.csv"])
	// Owner itself was seen as null, so that it keeps a column beside its child.
	wantCSV[0][2], wantCSV[0][3] = "Owner.Name", "Owner"
	wantCSV[1][2], wantCSV[1][3] = "Bo", ""
	if d := cmp.Diff(wantCSV, got); d != "" {
		t.Error(d)
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(files["data/Contact.json"]), &list); err != nil || len(list) != 2 {
		t.Fatalf("JSON: %d rows, err %v", len(list), err)
	}
	if !strings.Contains(files["data/Contact.json"], `"Amount":12.50,"Big":12345678901234567890`) {
		t.Error("numbers lost digits")
	}
	if strings.TrimSpace(files["data/Case.json"]) != "[]" || strings.TrimSpace(files["data/Case.csv"]) != `"Id","Subject"` {
		t.Errorf("empty table: %q %q", files["data/Case.json"], files["data/Case.csv"])
	}
	page := files["index.html"]
	for _, want := range []string{"Full name", "Ann O&#39;Hara", "Record 2", "Zoë", "No record was found", "-scheme: dark", "default-src 'none'"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	var list []string
	for i := range 50 {
		list = append(list, fmt.Sprintf(`{"Id":"%d","B":{"x":1,"y":[1,2]},"A":"v","Z":null,"M":"=1"}`, i))
	}
	tb := table{export.Table{Object: "Contact", Fields: []string{"Id"}}, rows(list...)}
	_, _, a := pack(t, tb)
	_, _, b := pack(t, tb)
	if !bytes.Equal(a, b) {
		t.Error("two packages of the same rows differ")
	}
}

func TestRefusals(t *testing.T) {
	good := rows(`{"Id":"1"}`)
	for name, tables := range map[string][]string{
		"empty": {""}, "path": {"../../etc/x"}, "markup": {"<b>"}, "digit": {"9a"}, "repeated": {"Contact", "contact"}, "long": {strings.Repeat("a", 81)},
	} {
		w := export.NewWriter(io.Discard, meta)
		var err error
		for _, o := range tables {
			err = w.Table(export.Table{Object: o}, good)
		}
		if !errors.Is(err, export.ErrTable) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.Close(); !errors.Is(err, export.ErrTable) {
			t.Errorf("%s: a spoilt package was closed: %v", name, err)
		}
	}
	for _, raw := range []string{`secret`, `["secret"]`, `null`, `{"a":"secret"}{}`, `{"a":"secret"`, `{"a":secret}`, ``} {
		w := export.NewWriter(io.Discard, meta)
		err := w.Table(export.Table{Object: "Contact"}, rows(`{"Id":"1"}`, raw))
		if !errors.Is(err, export.ErrRow) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "row 2") {
			t.Errorf("%s: %v", strings.ReplaceAll(raw, "secret", "*"), err)
		}
	}
	broken := errors.New("vault")
	w := export.NewWriter(io.Discard, meta)
	if err := w.Table(export.Table{Object: "Contact"}, func(func([]byte) error) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("source: %v", err)
	}
	w = export.NewWriter(full{}, meta)
	err := w.Table(export.Table{Object: "Contact"}, good)
	if _, closeErr := w.Close(); err == nil && !errors.Is(closeErr, errFull) {
		t.Errorf("full disk: %v, %v", err, closeErr)
	}
	w = export.NewWriter(io.Discard, meta)
	if _, err := w.Close(); err != nil {
		t.Errorf("package without tables: %v", err)
	}
	if err := w.Table(export.Table{Object: "Contact"}, good); !errors.Is(err, export.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// A source that yields something else the second or third time is noticed.
func TestChangedSource(t *testing.T) {
	for _, change := range []int{2, 3} {
		n := 0
		source := func(yield func([]byte) error) error {
			n++
			if n == change {
				return yield([]byte(`{"Id":"2"}`))
			}
			return yield([]byte(`{"Id":"1"}`))
		}
		w := export.NewWriter(io.Discard, meta)
		err := w.Table(export.Table{Object: "Contact"}, source)
		if err == nil {
			_, err = w.Close()
		}
		if !errors.Is(err, export.ErrChanged) {
			t.Errorf("changed at reading %d: %v", change, err)
		}
	}
}

// Rows are read three times and never kept: the heap must not grow with them.
func TestStreaming(t *testing.T) {
	const n = 2_400
	row := []byte(`{"Id":"003000000000001AAA","Text":"` + strings.Repeat("text ", 400) + `"}`)
	readings, yielded, peak := 0, 0, uint64(0)
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	source := func(yield func([]byte) error) error {
		readings++
		for i := range n {
			if err := yield(row); err != nil {
				return err
			}
			yielded++
			if i%800 == 799 {
				var now runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc)
			}
		}
		return nil
	}
	w := export.NewWriter(io.Discard, meta)
	if err := w.Table(export.Table{Object: "Contact", Fields: []string{"Id", "Text"}}, source); err != nil {
		t.Fatal(err)
	}
	m, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if readings != 3 || m.Files[0].Rows != n || m.Files[1].Rows != n {
		t.Errorf("%d readings, files %+v", readings, m.Files)
	}
	// The page is capped and says so; the third reading ends early.
	if page := m.Files[2]; page.Rows != 2_000 || yielded != 2*n+2_000 || !strings.Contains(strings.Join(m.Notes, " "), "first 2000 of 2400") {
		t.Errorf("page %+v after %d rows, notes %q", page, yielded, m.Notes)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); grown > 2<<20 {
		t.Errorf("the heap grew by %d bytes over 5 MB of rows", grown)
	}
}
