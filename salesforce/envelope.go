package salesforce

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/weirhq/weir"
)

// kind is what a body is, by looking at it: labels lie, and XML that is
// labelled text/html exists.
type kind string

const (
	kindEmpty  kind = "empty"
	kindJSON   kind = "json"
	kindXML    kind = "xml"
	kindCSV    kind = "csv"
	kindHTML   kind = "html"
	kindText   kind = "text"
	kindOther  kind = "other"  // bytes of a file, which nobody here understands
	kindBroken kind = "broken" // meant to be JSON or XML, and is not
)

// envelope is a body taken apart: which errors it reports, for the whole
// answer or for each of its elements.
type envelope struct {
	kind     kind
	findings []finding
	items    []item // nil unless the answer has many elements
	rows     bool   // the items are rows of a bulk result
	halted   bool   // an element says that the whole was halted
	page     string // text of a page that a person was meant to read
	readings []weir.Reading
}

// item is one element of an answer with many.
type item struct {
	status int // 0 = that of the whole answer
	env    envelope
}

// unwrap recognises every envelope in which Salesforce, or whatever stands in
// front of it, reports an error.
func unwrap(r Response) envelope {
	body := bytes.TrimSpace(bytes.TrimPrefix(r.Body, []byte("\xef\xbb\xbf")))
	label := contentType(r)
	switch {
	case len(body) == 0:
		if r.Status == 200 && strings.EqualFold(r.Method, "GET") && strings.Contains(label, "json") {
			return envelope{kind: kindBroken}
		}
		return envelope{kind: kindEmpty}
	case body[0] == '{' || body[0] == '[':
		if env, ok := unwrapJSON(body, r); ok {
			if r.Status/100 == 2 && strings.Contains(label, "html") && len(env.findings) == 0 && env.items == nil {
				env.kind = kindHTML // never take a page for a success
			}
			return env
		}
		return envelope{kind: kindBroken}
	case body[0] == '<':
		return unwrapMarkup(body, r, label)
	}
	if env, ok := unwrapCSV(body, label); ok {
		return env
	}
	switch {
	case strings.Contains(label, "html"):
		return unwrapPage(body, kindHTML)
	case strings.Contains(label, "json"), strings.Contains(label, "xml"):
		env := unwrapPage(body, kindText)
		if r.Status/100 == 2 {
			env.kind = kindBroken
		}
		return env
	case label == "", strings.HasPrefix(label, "text/"), r.Status/100 != 2:
		return unwrapPage(body, kindText)
	}
	return envelope{kind: kindOther}
}

func contentType(r Response) string {
	for _, name := range sortedNames(r.Header) {
		var buf [20]byte
		if string(squeezed(buf[:0], name)) == "contenttype" && len(r.Header[name]) > 0 {
			return strings.ToLower(strings.TrimSpace(r.Header[name][0]))
		}
	}
	return ""
}

func unwrapJSON(body []byte, r Response) (envelope, bool) {
	s := scanBytes(body)
	v, err := s.value()
	if err == nil {
		err = s.finish()
	}
	if err != nil {
		return envelope{}, false
	}
	env := unwrapTree(v)
	if m, ok := v.(map[string]any); ok && len(env.findings) == 0 && env.items == nil {
		env.readings = append(env.readings, limitsReadings(limitsOf(m), r.At)...)
	}
	if m, ok := v.(map[string]any); ok {
		if n, ok := m["retryAfter"].(json.Number); ok { // Marketing Cloud repeats its header
			if wait, ok := retryAfter(n.String(), "body", r.At); ok {
				env.readings = append(env.readings, wait)
			}
		}
	}
	return env, true
}

// unwrapTree recognises a decoded JSON value.
func unwrapTree(v any) envelope {
	env := envelope{kind: kindJSON}
	switch v := v.(type) {
	case nil:
		env.kind = kindEmpty
	case map[string]any:
		unwrapObject(&env, v)
	case []any:
		unwrapArray(&env, v)
	}
	return env
}

func unwrapArray(env *envelope, list []any) {
	var results bool
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			continue
		}
		if _, ok := m["success"].(bool); ok {
			results = true
			continue
		}
		if x, ok := errorOf(m); ok {
			env.findings = append(env.findings, x)
		}
	}
	if results {
		env.findings = nil
		env.addItems(list)
	}
}

func (env *envelope) addItems(list []any) {
	env.items = []item{}
	for _, e := range list {
		env.add(item{env: unwrapTree(e)})
	}
}

