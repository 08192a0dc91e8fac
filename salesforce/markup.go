package salesforce

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode"

	"github.com/weirhq/weir"
)

// element is one XML element with everything below it.
type element struct {
	name     xml.Name
	text     string
	children []*element
}

var errMarkup = errors.New("the XML is refused")

// maxElements bounds the tree of one SOAP answer.
const maxElements = 100_000

// parseXML reads a document into a tree. It refuses document type
// declarations, processing instructions other than the XML declaration, and
// deep nesting: encoding/xml has no limits of its own.
func parseXML(b []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict = true
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "utf-8") {
			return in, nil
		}
		return nil, errMarkup
	}
	root := &element{}
	stack := []*element{root}
	for n := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errMarkup // the decoder's own text quotes the document
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if n++; n > maxElements || len(stack) > maxDepth {
				return nil, errTooDeep
			}
			e := &element{name: t.Name}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		case xml.Directive:
			return nil, errMarkup
		case xml.ProcInst:
			if t.Target != "xml" {
				return nil, errMarkup
			}
		}
	}
	if len(root.children) != 1 || strings.TrimSpace(root.text) != "" {
		return nil, errMarkup
	}
	return root.children[0], nil
}

// child returns the text of the first child with one of the local names.
func (e *element) child(names ...string) (string, bool) {
	for _, name := range names {
		for _, c := range e.children {
			if c.name.Local == name {
				return strings.TrimSpace(c.text), true
			}
		}
	}
	return "", false
}

// walk visits the element and everything below it until visit returns false.
func (e *element) walk(visit func(*element) bool) {
	if !visit(e) {
		return
	}
	for _, c := range e.children {
		c.walk(visit)
	}
}

// unwrapMarkup tells pages from XML and takes the errors out of either.
func unwrapMarkup(body []byte, r Response, label string) envelope {
	lower := bytes.ToLower(body[:min(len(body), 512)])
	if bytes.HasPrefix(lower, []byte("<!doctype")) || bytes.Contains(lower, []byte("<html")) || bytes.Contains(lower, []byte("<head")) {
		return unwrapPage(body, kindHTML)
	}
	root, err := parseXML(body)
	if err != nil {
		if strings.Contains(label, "html") {
			return unwrapPage(body, kindHTML)
		}
		return envelope{kind: kindBroken}
	}
	env := envelope{kind: kindXML}
	root.walk(func(e *element) bool { return env.addElement(e, r) })
	if strings.Contains(label, "html") && len(env.findings) == 0 && env.items == nil {
		return unwrapPage(body, kindHTML)
	}
	return env
}

// addElement takes what one element says; false means that everything below
// it is settled.
func (env *envelope) addElement(e *element, r Response) bool {
	switch e.name.Local {
	case "LimitInfoHeader":
		env.readings = append(env.readings, soapReadings(e, r)...)
		return false
	case "Fault":
		env.findings = append(env.findings, soapFault(e))
		return false
	case "result", "results":
		if ok, given := e.child("success"); given {
			sub := envelope{kind: kindXML}
			for _, c := range e.children {
				c.walk(func(e *element) bool { return sub.addElement(e, r) })
			}
			if !strings.EqualFold(ok, "true") && len(sub.findings) == 0 {
				sub.findings = []finding{{code: "WEIR_NO_REASON_GIVEN"}}
			}
			env.add(item{env: sub})
			return false
		}
		if expired, _ := e.child("passwordExpired"); strings.EqualFold(expired, "true") {
			env.findings = append(env.findings, finding{code: "INVALID_OPERATION_WITH_EXPIRED_PASSWORD"})
		}
	}
	if code, ok := e.child("errorCode", "exceptionCode", "statusCode"); ok && code != "" {
		words, _ := e.child("message", "exceptionMessage")
		x := newFinding(code, words)
		for _, c := range e.children {
			if c.name.Local == "fields" {
				x.fields = append(x.fields, strings.TrimSpace(c.text))
			}
		}
		env.findings = append(env.findings, x)
		return false
	}
	if code, ok := e.child("error"); ok && code != "" {
		if words, ok := e.child("error_description"); ok {
			x := newFinding(code, words)
			x.oauth = true
			env.findings = append(env.findings, x)
			return false
		}
	}
	return true
}

