package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible makes text harmless for a terminal, whatever an org or a person put
// into it: control characters become symbols that can be seen, those that turn
// the direction of writing the replacement character. Line feeds and tabs stay,
// and with colours our own sequences do.
func visible(text string, colours bool) string {
	if strings.IndexFunc(text, acts) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		if n := ownColour(text); colours && n > 0 {
			b.WriteString(text[:n])
			text = text[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case !acts(r):
			b.WriteRune(r)
		case r < 0x20:
			b.WriteRune(0x2400 + r) // ␛ for escape
		case r == 0x7f:
			b.WriteRune(0x2421)
		default:
			b.WriteRune(utf8.RuneError)
		}
		text = text[n:]
	}
	return b.String()
}

// acts says whether a terminal would do something else than show the rune.
func acts(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029
}

// ownColour is the length of a sequence that paint writes, at the start of s.
func ownColour(s string) int {
	for _, code := range []string{red, green, yellow, dim, bold, "0"} {
		if own := "\x1b[" + code + "m"; strings.HasPrefix(s, own) {
			return len(own)
		}
	}
	return 0
}

// inertJSON spells as escapes what JSON leaves as it is and a terminal obeys.
// Such characters occur in strings only, where the escape means the same.
func inertJSON(doc []byte) []byte {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(doc))
	for len(doc) > 0 {
		r, n := utf8.DecodeRune(doc)
		if acts(r) {
			out = append(out, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		} else {
			out = append(out, doc[:n]...)
		}
		doc = doc[n:]
	}
	return out
}
