package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Beyond these a nested value stays JSON text in one cell, so that no record
// can make a table of any width.
const (
	maxDepth = 8
	maxItems = 32
)

// errNotObject says that a row is not one JSON object. It never quotes the row.
var errNotObject = errors.New("not one JSON object")

// decodeRow reads one record; numbers keep their digits.
func decodeRow(raw []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var row map[string]any
	// The decoder's own errors may quote a value; ours never does.
	if err := dec.Decode(&row); err != nil || row == nil {
		return nil, errNotObject
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotObject
	}
	return row, nil
}

// flatten calls put for each leaf of a record with its dotted name.
func flatten(row map[string]any, put func(name, value string)) {
	for k, v := range row {
		flattenValue(k, v, 1, put)
	}
}

func flattenValue(name string, v any, depth int, put func(name, value string)) {
	switch v := v.(type) {
	case map[string]any:
		if depth >= maxDepth || len(v) == 0 {
			put(name, jsonText(v))
			return
		}
		for k, inner := range v {
			if k == "attributes" && isAttributes(inner) {
				continue // Salesforce's type and URL of a nested record
			}
			flattenValue(name+"."+k, inner, depth+1, put)
		}
	case []any:
		if depth >= maxDepth || len(v) == 0 || len(v) > maxItems {
			put(name, jsonText(v))
			return
		}
		for i, inner := range v {
			flattenValue(name+"."+strconv.Itoa(i), inner, depth+1, put)
		}
	default:
		put(name, scalar(v))
	}
}

func isAttributes(v any) bool {
	m, ok := v.(map[string]any)
	_, typed := m["type"]
	return ok && typed
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return "" // null
}

// jsonText cannot fail: v came out of a JSON decoder.
func jsonText(v any) string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSuffix(buf.String(), "\n")
}

// columns orders the names that were seen: the table's fields first, each with
// what is nested in it, then the rest by name. A field that no row filled keeps
// its column.
func columns(fields []string, seen map[string]struct{}) []string {
	rest := make([]string, 0, len(seen))
	for name := range seen {
		rest = append(rest, name)
	}
	slices.SortFunc(rest, byPath)
	var out []string
	used := map[string]bool{}
	add := func(name string) {
		if !used[name] {
			used[name] = true
			out = append(out, name)
		}
	}
	for _, f := range fields {
		nested := false
		for _, name := range rest {
			if strings.HasPrefix(name, f+".") {
				add(name)
				nested = true
			}
		}
		if _, ok := seen[f]; ok || !nested {
			add(f)
		}
	}
	for _, name := range rest {
		add(name)
	}
	return out
}

// byPath compares dotted names part by part, numbers by value.
func byPath(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		i, errX := strconv.Atoi(x)
		j, errY := strconv.Atoi(y)
		if errX == nil && errY == nil {
			return i - j
		}
		return strings.Compare(x, y)
	})
}
