package export_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/weirhq/weir/internal/export"
)

// hostile is what attackers put into records: formulas, markup, terminal
// sequences and text that turns around.
func hostile() []string {
	return []string{
		`=cmd|'/C calc'!A0`, `+1+1`, `-2+3+cmd|' /C calc'!A0`, `@SUM(1+1)`, "\t=1+1", "\r=1+1", "\n=1+1", "\x00=1+1", "＝1+1",
		`a;=1+1`, "x\n=1+1", `x";=1+1;"`, ` =1+1`, `"=1+1"`, `',"=1+1`,
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</td></table><iframe src="//evil">`, `{{.Request}}`, `<!--`, `]]>`,
		`javascript:alert(1)`, `&lt;b&gt;`, `</style><script>`, `' onmouseover='alert(1)`,
		"\x1b[2J\x1b]0;owned\x07", "\u009b31m", "\x7f\x08", "abc\u202etxt.exe", "\u2066x", "a\u2028b", "\ufeff=1+1",
	}
}

func TestHostileValuesComeOutHarmless(t *testing.T) {
	var list []string
	for _, h := range hostile() {
		list = append(list, object(t, map[string]any{"Id": "1", "Name": h, "Nested": map[string]any{"Deep": []any{h}}}))
	}
	// A hostile column name, and bytes that are not UTF-8.
	list = append(list, object(t, map[string]any{`=1+1<script>` + "\x1b": "x"}), "{\"Id\":\"2\",\"Name\":\"\x9b31m\xff\"}")
	m, files, _ := pack(t, table{
		export.Table{Object: "Contact", Fields: []string{"Id"}, Labels: map[string]string{"Name": "<script>\x1b"}}, rows(list...),
	})
	checkManifest(t, m, files)
	for name, text := range files {
		checkInert(t, name, text)
	}
	checkCells(t, readCSV(t, files["data/Contact.csv"]))
	checkPage(t, files["index.html"])

	var back []map[string]any
	if err := json.Unmarshal([]byte(files["data/Contact.json"]), &back); err != nil {
		t.Fatal(err)
	}
	for i, h := range hostile() {
		if back[i]["Name"] != h {
			t.Errorf("value %d is not raw in the JSON", i)
		}
	}
	csvFile := m.Files[slices.IndexFunc(m.Files, func(f export.File) bool { return f.Path == "data/Contact.csv" })]
	if csvFile.Guarded != 2*14 || csvFile.Visible != 2*4 {
		t.Errorf("the manifest counts %d guarded and %d visible cells", csvFile.Guarded, csvFile.Visible)
	}
}

// checkInert demands that no terminal obeys a file that is printed.
func checkInert(t testing.TB, name, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is not UTF-8", name)
	}
	for _, r := range text {
		if r < 0x20 && r != '\n' && r != '\r' && r != '\t' || r >= 0x7f && r <= 0x9f {
			t.Errorf("%s holds the control character %U", name, r)
			return
		}
	}
}

// checkCells demands that no cell is a formula, for a reader with commas and
// for one that splits the same cell at other separators.
func checkCells(t testing.TB, lines [][]string) {
	t.Helper()
	for i, l := range lines {
		for j, c := range l {
			for k, part := range strings.FieldsFunc(c, func(r rune) bool { return strings.ContainsRune(";\t\r\n", r) }) {
				if part = strings.TrimLeft(part, " \u00a0\u200b\ufeff"); part != "" && strings.ContainsAny(part[:1], "=+-@") {
					t.Errorf("line %d, cell %d, part %d begins with %q", i, j, k, part[:1])
				}
			}
			if c != "" && strings.ContainsAny(c[:1], "\t\r\n\x00") {
				t.Errorf("line %d, cell %d begins with %q", i, j, c[:1])
			}
		}
	}
}

// checkPage parses the page and allows only the elements and attributes that
// the page itself uses.
func checkPage(t testing.TB, page string) {
	t.Helper()
	elements := strings.Fields("html head meta title style body main h1 h2 h3 p code ul li a section table tbody tr th td bdi")
	attributes := strings.Fields("lang charset http-equiv content name class id href scope")
	dec := xml.NewDecoder(strings.NewReader(page))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("the page does not parse: %v", err)
			return
		}
		el, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(elements, el.Name.Local) {
			t.Errorf("the page has the element %q", el.Name.Local)
		}
		for _, a := range el.Attr {
			if !slices.Contains(attributes, a.Name.Local) || a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#t-") {
				t.Errorf("the page has the attribute %s", a.Name.Local)
			}
		}
	}
}

// Whatever strings a record holds, the CSV and the page are harmless and the
// JSON gives the strings back.
func TestAnyValueComesOutHarmless(t *testing.T) {
	piece := rapid.OneOf(rapid.SampledFrom(hostile()), rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("=+-@;,\"'\t\r\n <>&\x00\x1b\u0085\u202e ab"))))
	rapid.Check(t, func(rt *rapid.T) {
		var list, values []string
		for range rapid.IntRange(1, 4).Draw(rt, "rows") {
			v := strings.Join(rapid.SliceOfN(piece, 1, 3).Draw(rt, "value"), "")
			values = append(values, v)
			list = append(list, object(t, map[string]any{"V": v}))
		}
		m, files, _ := pack(t, table{export.Table{Object: "Contact"}, rows(list...)})
		checkManifest(t, m, files)
		for name, text := range files {
			checkInert(t, name, text)
		}
		checkCells(t, readCSV(t, files["data/Contact.csv"]))
		checkPage(t, files["index.html"])
		var back []map[string]string
		if err := json.Unmarshal([]byte(files["data/Contact.json"]), &back); err != nil {
			rt.Fatal(err)
		}
		for i, v := range values {
			if back[i]["V"] != v {
				rt.Fatalf("value %d changed in the JSON", i)
			}
		}
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// Width and depth of a record are bounded: what lies beyond is JSON text.
func TestWideAndDeepRecords(t *testing.T) {
	wide := `{"A":[` + strings.Repeat(`"=1",`, 99) + `"=1"],"E":[],"O":{}}`
	deep := `{"D":` + strings.Repeat(`{"x":`, 40) + `"=1"` + strings.Repeat(`}`, 40) + `}`
	_, files, _ := pack(t, table{export.Table{Object: "Contact"}, rows(wide, deep)})
	got := readCSV(t, files["data/Contact.csv"])
	if len(got[0]) != 4 {
		t.Errorf("columns: %q", got[0])
	}
	checkCells(t, got)
	if !strings.HasPrefix(got[1][0], `["=1"`) || got[1][2] != "[]" || got[1][3] != "{}" {
		t.Errorf("line 1 has %d cells", len(got[1]))
	}
}
