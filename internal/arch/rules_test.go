package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	module   = "github.com/weirhq/weir"
	maxLines = 500
)

// judge applies every rule to one file of the package that the tables call
// pkg, and returns what is wrong, each with its place.
func judge(pkg, file string, src []byte) ([]string, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var wrong []string
	at := func(pos token.Pos, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s: %s", set.Position(pos), fmt.Sprintf(format, args...)))
	}
	if lines := set.File(tree.FileStart).LineCount(); lines > maxLines && !ast.IsGenerated(tree) {
		at(tree.Package, "%d lines; a file may have %d, and 80 to 200 read best", lines, maxLines)
	}
	home, known := house[pkg]
	if !known {
		at(tree.Package, "package %s is not in the table of internal/arch/table_test.go: give it a layer and say what it may import", pkg)
		return wrong, nil
	}
	isTest := strings.HasSuffix(file, "_test.go")
	for _, spec := range tree.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if reason := refused(pkg, home, imported, isTest); reason != "" {
			at(spec.Pos(), "%s (%s) imports %s: %s", pkg, home.layer, imported, reason)
		}
	}
	if isTest {
		return wrong, nil
	}
	switch home.layer {
	case words, core:
		noCalls(tree, "time", clockCalls, at, "the core is handed the time, it does not ask or wait for it")
		ast.Inspect(tree, func(n ast.Node) bool {
			if statement, ok := n.(*ast.GoStmt); ok {
				at(statement.Pos(), "go statement: the core has no goroutines")
			}
			return true
		})
	case shell:
		noCalls(tree, "net/http", servingCalls, at, "the shell answers no HTTP; that is a face's work")
	case edges, faces, support:
	}
	return wrong, nil
}

// refused returns why the import is against the rules, or "".
func refused(pkg string, home place, imported string, isTest bool) string {
	if ours, ok := strings.CutPrefix(imported+"/", module+"/"); ok {
		return refusedOurs(pkg, home, strings.TrimSuffix(ours, "/"), isTest)
	}
	if isTest && slices.ContainsFunc(testLibraries, func(lib string) bool { return under(imported, lib) }) {
		return ""
	}
	if lib, guarded := owned(imported); guarded {
		if slices.Contains(owners[lib], pkg) || (isTest && home.layer == support) {
			return ""
		}
		if isTest && standard(imported) {
			return "" // a test may check a cipher's work
		}
		return "only " + strings.Join(owners[lib], ", ") + " may"
	}
	if !standard(imported) {
		return "no package owns this library; if it is needed, name its owner in the table"
	}
	if isTest {
		return ""
	}
	if (home.layer == core || home.layer == words) && slices.Contains(coreBans, imported) {
		return "the pure layers do no I/O, know no clock and throw no dice"
	}
	if under(imported, "database/sql") && !home.databases {
		return "only the store, the shell that shares its transactions and pgtest see SQL"
	}
	return ""
}

func refusedOurs(pkg string, home place, imported string, isTest bool) string {
	if imported == "" {
		imported = root
	}
	if imported == pkg && isTest {
		return "" // a black-box test of the package itself
	}
	if slices.Contains(home.may, imported) || (isTest && slices.Contains(home.testsMay, imported)) {
		return ""
	}
	if pkg == "emulator" {
		return "the emulator shares nothing with us, so that a shared misunderstanding cannot hide"
	}
	return "not among the packages that it may import: " + strings.Join(home.may, ", ")
}

// owned returns the longest entry of owners that the import lies under.
func owned(imported string) (entry string, found bool) {
	for lib := range owners {
		// River's modules share a prefix with its drivers: riverqueue/river/….
		if under(imported, lib) && len(lib) > len(entry) {
			entry, found = lib, true
		}
	}
	return entry, found
}

func under(imported, parent string) bool {
	return imported == parent || strings.HasPrefix(imported, parent+"/")
}

// standard says whether the import is of the standard library: only module
// paths have a dot in their first element.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// noCalls reports every use of the named identifiers of one package, under
// whatever name the file imports it.
func noCalls(tree *ast.File, pkg string, names []string, at func(token.Pos, string, ...any), why string) {
	local := ""
	for _, spec := range tree.Imports {
		if spec.Path.Value != strconv.Quote(pkg) {
			continue
		}
		local = path.Base(pkg)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == "." {
			at(spec.Pos(), "dot import of %s: its names could not be told from ours", pkg)
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && local != "" && x.Name == local && slices.Contains(names, selector.Sel.Name) {
			at(selector.Pos(), "%s.%s: %s", pkg, selector.Sel.Name, why)
		}
		return true
	})
}
