package emulator

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenString
	tokenLiteral // number, date or datetime
	tokenSymbol
)

// token is one word of SOQL. Raw keeps the escapes of a string, which LIKE
// reads differently.
type token struct {
	kind tokenKind
	text string
	raw  string
	at   int // byte offset
}

// is says whether the token is this symbol or, case aside, this keyword.
func (t token) is(word string) bool {
	return t.kind == tokenSymbol && t.text == word || t.kind == tokenName && strings.EqualFold(t.text, word)
}

// lex cuts a query into tokens; the last one is tokenEnd.
func lex(s string) ([]token, *apiError) {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '\'':
			t, next, err := lexString(s, i)
			if err != nil {
				return nil, err
			}
			out, i = append(out, t), next
		case isLetter(c):
			start := i
			for i < len(s) && (isLetter(s[i]) || isDigit(s[i]) || s[i] == '_') {
				i++
			}
			out = append(out, token{kind: tokenName, text: s[start:i], at: start})
		case isDigit(c) || (c == '-' || c == '+' || c == '.') && i+1 < len(s) && (isDigit(s[i+1]) || s[i+1] == '.'):
			start := i
			for i++; i < len(s) && (isDigit(s[i]) || isLetter(s[i]) || strings.IndexByte(":.+-", s[i]) >= 0); {
				i++
			}
			out = append(out, token{kind: tokenLiteral, text: s[start:i], at: start})
		default:
			symbol := symbolAt(s[i:])
			if symbol == "" {
				return nil, malformed(s, i, "unexpected token: '"+firstRune(s[i:])+"'")
			}
			out = append(out, token{kind: tokenSymbol, text: symbol, at: i})
			i += len(symbol)
		}
	}
	return append(out, token{kind: tokenEnd, at: len(s)}), nil
}

func symbolAt(s string) string {
	for _, symbol := range []string{"<=", ">=", "!=", "<>", "(", ")", ",", ".", "=", "<", ">"} {
		if strings.HasPrefix(s, symbol) {
			return symbol
		}
	}
	return ""
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// lexString reads a quoted string from the opening quote. The escapes are those
// of the SOQL reference; any other use of a backslash is an error.
func lexString(s string, start int) (token, int, *apiError) {
	var b strings.Builder
	for i := start + 1; i < len(s); {
		switch c := s[i]; c {
		case '\'':
			return token{kind: tokenString, text: b.String(), raw: s[start+1 : i], at: start}, i + 1, nil
		case '\\':
			text, width := unescape(s[i:])
			if width == 0 {
				return token{}, 0, malformed(s, i, "invalid string literal. Illegal character sequence")
			}
			b.WriteString(text)
			i += width
		default:
			b.WriteByte(c)
			i++
		}
	}
	return token{}, 0, malformed(s, start, "mismatched character '<EOF>' expecting '''")
}

// unescape reads one escape sequence and its width; zero means that it is none.
func unescape(s string) (string, int) {
	if len(s) < 2 {
		return "", 0
	}
	switch s[1] {
	case 'n', 'N':
		return "\n", 2
	case 'r', 'R':
		return "\r", 2
	case 't', 'T':
		return "\t", 2
	case 'b', 'B':
		return "\b", 2
	case 'f', 'F':
		return "\f", 2
	case '"', '\'', '\\':
		return s[1:2], 2
	case '_', '%':
		// Only LIKE gives these a meaning; elsewhere they are the character.
		return s[1:2], 2
	case 'u':
		if len(s) < 6 {
			return "", 0
		}
		code, err := strconv.ParseUint(s[2:6], 16, 32)
		if err != nil {
			return "", 0
		}
		return string(rune(code)), 6
	default:
		return "", 0
	}
}

// malformed points at the place, with the query around it, as the platform
// does: such messages echo personal data.
func malformed(query string, at int, what string) *apiError {
	from, to := max(at-30, 0), min(at+30, len(query))
	return failure(400, "MALFORMED_QUERY", "\n"+strings.ToValidUTF8(query[from:to], "?")+"\n^\nERROR at Row:1:Column:"+
		strconv.Itoa(at+1)+"\n"+what)
}
