package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// stream writes the events of one package whose tests end as given.
func stream(ends ...string) string {
	var b strings.Builder
	for _, end := range ends {
		name, action, _ := strings.Cut(end, "=")
		fmt.Fprintf(&b, `{"Action":"run","Package":"p","Test":%q}`+"\n", name)
		fmt.Fprintf(&b, `{"Action":"output","Package":"p","Test":%q,"Output":"    said by %s\n"}`+"\n", name, name)
		if action != "" {
			fmt.Fprintf(&b, `{"Action":%q,"Package":"p","Test":%q}`+"\n", action, name)
		}
	}
	return b.String()
}

func TestRun(t *testing.T) {
	const ok = `{"Action":"pass","Package":"p","Elapsed":1.5}` + "\n"
	const bad = `{"Action":"fail","Package":"p"}` + "\n"
	for _, c := range []struct {
		name, in string
		code     int
		want     []string // lines that the output holds
		hides    string   // what it must not hold
	}{
		{
			"same tests on both stores", stream("TestA/x/sqlite=pass", "TestA/x/postgres=pass", "TestA/x=pass", "TestA=pass", "TestB=pass") + ok, 0,
			[]string{"ok  \tp\t1.500s", "tests run: sqlite 1, postgres 1, other 1", "3 passed, 0 failed, 0 skipped"},
			"said by",
		},
		{
			"a store is missing", stream("TestA/sqlite=pass", "TestA=pass") + ok, 1,
			[]string{"NOT GOOD: did not run on postgres: p TestA/*", "tests run: sqlite 1, postgres 0, other 0"},
			"",
		},
		{
			"equal numbers of different tests", stream("TestA/sqlite/one=pass", "TestA/postgres/two=pass") + ok, 1,
			[]string{"NOT GOOD: did not run on postgres: p TestA/*/one", "NOT GOOD: did not run on sqlite: p TestA/*/two"},
			"",
		},
		{
			"repeated subtests", stream("TestA/sqlite=pass", "TestA/postgres=pass", "TestA/sqlite#01=pass", "TestA/postgres#01=pass") + ok, 0,
			[]string{"tests run: sqlite 2, postgres 2, other 0"},
			"",
		},
		{
			"skipped", stream("TestA=skip", "TestB=pass") + ok, 1,
			[]string{"NOT GOOD: skipped: p TestA", "    said by TestA", "1 passed, 0 failed, 1 skipped"},
			"",
		},
		{
			"failed", stream("TestA=fail", "TestB=pass") + bad, 1,
			[]string{"    said by TestA", "FAIL\tp\t0.000s", "1 passed, 1 failed, 0 skipped"},
			"TestB",
		},
		{
			"failed after its subtests", stream("TestA/x=pass", "TestA=fail") + bad, 1,
			[]string{"NOT GOOD: 1 failed", "1 passed, 1 failed, 0 skipped"},
			"",
		},
		{
			"failed with its subtest", stream("TestA/x/y=fail", "TestA/x=fail", "TestA=fail") + bad, 1,
			[]string{"0 passed, 1 failed, 0 skipped"},
			"",
		},
		{
			"panicked", stream("TestA=pass", "TestB=") + `{"Action":"output","Package":"p","Output":"panic: no\n"}` + "\n" + bad, 1,
			[]string{"    said by TestB", "panic: no", "NOT GOOD: package p failed outside its tests", "1 passed, 1 failed, 0 skipped"},
			"",
		},
		{
			"does not build", `{"ImportPath":"p","Action":"build-output","Output":"p.go:1: no\n"}` + "\n" + bad, 1,
			[]string{"p.go:1: no", "NOT GOOD: no test passed"},
			"",
		},
		{"nothing ran", "", 1, []string{"NOT GOOD: no test passed", "0 passed, 0 failed, 0 skipped"}, ""},
		{"not go test -json", "ok p 1s\n", 2, nil, "passed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if code := run(strings.NewReader(c.in), &out); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			lines := strings.Split(out.String(), "\n")
			for _, want := range c.want {
				if !slices.Contains(lines, want) {
					t.Errorf("no line %q in:\n%s", want, out.String())
				}
			}
			if c.hides != "" && strings.Contains(out.String(), c.hides) {
				t.Errorf("%q in:\n%s", c.hides, out.String())
			}
		})
	}
}
