package main

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The measures of the picture, in pixels. A character of the fonts below is
// 0.6 of the font's size wide.
const (
	fontSize = 13
	advance  = 7.8
	leading  = 19
	margin   = 16
	bar      = 34 // the window's title
)

// style follows the reader's system; the colours keep a contrast of 4.5 to 1.
//
//nolint:misspell // CSS spells it so
const style = `
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; fill: #24292f; }
.w { fill: #ffffff; stroke: #d0d7de; } .t { fill: #57606a; } .p { font-weight: bold; }
.c1 { font-weight: bold; } .c2 { fill: #57606a; } .c31 { fill: #b3261e; } .c32 { fill: #116329; } .c33 { fill: #7d4e00; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .w { fill: #0d1117; stroke: #3d444d; } .t, .c2 { fill: #9198a1; }
  .c31 { fill: #ff7b72; } .c32 { fill: #56d364; } .c33 { fill: #e3b341; }
}
`

// draw makes the picture of a recording.
func draw(recording, title string, columns int) ([]byte, error) {
	if columns < 20 {
		return nil, errors.New("a terminal has at least 20 columns")
	}
	if strings.TrimSpace(recording) == "" {
		return nil, errors.New("nothing was recorded")
	}
	var lines []line
	for text := range strings.Lines(recording) {
		l, err := parse(strings.TrimRight(text, "\r\n"))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(lines)+1, err)
		}
		lines = append(lines, l.broken(columns)...)
	}
	var b bytes.Buffer
	width, height := int(float64(columns)*advance)+2*margin, bar+len(lines)*leading+margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`, width, height, width, height)
	fmt.Fprintf(&b, "\n<title>%s</title>\n<style>%s</style>\n", html.EscapeString(title), style)
	fmt.Fprintf(&b, `<rect class="w" x="0.5" y="0.5" width="%d" height="%d" rx="8"/>`, width-1, height-1)
	fmt.Fprintf(&b, "\n"+`<text class="t" x="%d" y="22">%s</text>`+"\n", margin, html.EscapeString(title))
	for i, l := range lines {
		if len(l) == 0 {
			continue
		}
		fmt.Fprintf(&b, `<text xml:space="preserve" x="%d" y="%d">`, margin, bar+i*leading+fontSize)
		for _, s := range l {
			b.WriteString(s.svg())
		}
		b.WriteString("</text>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

// line is one row of the terminal.
type line []span

// span is text of one colour.
type span struct {
	class string
	text  string
}

func (s span) svg() string {
	if s.class == "" {
		return html.EscapeString(s.text)
	}
	return `<tspan class="` + s.class + `">` + html.EscapeString(s.text) + `</tspan>`
}

// colourCode is the only thing but text that a recording may hold.
var colourCode = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// parse takes a line apart at its colours. A line that begins with "$ " was
// typed by a person.
func parse(text string) (line, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("not UTF-8")
	}
	var out line
	class := ""
	if strings.HasPrefix(text, "$ ") {
		class = "p"
	}
	add := func(part string) error {
		if i := strings.IndexFunc(part, unicode.IsControl); i >= 0 {
			return fmt.Errorf("a control character (%#x) cannot be drawn: record without a terminal", part[i])
		}
		if part != "" {
			out = append(out, span{class, part})
		}
		return nil
	}
	rest := text
	for _, at := range colourCode.FindAllStringSubmatchIndex(text, -1) {
		if err := add(rest[:at[0]-(len(text)-len(rest))]); err != nil {
			return nil, err
		}
		switch code := text[at[2]:at[3]]; code {
		case "", "0":
			class = ""
		default:
			class = "c" + code
		}
		rest = text[at[1]:]
	}
	return out, add(rest)
}

// broken cuts a line into rows of at most so many characters.
func (l line) broken(columns int) []line {
	rows := []line{nil}
	left := columns
	for _, s := range l {
		for s.text != "" {
			if left == 0 {
				rows, left = append(rows, nil), columns
			}
			end := prefix(s.text, left)
			last := len(rows) - 1
			rows[last] = append(rows[last], span{s.class, s.text[:end]})
			left -= utf8.RuneCountInString(s.text[:end])
			s.text = s.text[end:]
		}
	}
	return rows
}

// prefix is how many bytes the first n characters take.
func prefix(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}
