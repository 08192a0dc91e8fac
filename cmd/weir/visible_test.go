package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weirhq/weir/internal/web"
)

// obeyed finds what a terminal would act on.
func obeyed(text string) []string {
	if i := strings.IndexFunc(text, acts); i >= 0 || !utf8.ValidString(text) {
		return []string{"it printed a character that a terminal obeys"}
	}
	return nil
}

func FuzzVisible(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[2J\x1b]0;owned\x07", "\u009b31m", "a\rb", "\x7f\x08", "abc\u202etxt", "\xff", "\x1b[31mred\x1b[0m", "é\n\tü", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := visible(s, false); obeyed(got) != nil {
			t.Errorf("%q became %q", s, got)
		}
		coloured := visible("\x1b["+red+"m"+s+"\x1b[0m", true)
		for _, code := range []string{red, green, yellow, dim, bold, "0"} {
			coloured = strings.ReplaceAll(coloured, "\x1b["+code+"m", "")
		}
		if obeyed(coloured) != nil {
			t.Errorf("%q became %q with colours", s, coloured)
		}
		var out, errOut bytes.Buffer
		a := newApp(nil, &out, &errOut)
		a.tell(web.Fail(web.ExitFailure, "code", s, "%s", s))
		a.progress("%s", s)
		if err := a.show(nil, func(p *page) { p.linef("%s", s); p.grid([]string{"a"}, [][]string{{s}}) }); err != nil {
			t.Fatal(err)
		}
		if obeyed(out.String()+errOut.String()) != nil {
			t.Errorf("%q was printed as %q %q", s, out.String(), errOut.String())
		}
		out.Reset()
		if err := writeJSON(&out, s); err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != strings.ToValidUTF8(s, string(utf8.RuneError)) && utf8.ValidString(s) || obeyed(out.String()) != nil {
			t.Errorf("%q became %q: %v", s, out.String(), err)
		}
	})
}
