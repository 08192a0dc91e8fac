package pii_test

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"github.com/weirhq/weir/internal/pii"
)

const canary = "Zoe.Canary@example.invalid"

// forms are the ways in which the value could slip out.
func forms() []string {
	var decimal []string
	for _, b := range []byte(canary)[:6] {
		decimal = append(decimal, fmt.Sprint(b))
	}
	return []string{"Canary", "canary", hex.EncodeToString([]byte("Canary")), strings.ToUpper(hex.EncodeToString([]byte("Canary"))), strings.Join(decimal, " "), "Wm9lLkNhbmFye"}
}

func assertSilent(t *testing.T, where, output string) {
	t.Helper()
	for i, form := range forms() {
		if strings.Contains(output, form) {
			t.Errorf("%s leaks the value (form %d)", where, i) // the output itself must not be shown
		}
	}
}

type exported struct {
	Name  string
	Value pii.Secret
}

type hidden struct {
	name  string
	value pii.Secret
	ptr   *pii.Secret
	deep  struct{ more []pii.Secret }
	any   any
	byKey map[string]pii.Secret
}

// holders puts a secret wherever a program might put it.
func holders() map[string]any {
	s := pii.NewString(canary)
	h := hidden{name: "x", value: s, ptr: &s, any: s, byKey: map[string]pii.Secret{"k": s}}
	h.deep.more = []pii.Secret{s}
	return map[string]any{
		"value": s, "pointer": &s, "slice": []pii.Secret{s}, "array": [1]pii.Secret{s}, "map": map[string]pii.Secret{"k": s},
		"exported field": exported{"x", s}, "pointer to it": &exported{"x", s},
		"unexported fields": h, "pointer to them": &h, "slice of them": []hidden{h}, "interface": []any{s, &s, h},
	}
}

func TestNoVerbPrintsIt(t *testing.T) {
	for name, holder := range holders() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%c", "%U", "%o", "%b", "%e", "%p", "%T", "%10.3s", "%!", "%z"} {
			assertSilent(t, name+" with "+verb, fmt.Sprintf(verb, holder))
		}
		assertSilent(t, name+" with Sprint", fmt.Sprint(holder)+fmt.Sprintln(holder))
		assertSilent(t, name+" in an error", fmt.Errorf("failed for %v", holder).Error())
	}
}

func TestNoLoggerPrintsIt(t *testing.T) {
	for name, holder := range holders() {
		var out bytes.Buffer
		for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			log := slog.New(h).With("holder", holder).WithGroup("g")
			log.Error("event", "again", holder, slog.Group("g2", slog.Any("deep", holder)))
		}
		assertSilent(t, name+" in slog", out.String())
		if !strings.Contains(out.String(), "event") {
			t.Errorf("%s: nothing was logged", name)
		}
	}
}

func TestNoEncoderTakesIt(t *testing.T) {
	for name, holder := range holders() {
		j, _ := json.Marshal(holder) // unexported fields are left out without an error
		assertSilent(t, name+" in JSON", string(j))
		x, _ := xml.Marshal(holder)
		assertSilent(t, name+" in XML", string(x))
		var g bytes.Buffer
		_ = gob.NewEncoder(&g).Encode(holder)
		assertSilent(t, name+" in gob", g.String())
	}
	for _, name := range []string{"value", "pointer", "slice", "map", "exported field"} {
		if _, err := json.Marshal(holders()[name]); !errors.Is(err, pii.ErrRefused) {
			t.Errorf("%s: JSON was not refused: %v", name, err)
		}
	}
	s := pii.NewString(canary)
	if _, err := s.MarshalText(); !errors.Is(err, pii.ErrRefused) {
		t.Error(err)
	}
	if _, err := s.MarshalBinary(); !errors.Is(err, pii.ErrRefused) {
		t.Error(err)
	}
}

func TestNoTemplatePrintsIt(t *testing.T) {
	for name, holder := range holders() {
		var out bytes.Buffer
		err := template.Must(template.New("").Parse(`{{.}} {{printf "%v %s %x" . . .}}`)).Execute(&out, holder)
		assertSilent(t, name+" in a template", out.String()+fmt.Sprint(err))
	}
	var out bytes.Buffer
	err := template.Must(template.New("").Parse(`{{.Value}}`)).Execute(&out, exported{"x", pii.NewString(canary)})
	if err != nil || out.String() != pii.Redacted {
		t.Errorf("field in a template: %q, %v", out.String(), err)
	}
}

func TestValue(t *testing.T) {
	s := pii.NewString(canary)
	if string(s.Reveal()) != canary || s.IsZero() || !s.Equal(pii.NewString(canary)) || s.Equal(pii.NewString("x")) {
		t.Error("the value is not what was put in")
	}
	c := s.Clone()
	s.Clear()
	if strings.Trim(string(s.Reveal()), "\x00") != "" {
		t.Error("Clear left something")
	}
	if string(c.Reveal()) != canary {
		t.Error("Clear reached the clone")
	}
	var zero pii.Secret
	if !zero.IsZero() || zero.Reveal() != nil || fmt.Sprint(zero) != pii.Redacted || !zero.Equal(pii.New(nil)) {
		t.Error("the zero Secret is not empty")
	}
	zero.Clear()
}
