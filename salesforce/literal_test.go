package salesforce_test

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/salesforce"
)

// metacharacters are what an attacker writes into a value: the signs of SOQL,
// those of SOSL, which weir does not speak, and look-alikes that a lenient
// reader might take for them.
func metacharacters() []string {
	return []string{
		`'`, `"`, `\`, `\'`, `\\`, `\\'`, `\u0027`, `\n`, `\%`, `\_`, `%`, `_`, `(`, `)`, `,`, `;`, `:`, `.`, `=`, `<`, `>`, `!=`, `--`, `/*`, `*/`, `#`,
		` OR `, ` AND `, ` NOT `, ` LIKE `, ` LIMIT 1`, ` FROM User`, `' OR Id != '`, `') OR (Id != null) OR (Id = '`, `' LIMIT 0 --`, `' USING SCOPE everything '`,
		`SELECT Id FROM User`, `{`, `}`, `[`, `]`, `?`, `&`, `|`, `!`, `^`, `~`, `*`, `+`, `-`, `FIND {a*} IN ALL FIELDS`, `} RETURNING Contact`, `NULL`, `TRUE`, `0`,
		`:param`, `$`, "`", "\x00", "\x08", "\x0c", "\n", "\r", "\r\n", "\t", "\x1a", "\x1b[2J", "\x7f", "\u0085", "\u00a0", "\u2028", "\u2029", "\ufeff", "\u202e",
		"\u2018", "\u2019", "\u02bc", "\uff07", "\uff3c", "\u0301", "é", "ß", "İ", "☃", "\U0001f512", "\U0010ffff", "o'neil", "jane@example.com",
	}
}

// hostileValue draws one value: metacharacters, any characters, or both.
func hostileValue(r *rand.Rand, signs []string) string {
	var b strings.Builder
	for range 1 + r.IntN(6) {
		switch r.IntN(4) {
		case 0:
			c := rune(r.IntN(utf8.MaxRune + 1))
			if !utf8.ValidRune(c) {
				c = '\''
			}
			b.WriteRune(c)
		case 1:
			b.WriteByte(byte(r.IntN(0x80)))
		default:
			b.WriteString(signs[r.IntN(len(signs))])
		}
	}
	return b.String()
}

// listener is an org that reads every query with the emulator's parser, which
// shares nothing with ours, and finds nobody.
type listener struct {
	t     *testing.T
	calls int
	heard []emulator.Statement
}

func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	text := `{"access_token":"t"}`
	if !strings.HasSuffix(r.URL.Path, "/token") {
		l.calls++
		text = l.listen(r.Body)
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}, nil
}

func (l *listener) listen(body io.Reader) string {
	var in composite
	if err := json.NewDecoder(body).Decode(&in); err != nil {
		l.t.Error(err)
	}
	l.heard = nil
	var out []string
	for i, sub := range in.CompositeRequest {
		u, err := url.Parse(sub.URL)
		if err != nil {
			l.t.Fatal("a query does not parse as a URL")
		}
		s, err := emulator.ReadStatement(u.Query().Get("q"))
		if err != nil {
			l.t.Errorf("the org refuses a query: %v", err)
		}
		l.heard = append(l.heard, s)
		out = append(out, element(i, 200, "", `{"totalSize":0,"done":true,"records":[]}`))
	}
	return elements(out...)
}