// add appends an element and notes whether it speaks of a halt.
func (env *envelope) add(i item) {
	env.items = append(env.items, i)
	env.halted = env.halted || slices.ContainsFunc(i.env.findings, func(x finding) bool {
		return x.is("PROCESSING_HALTED") || x.is("BATCH_PROCESSING_HALTED") || x.is("ALL_OR_NONE_OPERATION_ROLLED_BACK")
	})
}

func unwrapObject(env *envelope, m map[string]any) {
	if _, record := m["attributes"]; record {
		return // a record: its members are data, whatever they are called
	}
	if list, ok := m["compositeResponse"].([]any); ok {
		unwrapComposite(env, list)
		return
	}
	if graphs, ok := m["graphs"].([]any); ok {
		unwrapGraphs(env, graphs)
		return
	}
	if results, ok := m["results"].([]any); ok {
		if _, ok := m["hasErrors"].(bool); ok {
			unwrapResults(env, results)
			return
		}
	}
	if ok, given := m["success"].(bool); given {
		unwrapResult(env, ok, m)
		return
	}
	if x, ok := errorOf(m); ok {
		env.findings = append(env.findings, x)
		return
	}
	if list, ok := m["errors"].([]any); ok {
		unwrapArray(env, list)
		return
	}
	if state, ok := m["state"].(string); ok {
		unwrapJob(env, state, m)
		return
	}
	if active, ok := m["active"].(bool); ok && !active && len(m) == 1 {
		// Token introspection: the token is dead, or we may not ask.
		env.findings = append(env.findings, finding{code: "INVALID_SESSION_ID"})
	}
}

// unwrapResult reads one DML result.
func unwrapResult(env *envelope, ok bool, m map[string]any) {
	list, _ := m["errors"].([]any)
	for _, e := range list {
		if em, isMap := e.(map[string]any); isMap {
			if x, found := errorOf(em); found {
				env.findings = append(env.findings, x)
			}
		}
	}
	if !ok && len(env.findings) == 0 {
		env.findings = append(env.findings, finding{code: "WEIR_NO_REASON_GIVEN"})
	}
}

func unwrapComposite(env *envelope, list []any) {
	env.items = []item{}
	for _, e := range list {
		m, _ := e.(map[string]any)
		status, ok := whole(m["httpStatusCode"])
		if !ok {
			env.add(item{env: envelope{kind: kindBroken}})
			continue
		}
		env.add(item{status: int(min(max(status, 0), 999)), env: unwrapTree(m["body"])})
	}
}

func unwrapGraphs(env *envelope, graphs []any) {
	env.items = []item{}
	for _, g := range graphs {
		m, _ := g.(map[string]any)
		inner, _ := m["graphResponse"].(map[string]any)
		list, _ := inner["compositeResponse"].([]any)
		var sub envelope
		unwrapComposite(&sub, list)
		for _, i := range sub.items {
			env.add(i)
		}
	}
}

// unwrapResults reads composite/batch, whose elements hold a status, and
// composite/tree, whose elements hold errors.
func unwrapResults(env *envelope, list []any) {
	env.items = []item{}
	for _, e := range list {
		m, _ := e.(map[string]any)
		if status, ok := whole(m["statusCode"]); ok {
			env.halted = env.halted || status == 412
			env.add(item{status: int(min(max(status, 0), 999)), env: unwrapTree(m["result"])})
			continue
		}
		sub := envelope{kind: kindJSON}
		if errs, ok := m["errors"].([]any); ok {
			unwrapArray(&sub, errs)
		}
		env.add(item{env: sub})
	}
}

// unwrapJob reads the state of a bulk job.
func unwrapJob(env *envelope, state string, m map[string]any) {
	failed, _ := whole(m["numberRecordsFailed"])
	switch {
	case strings.EqualFold(state, "Failed"):
		words, _ := m["errorMessage"].(string)
		code, message, found := strings.Cut(words, ":")
		x := newFinding(strings.TrimSpace(code), message)
		if !found || !knownCode(x.code) {
			x = newFinding("JOB_FAILED", words)
		}
		env.findings = append(env.findings, x)
	case strings.EqualFold(state, "Aborted"), strings.EqualFold(state, "JobComplete") && failed > 0:
		env.items = []item{{env: envelope{kind: kindJSON, findings: []finding{{code: "WEIR_RECORDS_FAILED"}}}}}
	}
}
