package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/weirhq/weir"
)

// ErrUnnumbered is returned for an entry that the sequencer has not numbered.
var ErrUnnumbered = errors.New("ledger: the entry has no number yet")

// ErrLine is returned for bytes that are not the canonical line of an entry.
var ErrLine = errors.New("ledger: not the canonical line of an entry")

// line has the fields of weir.Entry in the order of their keys. Adding a field
// anywhere but with omitempty would change the hash of every old entry.
type line struct {
	Act     string            `json:"act"`
	At      time.Time         `json:"at"`
	By      string            `json:"by"`
	Detail  map[string]string `json:"detail,omitempty"`
	Org     weir.OrgID        `json:"org,omitempty"`
	Request weir.RequestID    `json:"request,omitempty"`
	Seq     int64             `json:"seq"`
	Step    weir.StepID       `json:"step,omitempty"`
}

// Line returns the canonical JSON of one numbered entry, without a newline:
// keys sorted, no white space, no HTML escapes, time in UTC. It is what the
// Merkle leaf hashes and what an export prints.
func Line(e weir.Entry) ([]byte, error) {
	if e.Seq < 1 {
		return nil, ErrUnnumbered
	}
	return encodeEntry(e)
}

// ParseLine reads a line back and refuses any but the canonical spelling.
func ParseLine(raw []byte) (weir.Entry, error) {
	var l line
	if err := strictDecode(raw, &l); err != nil {
		return weir.Entry{}, ErrLine
	}
	e := weir.Entry{
		Seq: l.Seq, At: l.At, By: l.By, Act: l.Act,
		Org: l.Org, Request: l.Request, Step: l.Step, Detail: l.Detail,
	}
	again, err := Line(e)
	if err != nil {
		return weir.Entry{}, err
	}
	if !bytes.Equal(again, raw) {
		return weir.Entry{}, ErrLine
	}
	return e, nil
}

func encodeEntry(e weir.Entry) ([]byte, error) { return appendEntry(nil, e) }

// WriteLines writes entries as the text that Verify reads, many lines at once.
// Numbers are not judged here: a wrong one is for Verify to find.
func WriteLines(to io.Writer, entries iter.Seq2[weir.Entry, error]) error {
	const piece = 256 << 10
	var text []byte // reused
	for e, err := range entries {
		if err != nil {
			return err
		}
		if text, err = appendEntry(text, e); err != nil {
			return err
		}
		if text = append(text, '\n'); len(text) >= piece {
			if _, err := to.Write(text); err != nil {
				return err
			}
			text = text[:0]
		}
	}
	_, err := to.Write(text)
	return err
}

// compactJSON encodes v on one line and leaves <, > and & as they are.
func compactJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode JSON: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// canonical encodes v with all keys sorted, at every depth. Numbers keep their
// digits.
func canonical(v any) ([]byte, error) {
	first, err := compactJSON(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(first))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("decode JSON: %w", err)
	}
	return compactJSON(tree)
}

// strictDecode refuses unknown keys and anything after the value.
func strictDecode(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("decode JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("decode JSON: something follows the value")
	}
	return nil
}
