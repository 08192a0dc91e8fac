package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/vault"
)

// steps are the words of the scripts beside those of testscript.
func steps() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits":    stepExits,
		"connect":  stepConnect,
		"get":      stepGet,
		"org":      stepOrg,
		"identity": stepIdentity,
		"opens":    stepOpens,
		"appears":  stepAppears,
		"fetch":    stepFetch,
		"edit":     stepEdit,
		"bytes":    stepBytes,
		"says":     stepSays,
	}
}

// exits CODE PROGRAM ARGS… demands an exact exit code.
func stepExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// connect makes an installation with the emulated org, where one person may
// approve what they submitted.
func stepConnect(ts *testscript.TestScript, _ bool, _ []string) {
	run := func(args ...string) { ts.Check(ts.Exec("weir", args...)) }
	run("init")
	ts.Check(copyFile(ts.MkAbs("acme.yaml"), ts.MkAbs("datamap/acme.yaml")))
	run("org", "add", "acme", "--instance-url", ts.Getenv("ORG_URL"), "--client-id", ts.Getenv("CLIENT_ID"), "--secret", "file:client-secret")
	ts.Setenv("WEIR_POLICY_SINGLE_OPERATOR", "true")
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// get NAME PATH puts a value of the last document into a variable; PATH is
// like status.dead_letters.0.
func stepGet(ts *testscript.TestScript, _ bool, args []string) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	var doc any
	ts.Check(json.Unmarshal([]byte(lines[len(lines)-1]), &doc))
	for key := range strings.SplitSeq(args[1], ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			ts.Check(err)
			if i >= len(v) {
				ts.Fatalf("%s: the list has %d elements", args[1], len(v))
			}
			doc = v[i]
		}
	}
	if doc == nil {
		ts.Fatalf("the document has no %s", args[1])
	}
	ts.Setenv(args[0], fmt.Sprint(doc))
}

// org does to the emulated org what people and admins of it would do:
// fault KIND TIMES, deny OBJECT ACTION, credentials on|off, touch OBJECT EMAIL,
// alter OBJECT FIELD ATTRIBUTE VALUE; and what only a hostile org does.
func stepOrg(ts *testscript.TestScript, _ bool, args []string) {
	hostile, ok := ts.Value(orgKey{}).(*hostileOrg)
	if !ok {
		ts.Fatalf("no org")
	}
	if hostile.act(ts, args) {
		return
	}
	org := hostile.org
	switch args[0] {
	case "fault":
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		org.InjectNext(emulator.Fault(args[1]), n)
	case "deny":
		org.DenyObject(args[1], args[2])
	case "credentials":
		org.SetCredentialsValid(args[1] == "on")
	case "touch":
		ids := org.Find(args[1], "Email", args[2])
		if len(ids) == 0 || !org.Touch(args[1], ids[0], map[string]any{"Title": "Changed"}) {
			ts.Fatalf("nothing to touch")
		}
	case "alter":
		value, err := strconv.Atoi(args[4])
		ts.Check(err)
		ts.Check(org.AlterField(args[1], args[2], args[3], value))
	default:
		ts.Fatalf("org cannot %s", args[0])
	}
}

// identity FILE makes an age key and puts its recipient into $RECIPIENT.
func stepIdentity(ts *testscript.TestScript, _ bool, args []string) {
	id, recipient, err := vault.NewIdentity()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), id.Reveal(), 0o600))
	ts.Setenv("RECIPIENT", recipient)
}

// opens IDENTITY PACKAGE demands that the package opens with the key.
func stepOpens(ts *testscript.TestScript, _ bool, args []string) {
	key, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	f, err := os.Open(ts.MkAbs(args[1]))
	ts.Check(err)
	defer func() { ts.Check(f.Close()) }()
	plain, err := vault.Decrypt(pii.New(key), f)
	ts.Check(err)
	text, err := io.ReadAll(plain)
	ts.Check(err)
	if !strings.HasPrefix(string(text), "PK") {
		ts.Fatalf("the package is no zip file")
	}
}

// appears FILE waits until another process has made a file.
func stepAppears(ts *testscript.TestScript, _ bool, args []string) {
	for range 300 {
		if found, err := filepath.Glob(ts.MkAbs(args[0])); err == nil && len(found) > 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear", args[0])
}

// fetch URL FILE saves what a URL answers.
func stepFetch(ts *testscript.TestScript, _ bool, args []string) {
	resp, err := http.Get(args[0])
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), body, 0o600))
}

// edit FILE OLD NEW replaces text in a file.
func stepEdit(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	if !strings.Contains(string(text), args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, []byte(strings.Replace(string(text), args[1], args[2], 1)), 0o600))
}