// soapFault reads a fault. The code stands in faultcode, with or without a
// prefix; the detail is optional.
func soapFault(e *element) finding {
	code, _ := e.child("faultcode")
	words, _ := e.child("faultstring")
	x := newFinding(code, words)
	if !knownCode(x.code) {
		e.walk(func(d *element) bool {
			if inner, ok := d.child("exceptionCode"); ok && inner != "" {
				x.code = inner
			}
			return true
		})
	}
	return x
}

// soapReadings reads the SOAP counterpart of Sforce-Limit-Info.
func soapReadings(e *element, r Response) []weir.Reading {
	var out []weir.Reading
	for _, c := range e.children {
		if c.name.Local != "limitInfo" {
			continue
		}
		used, _ := c.child("current")
		limit, _ := c.child("limit")
		label, _ := c.child("type")
		reading := weir.Reading{Kind: weir.ReadOther, Name: strings.ToLower(shown(label[:min(len(label), 80)])), At: r.At, Source: sourceSOAP}
		app, _ := c.child("appName")
		reading.App = shown(app[:min(len(app), 255)])
		switch reading.Name {
		case "api requests":
			reading.Kind = weir.ReadDaily
		case "api requests per app":
			reading.Kind = weir.ReadApp
		}
		var cutUsed, cutLimit, okUsed, okLimit bool
		reading.Used, cutUsed, okUsed = count(used)
		reading.Limit, cutLimit, okLimit = count(limit)
		reading.Clamped = cutUsed || cutLimit
		if okUsed && okLimit && reading.Limit > 0 {
			out = append(out, reading)
		}
	}
	return out
}

// unwrapPage reads a page of a gateway: its text, and the codes in it that the
// table knows.
func unwrapPage(body []byte, k kind) envelope {
	text := stripTags(string(body[:min(len(body), 16<<10)]))
	env := envelope{kind: k, page: plainText(text)}
	words := strings.FieldsFunc(text, func(c rune) bool { return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	for _, w := range words {
		if looksLikeCode(w) && knownCode(w) {
			env.findings = append(env.findings, newFinding(w, text))
			break // the first code is the page's title; the rest repeats or explains
		}
	}
	return env
}

// looksLikeCode keeps prose such as "403 Forbidden" from being read as a code;
// Bulk writes its codes without underscores.
func looksLikeCode(word string) bool {
	return strings.Contains(word, "_") || len(word) >= len("INVALIDJOB") || word == strings.ToUpper(word)
}

func stripTags(s string) string {
	var b strings.Builder
	inside := false
	for _, c := range s {
		switch {
		case c == '<':
			inside = true
			b.WriteByte(' ')
		case c == '>':
			inside = false
		case !inside:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// unwrapCSV reads the results of a bulk job: a table with a column sf__Error,
// in any of the six delimiters, or one such cell alone.
func unwrapCSV(body []byte, label string) (envelope, bool) {
	for _, delimiter := range ",\t|;^`" {
		r := csv.NewReader(bytes.NewReader(body))
		r.Comma, r.FieldsPerRecord, r.LazyQuotes = delimiter, -1, true
		header, err := r.Read()
		if err != nil {
			continue
		}
		column := -1
		for i, name := range header {
			if strings.EqualFold(strings.Trim(name, "\" "), "sf__Error") {
				column = i
			}
		}
		if column < 0 {
			continue
		}
		env := envelope{kind: kindCSV, rows: true}
		for {
			row, err := r.Read()
			if err != nil {
				break
			}
			if column < len(row) && strings.TrimSpace(row[column]) != "" {
				env.items = append(env.items, item{env: envelope{kind: kindCSV, findings: []finding{cellFinding(row[column])}}})
			}
		}
		return env, true
	}
	first, _, _ := strings.Cut(string(body), ":")
	if first = strings.Trim(first, "\" \r\n"); looksLikeCode(first) && knownCode(first) {
		return envelope{kind: kindCSV, findings: []finding{cellFinding(strings.Trim(string(body), "\" \r\n"))}}, true
	}
	return envelope{kind: kindCSV}, strings.HasPrefix(label, "text/csv")
}

// cellFinding reads "CODE:message:fields --". The message may hold colons.
func cellFinding(cell string) finding {
	code, rest, _ := strings.Cut(cell, ":")
	message, fields := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && strings.HasSuffix(strings.TrimSpace(rest), "--") {
		message, fields = rest[:i], rest[i+1:]
	}
	x := newFinding(code, message)
	x.fields = strings.FieldsFunc(strings.TrimSuffix(strings.TrimSpace(fields), "--"), func(c rune) bool { return c == ',' || c == ' ' || c == ';' })
	return x
}
