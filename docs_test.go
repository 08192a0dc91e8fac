package weir_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weirhq/weir"
)

// The pages name what the code has, and nothing else: every list in docs/ that
// repeats a table of the code is compared with the source of that table.

// TestConfigurationPage wants each key with its default.
func TestConfigurationPage(t *testing.T) {
	page := read(t, "docs/configuration.md")
	words := constants(t, "internal/config", "")
	rows := 0
	each(t, "internal/config/setting.go", func(n ast.Node) {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || lit.Type != nil || len(lit.Elts) != 4 {
			return
		}
		key, def := value(lit.Elts[0], words), value(lit.Elts[1], words)
		rows++
		if row := fmt.Sprintf("| `%s` | %s |", key, quoted(def)); !strings.Contains(page, row) {
			t.Errorf("no row that begins with %s", row)
		}
	})
	if rows < 30 {
		t.Errorf("found %d keys in the source: the look-up is broken", rows)
	}
}

// TestExitCodesPage wants each exit code.
func TestExitCodesPage(t *testing.T) {
	page := read(t, "docs/exit-codes.md")
	for name, code := range constants(t, "internal/web", "Exit") {
		if !strings.Contains(page, "| "+code+" |") {
			t.Errorf("no row for %s, %s", name, code)
		}
	}
}

// TestJSONPage wants the schema of each document.
func TestJSONPage(t *testing.T) {
	page := read(t, "docs/json.md")
	schema := regexp.MustCompile(`^weir\.[a-z-]+/v[0-9]+$`)
	found := 0
	for _, dir := range []string{"cmd/weir", "internal/web", "internal/ledger", "internal/export", "internal/demo"} {
		for _, s := range literals(t, dir) {
			if !schema.MatchString(s) {
				continue
			}
			found++
			if !strings.Contains(page, "`"+s+"`") {
				t.Errorf("%s has %s, which the page does not name", dir, s)
			}
		}
	}
	if found < 20 {
		t.Errorf("found %d schemas in the source: the look-up is broken", found)
	}
}

// TestOperationsPage wants each metric and each key of the logs.
func TestOperationsPage(t *testing.T) {
	page := read(t, "docs/operations.md")
	for _, s := range literals(t, "internal/metrics") {
		if strings.HasPrefix(s, "weir_") && !strings.Contains(page, "`"+s+"`") {
			t.Errorf("the metric %s is missing", s)
		}
	}
	for _, key := range constants(t, "engine", "Key") {
		if !strings.Contains(page, "`"+key+"`") {
			t.Errorf("the log key %s is missing", key)
		}
	}
}

// TestLimitsPage wants each category with the word that operators see.
func TestLimitsPage(t *testing.T) {
	page := read(t, "docs/limits.md")
	for _, c := range weir.Categories() {
		if row := fmt.Sprintf("| `%s` | %s |", c, c.Operator()); !strings.Contains(page, row) {
			t.Errorf("no row that begins with %s", row)
		}
	}
}

// TestEmulatorPage wants each fault, scenario and route of the control API.
func TestEmulatorPage(t *testing.T) {
	page := read(t, "docs/emulator.md")
	for _, fault := range constants(t, "emulator", "Fault") {
		if !strings.Contains(page, "`"+fault+"`") {
			t.Errorf("the fault %s is missing", fault)
		}
	}
	route := regexp.MustCompile(`^(GET|POST|PUT) /`)
	for _, s := range literals(t, "emulator") {
		if route.MatchString(s) && !strings.Contains(page, "`"+s+"`") {
			t.Errorf("the route %s is missing", s)
		}
	}
	each(t, "emulator/profile.go", func(n ast.Node) {
		f, ok := n.(*ast.FuncDecl)
		if !ok || f.Name.Name != "Scenarios" {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && !strings.Contains(page, "`"+value(l, nil)+"`") {
				t.Errorf("the scenario %s is missing", l.Value)
			}
			return true
		})
	})
}

