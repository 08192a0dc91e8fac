package bench_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// mark stands before the README's example.
const mark = "<!-- bench/example_test.go -->\n```go\n"

// TestReadme: the example that the README shows is the function that the tests
// here run, to the letter.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), mark)
	if !found {
		t.Fatalf("the README shows no example; this stands right before it: %q", mark)
	}
	shown, _, closed := strings.Cut(rest, "\n```")
	if want := function(t, "example_test.go", "connect"); !closed || shown != want {
		t.Errorf("the README shows\n%s\nand the test runs\n%s", shown, want)
	}
}

// function returns the text of a function.
func function(t *testing.T, file, name string) string {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range tree.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == name {
			return string(src[set.Position(f.Pos()).Offset:set.Position(f.End()).Offset])
		}
	}
	t.Fatalf("%s has no function %s", file, name)
	return ""
}
