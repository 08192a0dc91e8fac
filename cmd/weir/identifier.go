package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/pii"
)

// maxIdentifiers bounds what is read: a subject has a few identifiers.
const maxIdentifiers = 64 << 10

// identifiers reads the subject's identifiers, one a line; empty lines and
// lines that begin with # are left out. What was read is cleared. A mistake is
// told with its line, and never with what stands there.
func (a *app) identifiers(file string) ([]string, error) {
	raw, err := a.readIdentifiers(file)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	if file == "" || file == "-" {
		file = "standard input"
	}
	var out []string
	n := 0
	for line := range bytes.Lines(raw) {
		n++
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if _, err := engine.ParseIdentifier(pii.NewString(string(line))); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		out = append(out, string(line))
	}
	if len(out) == 0 {
		return nil, usage("One a line, such as email:… Nothing was stored.", "no identifier was given on standard input")
	}
	return out, nil
}

func (a *app) readIdentifiers(file string) ([]byte, error) {
	from := a.in
	if file != "" && file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read the identifiers: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		from = f
	} else if line, err := a.askHidden("Identifier (email:…, phone:… or id:…; not shown): "); err != nil || line != nil {
		return line, err
	}
	raw, err := io.ReadAll(io.LimitReader(from, maxIdentifiers+1))
	if err != nil {
		return nil, fmt.Errorf("read the identifiers: %w", err)
	}
	if len(raw) > maxIdentifiers {
		clear(raw)
		return nil, usage("Submit one request for each subject.", "these are too many identifiers for one subject")
	}
	return raw, nil
}