// TestHostilePage wants each test that the page names, and each script of a
// hostile matter to be named.
func TestHostilePage(t *testing.T) {
	page := read(t, "docs/hostile.md")
	named := regexp.MustCompile("`([a-z][a-z/]*/[a-z_]+_test\\.go)` `((?:Test|Fuzz)[A-Za-z0-9]+)`")
	found := named.FindAllStringSubmatch(page, -1)
	for _, m := range found {
		if !strings.Contains(read(t, m[1]), "\nfunc "+m[2]+"(") {
			t.Errorf("%s has no %s", m[1], m[2])
		}
	}
	if n := strings.Count(page, "_test.go`"); n != len(found) || n < 20 {
		t.Errorf("the page names %d files of tests, and a test in %d", n, len(found))
	}
	scripts, err := filepath.Glob("cmd/weir/testdata/script/hostile-*.txtar")
	if err != nil || len(scripts) < 7 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	for _, s := range scripts {
		if !strings.Contains(page, "`"+filepath.ToSlash(s)+"`") {
			t.Errorf("the page does not name %s", s)
		}
	}
	for _, m := range regexp.MustCompile("`(cmd/weir/testdata/script/[^`]+)`").FindAllStringSubmatch(page, -1) {
		if !slices.Contains(scripts, filepath.FromSlash(m[1])) {
			t.Errorf("the page names %s, which does not exist", m[1])
		}
	}
}

// TestVerbs wants every command that a page tells the reader to run to exist.
func TestVerbs(t *testing.T) {
	known := map[string]bool{}
	for _, s := range literals(t, "cmd/weir") {
		word, _, _ := strings.Cut(s, " ")
		known[word] = true
	}
	const verb = "(?:bin/)?weir ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?"
	quoted, typed := regexp.MustCompile("`"+verb), regexp.MustCompile(`(?m)^(?:\$ )?`+verb)
	groups := []string{"org", "map", "dlq", "audit", "keys", "config", "sim", "export"}
	for _, page := range pages(t) {
		var calls [][]string
		for i, part := range strings.Split(read(t, page), "```") {
			if i%2 == 0 {
				calls = append(calls, quoted.FindAllStringSubmatch(part, -1)...)
			} else {
				calls = append(calls, typed.FindAllStringSubmatch(part, -1)...)
			}
		}
		for _, m := range calls {
			if !known[m[1]] || slices.Contains(groups, m[1]) && m[2] != "" && !known[m[2]] {
				t.Errorf("%s: weir has no verb %q", page, strings.TrimSpace(m[1]+" "+m[2]))
			}
		}
	}
}

// TestLinks wants every link of a page to lead to a file that exists.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			to, err := url.Parse(m[1] + m[2])
			if err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if to.Scheme != "" || to.Path == "" {
				continue
			}
			if _, err := os.Stat(filepath.FromSlash(path.Join(path.Dir(page), to.Path))); err != nil {
				t.Errorf("%s links to %s, which does not exist", page, to.Path)
			}
		}
	}
}

// pages lists every page of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	out, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir("docs", func(name string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".md") {
			out = append(out, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil || len(out) < 10 {
		t.Fatalf("found %d pages: %v", len(out), err)
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// each visits the syntax of one file.
func each(t *testing.T, file string, visit func(ast.Node)) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		visit(n)
		return true
	})
}

// eachOf visits the syntax of a directory's code, tests left out.
func eachOf(t *testing.T, dir string, visit func(ast.Node)) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			each(t, f, visit)
		}
	}
}

// literals lists the string literals of a package.
func literals(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	eachOf(t, dir, func(n ast.Node) {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			out = append(out, value(l, nil))
		}
	})
	return out
}

// constants lists a package's constants that are literals, by name.
func constants(t *testing.T, dir, prefix string) map[string]string {
	t.Helper()
	out := map[string]string{}
	eachOf(t, dir, func(n ast.Node) {
		s, ok := n.(*ast.ValueSpec)
		if !ok || len(s.Names) != len(s.Values) {
			return
		}
		for i, name := range s.Names {
			if l, ok := s.Values[i].(*ast.BasicLit); ok && strings.HasPrefix(name.Name, prefix) {
				out[name.Name] = value(l, nil)
			}
		}
	})
	if len(out) == 0 {
		t.Fatalf("no constant %s… in %s: the look-up is broken", prefix, dir)
	}
	return out
}

// value is the text of a literal, or of a constant that words knows.
func value(e ast.Expr, words map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return text
		}
		return e.Value
	case *ast.Ident:
		return words[e.Name]
	}
	return ""
}

func quoted(def string) string {
	if def == "" {
		return "–"
	}
	return "`" + def + "`"
}
