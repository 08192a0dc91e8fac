package export

import (
	"strings"
	"unicode/utf8"
)

// guard puts a single quote wherever a spreadsheet could begin to read a
// formula: before a cell that starts with = + - @ tab, return or NUL (OWASP
// ASVS 1.2.10, CWE-1236), a line feed or the full-width forms that some
// spreadsheets take for the same. A program that is set to another separator
// than the comma may split our cell at a semicolon, tab or line break, so that a
// formula sign right after one of these is guarded as well, blanks between them
// or not.
func guard(cell string) (string, bool) {
	if cell == "" {
		return cell, false
	}
	var out strings.Builder
	done := false
	start := true // of a cell, as some program may see it
	for i, r := range cell {
		if start && formulaSign(r) || i == 0 && (splits(r) && r != ';' || r == 0) {
			out.WriteByte('\'')
			done = true
		}
		start = splits(r) || start && blank(r)
		_, n := utf8.DecodeRuneInString(cell[i:])
		out.WriteString(cell[i : i+n])
	}
	if !done {
		return cell, false
	}
	return out.String(), true
}

func formulaSign(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠':
		return true
	}
	return false
}

func splits(r rune) bool { return r == ';' || r == '\t' || r == '\r' || r == '\n' }

// blank says whether a program may skip the rune before it looks for a formula:
// space, no-break space, zero-width space, byte order mark.
func blank(r rune) bool { return r == ' ' || r == 0xa0 || r == 0x200b || r == 0xfeff }

// visible replaces characters that a terminal would obey with symbols that a
// person can see: C0 controls and DEL with their control pictures, C1 controls
// and broken bytes with the replacement character. Tabs and line breaks stay.
func visible(s string) (string, bool) {
	if strings.IndexFunc(s, hidden) < 0 && utf8.ValidString(s) {
		return s, false
	}
	return strings.Map(func(r rune) rune {
		switch {
		case !hidden(r):
			return r // a broken byte arrives here as the replacement character
		case r < 0x20:
			return 0x2400 + r
		case r == 0x7f:
			return 0x2421
		}
		return utf8.RuneError
	}, s), true
}

func hidden(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r <= 0x9f
}

// appendInert appends compact JSON and spells what could act on a screen or in
// a page as an escape: DEL and C1 controls, bidirectional controls, line
// separators, < > and &. Such characters occur in strings only, where the escape means
// the same, so that no value changes. Broken bytes become the replacement
// character, which is what every JSON reader makes of them.
func appendInert(dst, raw []byte) []byte {
	for len(raw) > 0 {
		r, n := utf8.DecodeRune(raw)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, `\ufffd`...)
		case inertNeeds(r):
			dst = appendEscape(dst, r)
		default:
			dst = append(dst, raw[:n]...)
		}
		raw = raw[n:]
	}
	return dst
}

func inertNeeds(r rune) bool {
	switch {
	case r == '<', r == '>', r == '&', r >= 0x7f && r <= 0x9f:
		return true
	case r == 0x061c, r == 0x200e, r == 0x200f, r == 0xfeff:
		return true
	case r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return false
}

// appendEscape spells a rune of the basic plane.
func appendEscape(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
