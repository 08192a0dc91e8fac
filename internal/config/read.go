package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// reader walks the tree of one file, fills a Config and collects mistakes.
type reader struct {
	c        *Config
	problems Problems
}

// read puts the file's text over the defaults.
func (r *reader) read(src []byte) {
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0: // an empty file: defaults
	case 1:
		r.mapping(bodies[0], "", r.c.scalars())
	default:
		r.wrong(bodies[1].GetToken(), "a second document", "keep everything above the ---")
	}
}

func (r *reader) syntax(err error) {
	var broken *yaml.SyntaxError
	if errors.As(err, &broken) {
		r.wrong(broken.Token, broken.Message, "this is not valid YAML")
		return
	}
	r.problems = append(r.problems, Problem{r.c.near(""), err.Error(), "this is not valid YAML"})
}

func (r *reader) wrong(at *token.Token, message, hint string) {
	r.problems = append(r.problems, Problem{r.origin(at), message, hint})
}

func (r *reader) origin(at *token.Token) Origin {
	if at == nil || at.Position == nil {
		return r.c.near("")
	}
	return Origin{Kind: FromFile, Name: r.c.file, Line: at.Position.Line, Col: at.Position.Column}
}

// mapping reads a mapping whose keys the table lists. The prefix is the path
// of the mapping with a dot, or empty for the whole file or one org.
func (r *reader) mapping(node ast.Node, prefix string, table []scalar) {
	base, group := cutOrg(prefix)
	m, ok := node.(ast.MapNode)
	if !ok {
		r.wrong(node.GetToken(), fmt.Sprintf("%s must be a mapping of keys", nameOf(prefix)), "known here: "+strings.Join(keys(table, group, base), ", "))
		return
	}
	seen := map[string]bool{}
	for each := m.MapRange(); each.Next(); {
		at := each.Key().GetToken()
		key, ok := scalarText(each.Key())
		if !ok {
			r.wrong(at, "this key is not a plain word", "anchors, aliases and merge keys are not read here")
			continue
		}
		if seen[key] {
			r.wrong(at, fmt.Sprintf("%q is given a second time", prefix+key), "keep one of them")
			continue
		}
		seen[key] = true
		r.c.origins[prefix+key] = r.origin(at)
		r.entry(each.Value(), at, prefix, key, table)
	}
}

// entry reads one key of a mapping and what stands behind it.
func (r *reader) entry(node ast.Node, at *token.Token, prefix, key string, table []scalar) {
	base, group := cutOrg(prefix)
	path := prefix + key
	if !slices.Contains(keys(table, group, base), key) {
		delete(r.c.origins, path)
		r.wrong(at, fmt.Sprintf("unknown key %q", key), r.hint(key, group, base, table))
		return
	}
	if node == nil || node.Type() == ast.NullType {
		if path != keyOrgs && path != keyLaws {
			r.wrong(at, fmt.Sprintf("%q has no value", path), "write one, or remove the key to take the default")
		}
		return
	}
	switch {
	case path == keyOrgs:
		r.orgs(node)
	case path == keyLaws:
		r.laws(node)
	case group == "" && base != "" && key == keyRecipients:
		r.recipients(node, path)
	default:
		i := slices.IndexFunc(table, func(s scalar) bool { return s.path == group+key })
		if i < 0 {
			r.mapping(node, path+".", table)
			return
		}
		r.scalar(node, path, table[i].into)
	}
}

func (r *reader) scalar(node ast.Node, path string, into value) {
	text, ok := scalarText(node)
	if !ok {
		r.wrong(node.GetToken(), fmt.Sprintf("%q must be a single value", path), "")
		return
	}
	if err := into.set(text); err != nil {
		r.wrong(node.GetToken(), fmt.Sprintf("%q %v", path, err), "")
		return
	}
	r.c.origins[path] = r.origin(node.GetToken())
	r.c.spelled[path] = text
}

// orgs reads the list of orgs. Each one has a table of its own.
func (r *reader) orgs(node ast.Node) {
	items, ok := r.list(node, keyOrgs)
	if !ok {
		return
	}
	r.c.Orgs = make([]Org, len(items))
	for i, item := range items {
		table := r.c.Orgs[i].scalars()
		withDefaults(table)
		r.c.origins[orgPath(i)] = r.origin(start(item))
		r.mapping(item, orgPath(i)+".", table)
	}
}

// laws reads names of legal clocks: a list, or the keys of a mapping that
// leaves their contents to weir.
func (r *reader) laws(node ast.Node) {
	m, ok := node.(ast.MapNode)
	if !ok {
		r.words(node, keyLaws, &r.c.Laws, checkAlias)
		return
	}
	for each := m.MapRange(); each.Next(); {
		name, _ := scalarText(each.Key())
		if each.Value() != nil && each.Value().Type() != ast.NullType {
			r.wrong(each.Value().GetToken(), fmt.Sprintf("the clock of law %q cannot be set here", name), "clocks are versioned data of weir; write only the name")
			continue
		}
		r.c.origins[fmt.Sprintf("%s[%d]", keyLaws, len(r.c.Laws))] = r.origin(each.Key().GetToken())
		r.c.Laws = append(r.c.Laws, name)
	}
}

func (r *reader) recipients(node ast.Node, path string) {
	var i int
	if _, err := fmt.Sscanf(path, keyOrgs+"[%d]", &i); err != nil {
		panic(err) // the path was made by orgPath
	}
	r.words(node, path, &r.c.Orgs[i].Recipients, checkRecipient)
}

// words reads a list of texts, each with the same check.
func (r *reader) words(node ast.Node, path string, into *[]string, check func(string) error) {
	items, ok := r.list(node, path)
	if !ok {
		return
	}
	for i, item := range items {
		text, ok := scalarText(item)
		if !ok {
			r.wrong(item.GetToken(), fmt.Sprintf("%q must be a list of single values", path), "")
			continue
		}
		if err := check(text); err != nil {
			r.wrong(item.GetToken(), fmt.Sprintf("%q in %q %v", text, path, err), "")
			continue
		}
		r.c.origins[fmt.Sprintf("%s[%d]", path, i)] = r.origin(item.GetToken())
		*into = append(*into, text)
	}
}

func (r *reader) list(node ast.Node, path string) ([]ast.Node, bool) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		r.wrong(start(node), fmt.Sprintf("%q must be a list", path), "begin each item with a dash")
		return nil, false
	}
	return sequence.Values, true
}

// scalarText returns the text of a plain or quoted value. It keeps the
// spelling: 66.0 stays "66.0".
func scalarText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// start returns the first token of a node; that of a mapping is its first key,
// where GetToken would give the colon.
func start(node ast.Node) *token.Token {
	if m, ok := node.(ast.MapNode); ok {
		if each := m.MapRange(); each.Next() {
			return each.Key().GetToken()
		}
	}
	return node.GetToken()
}
