package datamap

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/weirhq/weir"
)

// Parse reads a data map. The name is used in positions only. The error, if
// any, is an *Errors with every mistake.
func Parse(name string, src []byte) (*Map, error) {
	r := &reader{file: name, errs: &Errors{}}
	root := r.document(src)
	if root == nil {
		return nil, r.errs.orNil()
	}
	m := &Map{
		objects: map[string]*Object{},
		Reasons: map[string]Reason{},
		History: map[string]HistoryRule{},
	}
	r.root(root, m)
	if len(r.errs.List) == 0 { // consequences of a misread line would be noise
		r.crossCheck(m)
	}
	if err := r.errs.orNil(); err != nil {
		return nil, err
	}
	var b strings.Builder
	root.canonical(&b)
	sum := sha256.Sum256([]byte(b.String()))
	m.hash = hex.EncodeToString(sum[:])
	return m, nil
}

func (r *reader) root(root *node, m *Map) {
	r.keys(root, "the data map", map[string]func(*node){
		"version": func(n *node) {
			if n.literal.Text != "1" {
				r.errs.add(n.at, "this weir reads data maps of version 1")
			}
			m.Version = 1
		},
		"org":         func(n *node) { m.Org = weir.OrgID(r.word(n, "org")) },
		"api_version": func(n *node) { m.APIVersion = r.apiVersion(n) },
		"generated":   func(n *node) { r.generated(n) },
		"subject": func(n *node) {
			r.keys(n, "subject", map[string]func(*node){"identify": func(n *node) { m.Identify = r.identify(n) }})
			r.need(n, "subject", "identify")
		},
		"objects": func(n *node) { r.objects(n, m) },
		"history": func(n *node) { r.history(n, m) },
		"reasons": func(n *node) { r.reasons(n, m) },
		"decide":  func(n *node) { m.Decide = r.decide(n) },
	})
	r.need(root, "the data map", "version", "org", "api_version", "subject", "objects")
}

func (r *reader) apiVersion(n *node) string {
	text := r.word(n, "api_version")
	if text != "" && (!numberLiteral.MatchString(text) || !strings.HasSuffix(text, ".0")) {
		r.errs.add(n.at, "api_version is written like \"66.0\"")
	}
	return text
}

// generated is a note of the tool that drafted the map; only its form is
// checked.
func (r *reader) generated(n *node) {
	note := func(n *node) { r.word(n, "a note about the draft") }
	r.keys(n, "generated", map[string]func(*node){"by": note, "at": note, "describe_hash": note})
}

func (r *reader) identify(n *node) []Identify {
	if !r.want(n, listShape, "identify") {
		return nil
	}
	if len(n.items) == 0 {
		r.errs.add(n.at, "identify is empty: no subject could be found")
	}
	var list []Identify
	for _, item := range n.items {
		list = append(list, r.identifyEntry(item))
	}
	return list
}

func (r *reader) identifyEntry(n *node) Identify {
	entry := Identify{Pos: n.at}
	supported := true
	r.keys(n, "an identify entry", map[string]func(*node){
		"object": func(n *node) {
			name, _ := r.name(n, "the object")
			entry.Object, entry.Pos = name.Text, name.Pos
		},
		"match": func(n *node) { entry.Match = r.match(n) },
		"where": func(n *node) {
			text := r.word(n, "where")
			if text == "" {
				return
			}
			where, err := condition(text, n.at)
			if err != nil {
				r.errs.add(n.at, "%v", err)
			}
			entry.Where = where
		},
		"confidence": func(n *node) { entry.Review = r.oneOf(n, "confidence", "high", "review") == "review" },
		"via": func(n *node) {
			supported = false
			r.errs.add(n.at, "\"via\" is not supported in this version; match the object by email, phone or id")
		},
	})
	r.need(n, "an identify entry", "object")
	if supported {
		r.need(n, "an identify entry", "match")
	}
	return entry
}

func (r *reader) match(n *node) []Match {
	var list []Match
	read := func(kind Kind) func(*node) {
		return func(n *node) {
			fields := r.names(n, "the field")
			if kind == KindID && len(fields) > 0 && (len(fields) != 1 || fields[0].Text != "Id") {
				r.errs.add(n.at, "an id is matched by the field Id only")
			}
			list = append(list, Match{Kind: kind, Fields: fields})
		}
	}
	r.keys(n, "match", map[string]func(*node){
		KindEmail: read(KindEmail), KindPhone: read(KindPhone), KindID: read(KindID),
	})
	if n.shape == mappingShape && len(n.entries) == 0 {
		r.errs.add(n.at, "match is empty")
	}
	slices.SortFunc(list, func(a, b Match) int { return strings.Compare(a.Kind, b.Kind) })
	return list
}

func (r *reader) history(n *node, m *Map) {
	if !r.want(n, mappingShape, "history") {
		return
	}
	for _, e := range n.entries {
		if !r.checkName(e.key, "the history object") {
			continue
		}
		rule := HistoryRule{Object: e.key.Text, Pos: e.key.Pos}
		r.keys(e.value, "a history rule", map[string]func(*node){
			"on_erase": func(n *node) { rule.OnErase = r.oneOf(n, "on_erase", "report") },
		})
		m.History[rule.Object] = rule
	}
}

func (r *reader) reasons(n *node, m *Map) {
	if !r.want(n, mappingShape, "reasons") {
		return
	}
	for _, e := range n.entries {
		var reason Reason
		r.keys(e.value, "a reason", map[string]func(*node){
			"text":    func(n *node) { reason.Text = r.word(n, "the text of the reason") },
			"article": func(n *node) { reason.Article = r.word(n, "the article") },
		})
		r.need(e.value, "a reason", "text")
		m.Reasons[e.key.Text] = reason
	}
}

func (r *reader) decide(n *node) []FieldRef {
	if n.shape == scalarShape && n.literal.Kind == Null || !r.want(n, listShape, "decide") {
		return nil
	}
	var list []FieldRef
	for _, item := range n.items {
		if ref, ok := r.fieldRef(item, "an undecided field"); ok {
			list = append(list, ref)
		}
	}
	return list
}
