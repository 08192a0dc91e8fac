package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/weirhq/weir/internal/web"
)

// observation is what was seen of one run of the program in a script.
type observation struct {
	Verb     string
	Exit     int
	Document bool     // it was asked for a document and printed one
	Problems []string // what it must never do
}

// observed runs the program as main does and notes what it did for the test
// that started the script.
func observed(args []string) int {
	var out, errOut bytes.Buffer
	code := run(args, os.Stdin, io.MultiWriter(os.Stdout, &out), io.MultiWriter(os.Stderr, &errOut))
	o := observation{Verb: verbOf(args), Exit: code}
	o.Problems = leaks(out.String() + errOut.String())
	o.Problems = append(o.Problems, obeyed(errOut.String())...)
	if !bytes.HasPrefix(out.Bytes(), []byte("age-encryption")) { // a package on standard output
		o.Problems = append(o.Problems, obeyed(out.String())...)
	}
	if wantsJSON(args) {
		pure := purity(o.Verb, code, out.Bytes(), errOut.Bytes())
		o.Problems = append(o.Problems, pure...)
		o.Document = len(pure) == 0 && out.Len() > 0
	}
	if err := o.note(os.Getenv("SCRIPT_RUNS")); err != nil {
		fmt.Fprintln(os.Stderr, "note the run:", err)
		return 99
	}
	return code
}

func verbOf(args []string) string {
	root := newApp(nil, nil, nil).root()
	cmd, _, err := root.Find(args)
	if err != nil {
		return "weir"
	}
	return cmd.CommandPath()
}

// leaks finds personal data and secrets of the emulated org.
func leaks(text string) []string {
	for canary := range strings.SplitSeq(os.Getenv("SCRIPT_CANARIES"), "\n") {
		if canary != "" && strings.Contains(strings.ToLower(text), strings.ToLower(canary)) {
			return []string{"it printed personal data or a secret of the seeded org"}
		}
	}
	return nil
}

// streams are the verbs that print lines of documents; approve does with --wait.
func streams(verb string) bool {
	return verb == "weir watch" || verb == "weir approve" || verb == "weir demo"
}

// lasting verbs log to standard error; their document comes first.
func lasting(verb string) bool { return verb == "weir serve" }

// purity checks the rules of JSON output: on success exactly one document (or
// lines of them for watch) and a silent standard error; on an error nothing on
// standard output and one line of error.
func purity(verb string, code int, out, errOut []byte) []string {
	var problems []string
	docs, err := documents(out)
	if err != nil {
		problems = append(problems, "standard output: "+err.Error())
	}
	if n := len(docs); n > 1 && !streams(verb) {
		problems = append(problems, fmt.Sprintf("standard output holds %d documents", n))
	}
	if n := bytes.Count(out, []byte("\n")); n != len(docs) {
		problems = append(problems, "a document is not on one line")
	}
	failures, err := documents(errOut)
	if lasting(verb) {
		return problems
	}
	if err != nil {
		problems = append(problems, "standard error: "+err.Error())
	}
	switch {
	case len(failures) > 1, len(failures) == 1 && len(docs) > 0 && !streams(verb), len(failures)+len(docs) == 0:
		problems = append(problems, fmt.Sprintf("%d documents and %d errors", len(docs), len(failures)))
	case len(failures) == 1:
		f := failures[0]
		if f["schema"] != "weir.error/v1" || f["exit"] != float64(code) || f["code"] == "" || f["message"] == "" || code == web.ExitOK {
			problems = append(problems, fmt.Sprintf("exit code %d with the error %v", code, f["code"]))
		}
	}
	return problems
}

// documents reads JSON objects, each with its schema.
func documents(text []byte) ([]map[string]any, error) {
	var docs []map[string]any
	dec := json.NewDecoder(bytes.NewReader(text))
	for {
		var doc map[string]any
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return docs, fmt.Errorf("not JSON: %w", err)
		}
		schema, _ := doc["schema"].(string)
		if !strings.HasPrefix(schema, "weir.") || !strings.Contains(schema, "/v") {
			return docs, fmt.Errorf("a document has the schema %q", schema)
		}
		docs = append(docs, doc)
	}
}

// note appends the observation; O_APPEND keeps the lines of scripts that run at
// the same time apart.
func (o observation) note(path string) (err error) {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

func readRuns(t *testing.T, path string) []observation {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var all []observation
	for line := range bytes.Lines(text) {
		var o observation
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// TestPurity shows that the check of JSON output bites.
func TestPurity(t *testing.T) {
	const good, bad = `{"schema":"weir.x/v1"}` + "\n", `{"schema":"weir.error/v1","exit":5,"code":"c","message":"m"}` + "\n"
	for _, c := range []struct {
		name, verb string
		code       int
		out, err   string
		pure       bool
	}{
		{"document", "weir status", 0, good, "", true},
		{"findings", "weir org test", 7, good, "", true},
		{"error", "weir status", 5, "", bad, true},
		{"lines of watch", "weir watch", 0, good + good, "", true},
		{"two documents", "weir status", 0, good + good, "", false},
		{"text on stdout", "weir status", 0, "hello\n" + good, "", false},
		{"progress on stderr", "weir status", 0, good, "waiting\n", false},
		{"document and error", "weir status", 5, good, bad, false},
		{"other exit code", "weir status", 6, "", bad, false},
		{"nothing", "weir status", 0, "", "", false},
		{"no schema", "weir status", 0, "{}\n", "", false},
		{"two lines", "weir status", 0, "{\n\"schema\":\"weir.x/v1\"}\n", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := purity(c.verb, c.code, []byte(c.out), []byte(c.err)); (len(got) == 0) != c.pure {
				t.Errorf("purity = %q, want pure %v", got, c.pure)
			}
		})
	}
}

// TestEveryVerbIsDocumented keeps help useful.
func TestEveryVerbIsDocumented(t *testing.T) {
	verbs := verbsOf(newApp(nil, nil, nil).root())
	if len(verbs) < 30 {
		t.Fatalf("only %d verbs: the walk is broken", len(verbs))
	}
	for _, v := range verbs {
		if v.Short == "" || strings.HasSuffix(v.Short, ".") || v.Args == nil {
			t.Errorf("%s: it needs a short sentence without a full stop, and a rule for its arguments", v.CommandPath())
		}
	}
}
