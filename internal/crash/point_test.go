package crash_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weirhq/weir/internal/crash"
)

// Every name of the list stands in the source of the product, and every name
// there is in the list: no point is dead, and none is left out of the proof.
func TestEveryPointIsInTheSource(t *testing.T) {
	listed := crash.Writes()
	named := constants(t)
	if len(listed) != len(named) {
		t.Errorf("%d writes are listed, %d are named", len(listed), len(named))
	}
	used := map[string]bool{}
	eachSource(t, func(file string, tree *ast.File) {
		ast.Inspect(tree, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && isIdent(s.X, "crash") {
				used[s.Sel.Name] = true
			}
			return true
		})
	})
	for name, value := range named {
		if !slices.Contains(listed, crash.Write(value)) {
			t.Errorf("%s is not in the list", name)
		}
		if !used[name] {
			t.Errorf("crash.%s (%s) is in the list, and nothing in the source writes under that name", name, value)
		}
	}
	if points := crash.Points(); len(points) != 2*len(listed) {
		t.Errorf("%d points for %d writes", len(points), len(listed))
	}
}

// The engine has one door to the store's write transactions, and it takes the
// name of the write.
func TestNoTransactionWithoutName(t *testing.T) {
	doors := 0
	eachSource(t, func(file string, tree *ast.File) {
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok || call.Sel.Name != "Update" {
				return true
			}
			if store, ok := call.X.(*ast.SelectorExpr); ok && strings.EqualFold(store.Sel.Name, "store") {
				if doors++; filepath.Base(file) != "txn.go" {
					t.Errorf("%s opens a write transaction that has no name: use Engine.transact", file)
				}
			}
			return true
		})
	})
	if doors != 1 {
		t.Errorf("%d doors to the store's transactions, want the one of engine/txn.go", doors)
	}
}

// What is shipped knows no points, whatever the environment says.
func TestShippedProgramHasNoPoints(t *testing.T) {
	for _, p := range crash.Points() {
		t.Setenv(crash.Variable, p.Armed(1))
		crash.Before(p.Write)
		crash.After(p.Write)
	}
}

// constants reads the names of the writes from this package's own source.
func constants(t *testing.T) map[string]string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), "point.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]string{}
	for _, d := range tree.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if !isIdent(v.Type, "Write") {
				continue
			}
			value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			named[v.Names[0].Name] = value
		}
	}
	if distinct := slices.Compact(slices.Sorted(maps.Values(named))); len(distinct) != len(named) {
		t.Error("two writes have one name")
	}
	return named
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// eachSource parses the product's files outside this package.
func eachSource(t *testing.T, visit func(file string, tree *ast.File)) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") || file == filepath.Join(root, "internal", "crash")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, src, 0)
		if err == nil {
			files++
			visit(file, tree)
		}
		return err
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files: %v", files, err)
	}
}
