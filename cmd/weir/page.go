package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/weirhq/weir/internal/web"
)

// page collects what a person reads, so that it is written at once and a
// closed pipe is one error.
type page struct {
	buf    bytes.Buffer
	now    time.Time
	colour bool
}

func (p *page) linef(format string, args ...any) { fmt.Fprintf(&p.buf, format+"\n", args...) }

func (p *page) raw(text string) { p.buf.WriteString(text) }

// The colours say again what the words say, and never more.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	dim    = "2"
	bold   = "1"
)

func (p *page) paint(colour, text string) string { return paint(p.colour, colour, text) }

func paint(on bool, colour, text string) string {
	if !on || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// show writes a document, or for people what text makes of it.
func (a *app) show(doc any, text func(*page)) error {
	if a.json {
		return writeJSON(a.out, doc)
	}
	return a.print(a.out, text)
}

func (a *app) print(to io.Writer, text func(*page)) error {
	p := &page{now: a.now().UTC(), colour: a.colour(to)}
	text(p)
	if _, err := io.WriteString(to, visible(p.buf.String(), p.colour)); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// writeJSON writes one document on one line.
func writeJSON(to io.Writer, doc any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	if _, err := to.Write(inertJSON(b.Bytes())); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// progress is for people who wait; scripts and quiet ones do not get it.
func (a *app) progress(format string, args ...any) {
	if !a.json && !a.quiet {
		fmt.Fprintln(a.err, visible(fmt.Sprintf(format, args...), a.colour(a.err)))
	}
}

// tell writes an error for people: what happened, then what to do.
func (a *app) tell(f *web.Failure) {
	fmt.Fprintln(a.err, paint(a.colour(a.err), red, "weir:"), visible(f.Message, false))
	for _, s := range f.Problems {
		fmt.Fprintln(a.err, " ", visible(s, false))
	}
	if f.Hint != "" {
		fmt.Fprintln(a.err, " ", visible(f.Hint, false))
	}
}

// tellJSON writes an error as one line.
func (a *app) tellJSON(f *web.Failure) {
	_ = writeJSON(a.err, f) // the error is the last thing there is to say
}
