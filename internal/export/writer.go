package export

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// Errors of a package that could not be written. No error quotes a row.
var (
	ErrTable   = errors.New("export: malformed or repeated table")
	ErrRow     = errors.New("export: malformed row")
	ErrChanged = errors.New("export: the rows changed between two readings")
	ErrClosed  = errors.New("export: the package is closed")
)

// Writer writes one package. After an error it writes nothing more, and the
// zip file has no directory, so that a partial package cannot pass for a whole.
type Writer struct {
	zip    *zip.Writer
	meta   Meta
	files  []File
	tables []*shown
	names  map[string]bool // of objects, in lower case: some file systems know no other
	buf    []byte          // one row as it is written; holds personal data, cleared by Close
	err    error
}

// shown is a table that was written and still has to appear on the page.
type shown struct {
	Table
	rows    Rows
	columns []string
	count   int64
	digest  [sha256.Size]byte // over all rows of the first reading
}

// NewWriter starts a package on w.
func NewWriter(w io.Writer, meta Meta) *Writer {
	meta.CreatedAt = meta.CreatedAt.UTC()
	return &Writer{zip: zip.NewWriter(w), meta: meta, names: map[string]bool{}}
}

// Table writes data/<Object>.json and data/<Object>.csv, reading the rows once
// for each. The page reads them a third time, in Close.
func (w *Writer) Table(t Table, rows Rows) error {
	if w.err != nil {
		return w.err
	}
	key := strings.ToLower(t.Object)
	if !objectName(t.Object) || w.names[key] {
		return w.fail(fmt.Errorf("%w: object %q", ErrTable, t.Object))
	}
	w.names[key] = true
	s := &shown{Table: t, rows: rows}
	if err := w.writeJSON(s); err != nil {
		return w.fail(fmt.Errorf("export %s as JSON: %w", t.Object, err))
	}
	if err := w.writeCSV(s); err != nil {
		return w.fail(fmt.Errorf("export %s as CSV: %w", t.Object, err))
	}
	w.tables = append(w.tables, s)
	return nil
}

// Close writes index.html and manifest.json and ends the zip file.
func (w *Writer) Close() (Manifest, error) {
	defer func() { clear(w.buf[:cap(w.buf)]) }()
	if w.err != nil {
		return Manifest{}, w.err
	}
	remarks, err := w.writePage()
	if err != nil {
		return Manifest{}, w.fail(fmt.Errorf("export page: %w", err))
	}
	m := Manifest{
		Schema: Schema, Request: w.meta.Request, Subject: w.meta.Subject, Org: w.meta.Org, Law: w.meta.Law,
		CreatedAt: w.meta.CreatedAt, Notes: append(notes(), remarks...), Files: w.files,
	}
	if err := w.writeManifest(m); err != nil {
		return Manifest{}, w.fail(fmt.Errorf("export manifest: %w", err))
	}
	if err := w.zip.Close(); err != nil {
		return Manifest{}, w.fail(fmt.Errorf("end the package: %w", err))
	}
	w.err = ErrClosed
	return m, nil
}

func (w *Writer) writeManifest(m Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	e, err := w.create("manifest.json")
	if err != nil {
		return err
	}
	_, err = e.Write(append(text, '\n'))
	return err
}

func (w *Writer) fail(err error) error {
	w.err = err
	return err
}

func (w *Writer) create(path string) (*entry, error) {
	h := &zip.FileHeader{Name: path, Method: zip.Deflate, Modified: w.meta.CreatedAt}
	h.SetMode(0o600)
	out, err := w.zip.CreateHeader(h)
	if err != nil {
		return nil, fmt.Errorf("begin %s: %w", path, err)
	}
	return &entry{File: File{Path: path}, out: out, sum: sha256.New()}, nil
}

// entry is one file under way.
type entry struct {
	File
	out io.Writer
	sum hash.Hash
}

// Write implements io.Writer.
func (e *entry) Write(p []byte) (int, error) {
	n, err := e.out.Write(p)
	e.sum.Write(p[:n])
	e.Size += int64(n)
	if err != nil {
		return n, fmt.Errorf("write %s: %w", e.Path, err)
	}
	return n, nil
}