func (l *listener) client() *salesforce.Client {
	c, err := salesforce.New(salesforce.Options{
		InstanceURL: "https://acme.example", Auth: salesforce.ClientCredentials{ID: "x", Secret: secret("y")}, Transport: l,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

// expect demands that the last call's queries hold these values and nothing else.
func (l *listener) expect(values [][]string) (wrong int) {
	if len(l.heard) != len(values) {
		l.t.Fatalf("%d queries were heard", len(l.heard))
	}
	for i, s := range l.heard {
		if s.Object != "Contact" || !slices.Equal(s.Fields, []string{"Id", "Email"}) || len(s.Tests) != 1 || s.Limit != 7 ||
			!slices.Equal(s.Order, []string{"Id ASC"}) || s.Tests[0].Field != "Email" || s.Tests[0].Operator != "IN" || len(s.Tests[0].Values) != len(values[i]) {
			wrong += len(values[i])
			l.t.Errorf("a value changed the query's shape")
			continue
		}
		for j, v := range s.Tests[0].Values {
			if v != values[i][j] {
				wrong++
				l.t.Errorf("%q was read as %q", values[i][j], v)
			}
		}
	}
	return wrong
}

// TestAMillionLiterals sends hostile values through the client's front door and
// demands that the org reads exactly the values that were meant. The short form
// draws 40,000; `make prove-input` a million.
func TestAMillionLiterals(t *testing.T) {
	total := 40_000
	if os.Getenv("WEIR_PROVE") == "long" {
		total = 1_000_000
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 8))
	l := &listener{t: t}
	c := l.client()
	sent, wrong := 0, 0
	for signs := metacharacters(); sent < total && wrong == 0; {
		values := make([][]string, 5)
		queries := make([]salesforce.Query, len(values))
		for i := range values {
			var secrets []pii.Secret
			for range 1 + r.IntN(400) {
				v := hostileValue(r, signs)
				values[i], secrets = append(values[i], v), append(secrets, secret(v))
			}
			sent += len(values[i])
			queries[i] = salesforce.Query{Object: "Contact", Fields: []string{"Id", "Email"}, Where: salesforce.InText("Email", secrets), OrderBy: "Id", Limit: 7}
		}
		if a, _ := c.Query(t.Context(), queries, nil); a.Fault != nil {
			t.Fatalf("seed %d: %+v", seed, a.Fault)
		}
		wrong += l.expect(values)
	}
	t.Logf("seed %d: %d literals in %d calls, %d read as something else", seed, sent, l.calls, wrong)
}

// TestBrokenLiteralsAreNotSent refuses what is no text before anything is sent.
func TestBrokenLiteralsAreNotSent(t *testing.T) {
	l := &listener{t: t}
	c := l.client()
	for _, v := range []string{
		"\xff", "a\xc0\xa7 OR", "\xe0\x80\xa7", "\xed\xa0\x80", "\xed\xb0\x80", "\xf4\x90\x80\x80", "\xc3", "'\x80'",
		strings.Repeat("x", 4001), strings.Repeat("☃", 4001),
	} {
		for _, where := range []salesforce.Expr{
			salesforce.Eq("Email", secret(v)), salesforce.InText("Email", []pii.Secret{secret("ok"), secret(v)}), salesforce.Compare("Email", "=", v),
		} {
			a, got := c.Query(t.Context(), []salesforce.Query{{Object: "Contact", Fields: []string{"Id"}, Where: where}}, nil)
			if a.Fault == nil || a.Fault.Code != salesforce.CodeInvalidQuery || a.Calls != 0 || got[0].Fault == nil {
				t.Errorf("%.20q was not refused: %+v", v, a.Fault)
			}
		}
	}
	if l.calls != 0 {
		t.Errorf("%d calls were sent", l.calls)
	}
}

// TestLongLiteralsAreRead holds the longest values that are allowed.
func TestLongLiteralsAreRead(t *testing.T) {
	l := &listener{t: t}
	c := l.client()
	for _, v := range []string{strings.Repeat("x", 4000), strings.Repeat("☃", 4000), strings.Repeat("'", 4000), strings.Repeat("\\", 4000), strings.Repeat("\U0001f512", 4000)} {
		q := salesforce.Query{Object: "Contact", Fields: []string{"Id", "Email"}, Where: salesforce.InText("Email", []pii.Secret{secret(v)}), OrderBy: "Id", Limit: 7}
		if a, _ := c.Query(t.Context(), []salesforce.Query{q}, nil); a.Fault != nil {
			t.Fatalf("%+v", a.Fault)
		}
		l.expect([][]string{{v}})
	}
}

// TestHostileNamesFindOnlyThemselves gives an org a person for each hostile
// value and asks for them one by one: each finds itself and nobody else.
func TestHostileNamesFindOnlyThemselves(t *testing.T) {
	org := emulator.New(emulator.Options{InstanceURL: "https://acme.example", Profile: emulator.Calm()})
	creds := org.Credentials()
	c, err := salesforce.New(salesforce.Options{
		InstanceURL: "https://acme.example", Transport: org.Transport(), Auth: salesforce.ClientCredentials{ID: creds.ClientID, Secret: secret(creds.ClientSecret)},
	})
	if err != nil {
		t.Fatal(err)
	}
	people := map[string]string{} // name → id
	for _, sign := range metacharacters() {
		name := "n" + sign + "n"
		if people[name] = org.Put("Contact", map[string]any{"LastName": name}); people[name] == "" {
			t.Fatalf("%q was not stored", name)
		}
	}
	for name, id := range people {
		var found []string
		q := salesforce.Query{Object: "Contact", Fields: []string{"Id"}, Where: salesforce.Eq("LastName", secret(name))}
		a, got := c.Query(t.Context(), []salesforce.Query{q}, func(_ int, r salesforce.Row) error {
			found = append(found, r.ID)
			return nil
		})
		if a.Fault != nil || got[0].Fault != nil || !slices.Equal(found, []string{id}) {
			t.Errorf("%q found %v, want %s: %+v %+v", name, found, id, a.Fault, got[0].Fault)
		}
	}
}
