package datamap

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// shape is the form of a node of the file.
type shape string

const (
	scalarShape  shape = "a single value"
	listShape    shape = "a list"
	mappingShape shape = "a mapping"
)

// node is one value of the file, freed from everything that has no meaning:
// comments, quoting, flow or block style.
type node struct {
	at      Pos
	shape   shape
	literal Literal // of a scalar
	items   []*node // of a list
	entries []entry // of a mapping, in the order of the file
}

type entry struct {
	key   Name
	value *node
}

// reader turns text into nodes and nodes into structs, and collects the
// mistakes on the way.
type reader struct {
	file string
	errs *Errors
}

func (r *reader) pos(t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{File: r.file, Line: 1, Column: 1}
	}
	return Pos{File: r.file, Line: t.Position.Line, Column: t.Position.Column}
}

// document reads the file's single document; nil when that is impossible.
func (r *reader) document(src []byte) *node {
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
			r.errs.add(r.pos(syntax.Token), "%s", syntax.Message)
		} else {
			r.errs.add(r.pos(nil), "not YAML: %v", err)
		}
		return nil
	}
	docs := slices.DeleteFunc(slices.Clone(file.Docs), func(d *ast.DocumentNode) bool { return d.Body == nil })
	switch len(docs) {
	case 0:
		r.errs.add(r.pos(nil), "the data map is empty")
		return nil
	case 1:
		return r.node(docs[0].Body)
	}
	r.errs.add(r.node(docs[1].Body).at, "a data map is one YAML document, this is a second one")
	return nil
}

// node converts one node of the syntax tree.
func (r *reader) node(n ast.Node) *node {
	at := r.pos(n.GetToken())
	switch v := n.(type) {
	case *ast.MappingNode:
		return r.mapping(v.Values, at)
	case *ast.MappingValueNode:
		return r.mapping([]*ast.MappingValueNode{v}, at)
	case *ast.SequenceNode:
		list := &node{at: at, shape: listShape}
		for _, item := range v.Values {
			list.items = append(list.items, r.node(item))
		}
		return list
	case *ast.NullNode:
		return scalar(at, Null, "")
	case *ast.BoolNode:
		return scalar(at, Bool, strconv.FormatBool(v.Value))
	case *ast.IntegerNode:
		return scalar(at, Number, v.Token.Value)
	case *ast.FloatNode:
		return scalar(at, Number, v.Token.Value)
	case *ast.StringNode:
		return scalar(at, Text, v.Value)
	case *ast.LiteralNode:
		return scalar(at, Text, v.Value.Value)
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		r.errs.add(at, "anchors, aliases and tags are not used in a data map")
	default:
		r.errs.add(at, "this kind of YAML value is not used in a data map")
	}
	return scalar(at, Null, "")
}

func scalar(at Pos, kind LiteralKind, text string) *node {
	return &node{at: at, shape: scalarShape, literal: Literal{Kind: kind, Text: text}}
}

func (r *reader) mapping(values []*ast.MappingValueNode, at Pos) *node {
	m := &node{at: at, shape: mappingShape}
	seen := map[string]Pos{}
	for i, v := range values {
		at := r.pos(v.Key.GetToken())
		if i == 0 && at.Line == m.at.Line && at.Column < m.at.Column {
			m.at = at // the tree places a mapping at its first colon
		}
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			r.errs.add(at, "keys are plain words here")
			continue
		}
		if first, twice := seen[key.Value]; twice {
			r.errs.add(at, "%q is here twice; the first is in line %d", key.Value, first.Line)
			continue
		}
		seen[key.Value] = at
		m.entries = append(m.entries, entry{key: Name{Text: key.Value, Pos: at}, value: r.node(v.Value)})
	}
	return m
}

// canonical writes the meaning of a node: keys sorted, scalars with their
// type, lists in their order.
func (n *node) canonical(b *strings.Builder) {
	switch n.shape {
	case scalarShape:
		b.WriteString(string(n.literal.Kind) + ":" + strconv.Quote(n.literal.Text))
	case listShape:
		b.WriteByte('[')
		for _, item := range n.items {
			item.canonical(b)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case mappingShape:
		sorted := slices.SortedFunc(slices.Values(n.entries), func(x, y entry) int {
			return strings.Compare(x.key.Text, y.key.Text)
		})
		b.WriteByte('{')
		for _, e := range sorted {
			b.WriteString(strconv.Quote(e.key.Text) + "=")
			e.value.canonical(b)
			b.WriteByte(',')
		}
		b.WriteByte('}')
	}
}
