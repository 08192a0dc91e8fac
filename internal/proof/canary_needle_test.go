package proof

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// The classes of personal values that the proof seeds.
const (
	classEmail = "e-mail"
	className  = "name"
	classPhone = "phone"
	classText  = "free text"
)

// canary is a text that occurs nowhere but in one class of personal values of
// one org's people.
type canary struct {
	owner string // whose it is
	class string
	text  string // with characters that every encoding writes differently
	core  string // its longest run of plain characters: it survives most encodings as it is
}

// newCanaries draws one canary of each class for an owner.
func newCanaries(owner string) map[string]canary {
	out := map[string]canary{}
	for class, shape := range map[string]string{
		classEmail: "%s+dsr", className: "%s o'Zoë", classPhone: "+44 (0)%s", classText: `"%s" <ü> & co`,
	} {
		core := drawCore(class)
		out[class] = canary{owner: owner, class: class, core: core, text: fmt.Sprintf(shape, core)}
	}
	return out
}

// drawCore draws 50 bits in lower case, which weir and Salesforce leave as they
// are, or ten digits.
func drawCore(class string) string {
	if class != classPhone {
		return strings.ToLower(rand.Text())[:10]
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("7%09d", binary.BigEndian.Uint64(b[:])%1_000_000_000)
}

// forms writes a text in every encoding that the scan looks for. The text may
// start anywhere in what was encoded, so base64 has three alignments.
func forms(text string) map[string][]string {
	out := map[string][]string{
		"raw":    {text},
		"hex":    {hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text)))},
		"url":    {url.QueryEscape(text), url.PathEscape(text), strings.ToLower(url.QueryEscape(text))},
		"json":   {quoted(text, true), quoted(text, false), escaped(text, "\\u%04x"), escaped(text, "\\u%04X")},
		"utf-16": {wide(text, binary.LittleEndian), wide(text, binary.BigEndian)},
	}
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			whole := alphabet.EncodeToString(slices.Concat(make([]byte, before), []byte(text)))
			from, to := (before*8+5)/6, (before+len(text))*8/6 // characters that no neighbour's bits are part of
			out["base64"] = append(out["base64"], whole[from:to])
		}
	}
	return out
}

func quoted(text string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	_ = enc.Encode(text) // a string always has an encoding
	return strings.Trim(strings.TrimSpace(b.String()), `"`)
}

func escaped(text, shape string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&b, shape, unit)
	}
	return b.String()
}

func wide(text string, order binary.AppendByteOrder) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

// needle is one byte sequence that must not be found.
type needle struct {
	bytes       string
	owner, what string // whose, and in which class and form
}

// haystack looks for many needles in one pass.
type haystack struct {
	needles []needle
	starts  [1 << 16][]int // needles by their first two bytes
	longest int
}

func newHaystack(canaries ...map[string]canary) *haystack {
	h := &haystack{}
	seen := map[string]bool{}
	for _, set := range canaries {
		for _, c := range set {
			for _, text := range []string{c.text, c.core} {
				for form, shapes := range forms(text) {
					for _, s := range shapes {
						if !seen[s] {
							seen[s] = true
							h.add(needle{bytes: s, owner: c.owner, what: c.class + " " + form})
						}
					}
				}
			}
		}
	}
	return h
}

func (h *haystack) add(n needle) {
	at := pair(n.bytes[0], n.bytes[1])
	h.starts[at] = append(h.starts[at], len(h.needles))
	h.needles = append(h.needles, n)
	h.longest = max(h.longest, len(n.bytes))
}

func pair(a, b byte) uint16 { return uint16(a)<<8 | uint16(b) }

// hits counts findings by owner, and by class and form within.
type hits map[string]map[string]int

func (f hits) of(owner string) (sum int) {
	for _, n := range f[owner] {
		sum += n
	}
	return sum
}

func (f hits) add(owner, what string, n int) {
	if f[owner] == nil {
		f[owner] = map[string]int{}
	}
	f[owner][what] += n
}

func (f hits) join(more hits) {
	for owner, whats := range more {
		for what, n := range whats {
			f.add(owner, what, n)
		}
	}
}

// search counts the needles that begin in the first limit bytes of a text.
func (h *haystack) search(text []byte, limit int, into hits) {
	for i := 0; i+1 < len(text) && i < limit; i++ {
		list := h.starts[pair(text[i], text[i+1])]
		if list == nil {
			continue
		}
		for _, k := range list {
			if n := h.needles[k]; len(text)-i >= len(n.bytes) && string(text[i:i+len(n.bytes)]) == n.bytes {
				into.add(n.owner, n.what, 1)
			}
		}
	}
}

func (h *haystack) in(text []byte) hits {
	found := hits{}
	h.search(text, len(text), found)
	return found
}

// TestNeedlesAreFoundInEveryForm hides each canary in every form and at every
// alignment among other bytes.
func TestNeedlesAreFoundInEveryForm(t *testing.T) {
	t.Parallel()
	mine, other := newCanaries("mine"), newCanaries("other")
	h := newHaystack(mine, other)
	for class, c := range mine {
		for n := range 3 { // of bytes before it
			around := strings.Repeat("~", n) + c.text + "~~~~"
			for form, text := range map[string]string{
				"raw": around, "hex": hex.EncodeToString([]byte(around)), "url": url.QueryEscape(around),
				"json": quoted(around, true), "escaped": escaped(around, "\\u%04x"),
				"base64": base64.StdEncoding.EncodeToString([]byte(around)), "base64url": base64.URLEncoding.EncodeToString([]byte(around)),
				"utf-16le": wide(around, binary.LittleEndian), "utf-16be": wide(around, binary.BigEndian),
			} {
				found := h.in([]byte(text))
				if found.of("mine") == 0 || found.of("other") != 0 {
					t.Errorf("%s, %d bytes before: %d hits in %s, %d of somebody else", class, n, found.of("mine"), form, found.of("other"))
				}
			}
		}
	}
	if n := h.in(bytes.Repeat([]byte("nothing of anybody's 0123456789 "), 10_000)).of("mine"); n != 0 {
		t.Errorf("%d hits where there is nothing", n)
	}
}
