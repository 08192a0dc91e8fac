package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// TestPictureShowsTheRecording reads the text back out of the picture.
func TestPictureShowsTheRecording(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		printable := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool {
			return r != '\ufffd' && (unicode.IsGraphic(r) || r == ' ')
		}))
		lines := rapid.SliceOfN(printable, 1, 8).Draw(t, "lines")
		columns := rapid.IntRange(20, 120).Draw(t, "columns")
		recording := strings.Join(lines, "\n")
		if strings.TrimSpace(recording) == "" {
			return
		}
		picture, err := draw(recording, "title & <more>", columns)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := textOf(t, picture), strings.Join(lines, ""); got != want {
			t.Fatalf("drew %q, recorded %q", got, want)
		}
	})
}

// textOf returns the character data of the rows, without the title.
func textOf(t *rapid.T, picture []byte) string {
	dec := xml.NewDecoder(bytes.NewReader(picture))
	var out strings.Builder
	row := false
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			row = row && x.Name.Local == "tspan"
			for _, a := range x.Attr {
				row = row || a.Name.Local == "space"
			}
		case xml.EndElement:
			row = row && x.Name.Local == "tspan"
		case xml.CharData:
			if row {
				out.Write(x)
			}
		}
	}
}

func TestColours(t *testing.T) {
	l, err := parse("$ weir \x1b[32mdone\x1b[0m.")
	if err != nil {
		t.Fatal(err)
	}
	want := line{{"p", "$ weir "}, {"c32", "done"}, {"", "."}}
	if len(l) != len(want) || l[0] != want[0] || l[1] != want[1] || l[2] != want[2] {
		t.Errorf("got %q, want %q", l, want)
	}
}

func TestRefusals(t *testing.T) {
	for name, recording := range map[string]string{
		"empty":         " \n",
		"cursor moves":  "a\x1b[2Kb",
		"bell":          "a\ab",
		"not UTF-8":     "a\xff",
		"carriage only": "a\rb",
	} {
		if _, err := draw(recording, "", 80); err == nil {
			t.Errorf("%s: drawn", name)
		}
	}
	if _, err := draw("a", "", 5); err == nil {
		t.Error("a terminal of five columns was drawn")
	}
}

func TestRun(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := run([]string{"-title", "demo"}, strings.NewReader("hello\n"), &out, &errOut); code != 0 || !strings.Contains(out.String(), ">hello</text>") {
		t.Errorf("exit %d: %s%s", code, out.String(), errOut.String())
	}
	if code := run(nil, strings.NewReader(""), &out, &errOut); code != 1 {
		t.Errorf("an empty recording ended with %d", code)
	}
	if code := run([]string{"-x"}, strings.NewReader("a"), &out, &errOut); code != 2 {
		t.Errorf("an unknown flag ended with %d", code)
	}
}
