package salesforce

import (
	"encoding/json"
	"html"
	"strings"
)

// errorOf reads one error object of any of the JSON dialects.
func errorOf(m map[string]any) (finding, bool) {
	for _, d := range dialects {
		code, ok := textOf(m[d.code])
		if !ok || code == "" {
			continue
		}
		words, _ := textOf(m[d.message])
		x := newFinding(code, words)
		x.oauth = d.oauth
		list, _ := m["fields"].([]any)
		for _, f := range list {
			if name, ok := f.(string); ok {
				x.fields = append(x.fields, name)
			}
		}
		return x, true
	}
	return finding{}, false
}

// dialects are the names under which errors are reported.
var dialects = []struct { //nolint:gochecknoglobals // a constant table
	code, message string
	oauth         bool
}{
	{code: "errorCode", message: "message"},
	{code: "statusCode", message: "message"},
	{code: "exceptionCode", message: "exceptionMessage"},
	{code: "error", message: "error_description", oauth: true},
	{code: "errorcode", message: "message"}, // Marketing Cloud, a number
}

func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// newFinding normalises one reported error: no namespace prefix in the code,
// one space between words, straight apostrophes.
func newFinding(code, words string) finding {
	code = strings.TrimSpace(code)
	if i := strings.LastIndexByte(code, ':'); i >= 0 {
		code = strings.TrimSpace(code[i+1:])
	}
	return finding{code: code, words: words, text: plainText(words)}
}

func plainText(s string) string {
	s = strings.ReplaceAll(strings.ToLower(html.UnescapeString(s)), "\u2019", "'")
	return strings.Join(strings.Fields(s), " ")
}
