package export

import (
	_ "embed" // the page is a file of its own
	"errors"
	"fmt"
	"html/template"
)

//go:embed package.html
var packagePage string

// pageRows bounds what the page shows of one table: a browser cannot hold more
// in comfort. JSON and CSV always hold all of it.
const pageRows = 2000

// errEnough ends a reading when the page is full.
var errEnough = errors.New("enough for the page")

// record is one record on the page.
type record struct {
	N      int64
	Fields []cell
}

type cell struct{ Label, Value string }

// writePage writes index.html and returns remarks for the manifest.
func (w *Writer) writePage() (remarks []string, err error) {
	t, err := template.New("page").Parse(packagePage)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	e, err := w.create("index.html")
	if err != nil {
		return nil, err
	}
	put := func(part string, data any) error {
		if err := t.ExecuteTemplate(e, part, data); err != nil {
			return fmt.Errorf("page part %s: %w", part, err)
		}
		return nil
	}
	type summary struct {
		Object string
		Count  int64
	}
	var list []summary
	for _, s := range w.tables {
		list = append(list, summary{s.Object, s.count})
	}
	if err := put("head", struct {
		Meta
		Created string
		Tables  []summary
	}{w.meta, w.meta.CreatedAt.Format("2006-01-02 15:04:05 UTC"), list}); err != nil {
		return nil, err
	}
	for _, s := range w.tables {
		if err := w.pageTable(e, s, put); err != nil {
			return nil, fmt.Errorf("table %s: %w", s.Object, err)
		}
		if s.count > pageRows {
			remarks = append(remarks, fmt.Sprintf("index.html shows the first %d of %d records of %s.", pageRows, s.count, s.Object))
		}
	}
	if err := put("foot", nil); err != nil {
		return nil, err
	}
	w.end(e)
	return remarks, nil
}

func (w *Writer) pageTable(e *entry, s *shown, put func(string, any) error) error {
	if err := put("table", struct {
		Object       string
		Count, Limit int64
	}{s.Object, s.count, pageRows}); err != nil {
		return err
	}
	cells := map[string]string{}
	n := int64(0)
	digest, err := read(s.rows, func(_ []byte, row map[string]any) error {
		if n == pageRows {
			return errEnough
		}
		n++
		e.Rows++
		clear(cells)
		flatten(row, func(name, value string) { cells[name] = value })
		r := record{N: n}
		for _, c := range s.columns {
			if cells[c] == "" {
				continue
			}
			value, shown := visible(cells[c])
			e.Visible += one(shown)
			r.Fields = append(r.Fields, cell{s.label(c), value})
		}
		return put("record", r)
	})
	switch {
	case errors.Is(err, errEnough):
	case err != nil:
		return err
	case digest != s.digest:
		return ErrChanged
	}
	return put("tail", nil)
}

func (s *shown) label(column string) string {
	if l := s.Labels[column]; l != "" {
		column = l
	}
	column, _ = visible(column)
	return column
}
