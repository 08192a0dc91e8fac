package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/web"
)

// TestMain lets scripts run this test's own binary as the command weir, each
// time in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"weir": func() { os.Exit(observed(os.Args[1:])) }})
}

// TestScripts runs every script against an emulated org of its own, and then
// demands that the scripts together have shown each verb succeed, fail, and
// print a document.
func TestScripts(t *testing.T) {
	runs := filepath.Join(t.TempDir(), "runs")
	var started atomic.Int32 // scripts are set up at the same time
	t.Run("script", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir:                 filepath.Join("testdata", "script"),
			RequireExplicitExec: true,
			RequireUniqueNames:  true,
			Cmds:                steps(),
			Setup: func(env *testscript.Env) error {
				started.Add(1)
				return prepare(env, runs)
			},
		})
	})
	all := readRuns(t, runs)
	for _, r := range all {
		for _, p := range r.Problems {
			t.Errorf("weir %s: %s", r.Verb, p)
		}
	}
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if int(started.Load()) < len(scripts) || t.Failed() {
		return // only some scripts were chosen, or one broke off
	}
	judgeVerbs(t, all)
}

// orgKey finds a script's emulated org.
type orgKey struct{}

// prepare gives a script its own org, whose people must not show anywhere.
func prepare(env *testscript.Env, runs string) error {
	org := emulator.New(emulator.Options{Seed: 7, Profile: emulator.Calm(), RecycleLag: -1})
	subjects := emulator.SeedSmall(org)
	hostile := newHostileOrg(org)
	server := httptest.NewServer(hostile)
	env.Defer(func() {
		server.Close()
		hostile.evil.Close()
	})
	env.Values[orgKey{}] = hostile
	creds := org.Credentials()
	var canaries []string
	for _, s := range subjects {
		canaries = append(canaries, s.Email, s.Name)
	}
	for name, value := range map[string]string{
		"ORG_URL": server.URL, "CLIENT_ID": creds.ClientID, "WEIR_LISTEN": "127.0.0.1:0", "HOME": env.WorkDir,
		"SCRIPT_RUNS": runs, "SCRIPT_CANARIES": strings.Join(append(canaries, creds.ClientSecret), "\n"),
		"SUBJECT": subjects[0].Email, "OTHER": subjects[1].Email, "LOCKED": subjects[2].Email,
	} {
		env.Setenv(name, value)
	}
	acme, err := os.ReadFile(filepath.Join("testdata", "acme.yaml"))
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"acme.yaml": string(acme), "client-secret": creds.ClientSecret,
		"subject.txt": "email:" + subjects[0].Email + "\n", "other.txt": "email:" + subjects[1].Email + "\n", "locked.txt": "email:" + subjects[2].Email + "\n",
	} {
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return os.Chmod(env.WorkDir, 0o700)
}

// judgeVerbs walks the tree of verbs: each must have been shown.
func judgeVerbs(t *testing.T, all []observation) {
	t.Helper()
	type shown struct{ succeeded, failed, document bool }
	seen := map[string]*shown{}
	for _, r := range all {
		s := seen[r.Verb]
		if s == nil {
			s = &shown{}
			seen[r.Verb] = s
		}
		waits := r.Verb == "weir demo" && r.Exit == web.ExitDeadLetter // as it should
		s.succeeded = s.succeeded || r.Exit == web.ExitOK || waits
		s.failed = s.failed || r.Exit != web.ExitOK && !waits
		s.document = s.document || r.Document
	}
	for _, verb := range verbsOf(newApp(nil, nil, nil).root()) {
		s := seen[verb.CommandPath()]
		if s == nil {
			s = &shown{}
		}
		for what, ok := range map[string]bool{"succeed": s.succeeded, "fail": s.failed, "print a document with --json": s.document} {
			if !ok {
				t.Errorf("no script shows %q %s", verb.CommandPath(), what)
			}
		}
	}
}
