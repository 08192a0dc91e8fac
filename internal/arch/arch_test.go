package arch

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestHouse applies the rules to every Go file of the module.
func TestHouse(t *testing.T) {
	files := 0
	err := eachGoFile(repository(t), func(pkg, file string, src []byte) error {
		files++
		wrong, err := judge(pkg, file, src)
		for _, problem := range wrong {
			t.Error(problem)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Fatalf("found only %d Go files: the walk is broken", files)
	}
}

// TestRootStaysSmall keeps the words of the product readable in one sitting.
func TestRootStaysSmall(t *testing.T) {
	var files []string
	err := eachGoFile(repository(t), func(pkg, file string, _ []byte) error {
		if pkg == root && !strings.HasSuffix(file, "_test.go") {
			files = append(files, file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 || len(files) > 10 {
		t.Errorf("package weir has %d files, at most 10 are allowed: %s", len(files), strings.Join(files, " "))
	}
}

// TestTable checks the table itself: it names only packages that are in it,
// and no package's code may import a higher layer or itself.
func TestTable(t *testing.T) {
	height := map[layer]int{words: 0, core: 1, edges: 2, shell: 3, faces: 4, support: 5}
	for pkg, home := range house {
		for _, imported := range home.may {
			to, ok := house[imported]
			if !ok {
				t.Errorf("%s may import %s, which is not in the table", pkg, imported)
			}
			if imported == pkg || height[to.layer] > height[home.layer] {
				t.Errorf("%s (%s) may import %s (%s): imports point down", pkg, home.layer, imported, to.layer)
			}
		}
		for _, imported := range home.testsMay {
			if _, ok := house[imported]; !ok {
				t.Errorf("tests of %s may import %s, which is not in the table", pkg, imported)
			}
		}
	}
	for lib, packages := range owners {
		for _, pkg := range packages {
			if _, ok := house[pkg]; !ok {
				t.Errorf("%s is owned by %s, which is not in the table", lib, pkg)
			}
		}
	}
}

// TestRefusals shows that each rule bites.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, pkg, file, src, want string }{
		{"unknown package", "internal/utils", "u.go", ``, "not in the table"},
		{"core imports I/O", "governor", "g.go", `import "net/http"`, "do no I/O"},
		{"core rolls dice", "internal/plan", "p.go", `import "math/rand/v2"`, "do no I/O"},
		{"words import the core", root, "w.go", `import "github.com/weirhq/weir/governor"`, "not among"},
		{"core imports an edge", "internal/ledger", "l.go", `import "github.com/weirhq/weir/vault"`, "not among"},
		{"edge imports an edge", "vault", "v.go", `import "github.com/weirhq/weir/internal/store"`, "not among"},
		{"emulator imports the words", "emulator", "e.go", `import "github.com/weirhq/weir"`, "misunderstanding"},
		{"even in its tests", "emulator", "e_test.go", `import "github.com/weirhq/weir"`, "misunderstanding"},
		{"runner imports engine", "internal/runner", "r.go", `import "github.com/weirhq/weir/engine"`, "not among"},
		{"face imports the runner", "cmd/weir", "c.go", `import "github.com/weirhq/weir/internal/runner"`, "not among"},
		{"code imports test support", "internal/store", "s.go", `import "github.com/weirhq/weir/internal/pgtest"`, "not among"},
		{"face speaks SQL", "internal/web", "w.go", `import "database/sql"`, "see SQL"},
		{"River outside the runner", "engine", "e.go", `import "github.com/riverqueue/river/rivertype"`, "only internal/runner"},
		{"driver outside the store", "engine", "e_test.go", `import _ "modernc.org/sqlite"`, "only internal/store"},
		{"cipher outside the vault", "internal/export", "e.go", `import "crypto/cipher"`, "only vault"},
		{"age outside the vault", "cmd/weir", "c.go", `import "filippo.io/age"`, "only vault"},
		{"Prometheus outside metrics", "engine", "e.go", `import "github.com/prometheus/client_golang/prometheus"`, "only internal/metrics"},
		{"library without an owner", "engine", "e.go", `import "github.com/stretchr/testify"`, "name its owner"},
		{"test library in code", "engine", "e.go", `import "pgregory.net/rapid"`, "name its owner"},
		{"core asks for the time", "governor", "g.go", `import clock "time"; var _ = clock.Now()`, "handed the time"},
		{"core waits", "internal/deadline", "d.go", `import "time"; func f() { time.Sleep(1) }`, "handed the time"},
		{"core starts a goroutine", "internal/deadletter", "d.go", `func f() { go f() }`, "no goroutines"},
		{"shell serves HTTP", "engine", "e.go", `import "net/http"; var _ http.Handler`, "face's work"},
		{"long file", "engine", "e.go", strings.Repeat("\n", maxLines), "lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrong, err := judge(c.pkg, c.file, []byte("package p\n"+c.src))
			if err != nil {
				t.Fatal(err)
			}
			if len(wrong) != 1 || !strings.Contains(wrong[0], c.want) {
				t.Errorf("judged %q, want one problem with %q", wrong, c.want)
			}
		})
	}
}

// TestAllowances shows that the rules let through what the house needs.
func TestAllowances(t *testing.T) {
	for _, c := range []struct{ name, pkg, file, src string }{
		{"core uses durations and hashes", "governor", "g.go", `import ("crypto/sha256"; "time"); var _ = time.Second; var _ = sha256.New`},
		{"a field called Now", "governor", "g.go", `func f(time struct{ Now int }) int { return time.Now }`},
		{"core test reads a file", "internal/datamap", "d_test.go", `import "os"`},
		{"client is tested on the emulator", "salesforce", "s_test.go", `import "github.com/weirhq/weir/emulator"`},
		{"store is tested on both stores", "internal/store", "s_test.go", `import "github.com/weirhq/weir/internal/pgtest"`},
		{"black-box test", "vault", "v_test.go", `import "github.com/weirhq/weir/vault"`},
		{"runner uses River's driver", "internal/runner", "r.go", `import "github.com/riverqueue/river/riverdriver/riversqlite"`},
		{"long generated file", "engine", "e.go", "// Code generated by a tool. DO NOT EDIT.\n" + strings.Repeat("\n", maxLines)},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := "package p\n" + c.src
			if strings.HasPrefix(c.src, "//") {
				src = c.src + "package p\n"
			}
			if wrong, err := judge(c.pkg, c.file, []byte(src)); err != nil || len(wrong) > 0 {
				t.Errorf("refused: %q %v", wrong, err)
			}
		})
	}
}

// repository returns the directory of the module that this test is in.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// eachGoFile calls visit for every Go file of the module in dir, whatever its
// build tags. Nested modules, testdata and hidden directories are not ours.
func eachGoFile(dir string, visit func(pkg, file string, src []byte) error) error {
	house := os.DirFS(dir)
	return fs.WalkDir(house, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			name := entry.Name()
			_, nested := fs.Stat(house, path.Join(file, "go.mod"))
			if file != "." && (nested == nil || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(file) != ".go" {
			return nil
		}
		src, err := fs.ReadFile(house, file)
		if err != nil {
			return err
		}
		pkg := path.Dir(file)
		if pkg == "." {
			pkg = root
		}
		return visit(pkg, file, src)
	})
}