// end lists the file in the manifest.
func (w *Writer) end(e *entry) {
	e.SHA256 = hex.EncodeToString(e.sum.Sum(nil))
	w.files = append(w.files, e.File)
}

// writeJSON writes the rows as an array, one a line, and learns what columns
// they have.
func (w *Writer) writeJSON(s *shown) error {
	e, err := w.create("data/" + s.Object + ".json")
	if err != nil {
		return err
	}
	seen := map[string]struct{}{}
	var compact bytes.Buffer
	defer func() { clear(compact.Bytes()) }()
	s.digest, err = read(s.rows, func(raw []byte, row map[string]any) error {
		flatten(row, func(name, _ string) { seen[name] = struct{}{} })
		compact.Reset()
		if err := json.Compact(&compact, raw); err != nil {
			return errNotObject
		}
		w.buf = append(w.buf[:0], separator(e.Rows)...)
		w.buf = appendInert(w.buf, compact.Bytes())
		e.Rows++
		_, err := e.Write(w.buf)
		return err
	})
	if err != nil {
		return err
	}
	tail := "\n]\n"
	if e.Rows == 0 {
		tail = "[]\n"
	}
	if _, err := e.Write([]byte(tail)); err != nil {
		return err
	}
	s.count, s.columns = e.Rows, columns(s.Fields, seen)
	w.end(e)
	return nil
}

func separator(row int64) string {
	if row == 0 {
		return "[\n"
	}
	return ",\n"
}

// writeCSV writes a header and one line a row, every cell in quotes.
func (w *Writer) writeCSV(s *shown) error {
	e, err := w.create("data/" + s.Object + ".csv")
	if err != nil {
		return err
	}
	w.buf = w.buf[:0]
	for i, c := range s.columns {
		w.buf, _, _ = appendCell(w.buf, i, c)
	}
	if _, err := e.Write(append(w.buf, "\r\n"...)); err != nil {
		return err
	}
	cells := map[string]string{}
	digest, err := read(s.rows, func(_ []byte, row map[string]any) error {
		clear(cells)
		flatten(row, func(name, value string) { cells[name] = value })
		w.buf = w.buf[:0]
		for i, c := range s.columns {
			var guarded, shown bool
			w.buf, guarded, shown = appendCell(w.buf, i, cells[c])
			e.Guarded += one(guarded)
			e.Visible += one(shown)
		}
		e.Rows++
		w.buf = append(w.buf, "\r\n"...)
		_, err := e.Write(w.buf)
		return err
	})
	if err != nil {
		return err
	}
	if digest != s.digest {
		return ErrChanged
	}
	w.end(e)
	return nil
}

// appendCell appends the cell of column i, quoted as RFC 4180 says.
func appendCell(dst []byte, i int, cell string) (out []byte, guarded, shown bool) {
	cell, guarded = guard(cell)
	cell, shown = visible(cell)
	if i > 0 {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(cell, `"`, `""`)...)
	return append(dst, '"'), guarded, shown
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// read replays a source once and returns the digest of what it yielded.
func read(rows Rows, each func(raw []byte, row map[string]any) error) (digest [sha256.Size]byte, err error) {
	sum := sha256.New()
	n := 0
	err = rows(func(raw []byte) error {
		n++
		row, err := decodeRow(raw)
		if err != nil {
			return fmt.Errorf("%w %d: %w", ErrRow, n, err)
		}
		sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(raw))))
		sum.Write(raw)
		return each(raw, row)
	})
	sum.Sum(digest[:0])
	return digest, err
}

// objectName keeps paths and markup out of file names: an API name holds
// letters, digits and underscores only, begins with a letter and is short.
func objectName(s string) bool {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	if s == "" || len(s) > 80 || !letter(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !letter(c) && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isJSON(path string) bool {
	return strings.HasPrefix(path, "data/") && strings.HasSuffix(path, ".json")
}
