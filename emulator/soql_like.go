package emulator

import "unicode"

// Marks of a LIKE pattern; no character has these values.
const (
	anyRun  rune = -1
	anyRune rune = -2
)

// likePattern reads the raw text of a literal: % and _ are wild unless they
// are escaped, and every other escape means what it means elsewhere.
func likePattern(raw string) []rune {
	var out []rune
	for i := 0; i < len(raw); {
		if raw[i] == '\\' {
			text, width := unescape(raw[i:])
			for _, r := range text {
				out = append(out, unicode.ToLower(r))
			}
			i += max(width, 1)
			continue
		}
		next := i + 1
		for next < len(raw) && raw[next]&0xC0 == 0x80 {
			next++
		}
		switch part := raw[i:next]; part {
		case "%":
			out = append(out, anyRun)
		case "_":
			out = append(out, anyRune)
		default:
			for _, r := range part {
				out = append(out, unicode.ToLower(r))
			}
		}
		i = next
	}
	return out
}

// like matches without recursion: on a mismatch it returns to the last % and
// lets that one swallow one character more.
func like(pattern, s []rune) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == anyRun:
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == anyRune || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == anyRun {
		p++
	}
	return p == len(pattern)
}
