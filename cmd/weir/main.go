package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/weirhq/weir/internal/web"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the whole program: what it reads, what it writes and how it ends.
// Scripts in the tests run exactly this function.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal interrupts at once
	a := newApp(in, out, errOut)
	return a.exit(a.execute(ctx, args), wantsJSON(args))
}

// execute finds the verb and runs it.
func (a *app) execute(ctx context.Context, args []string) error {
	root := a.root()
	root.SetArgs(args)
	if _, rest, err := root.Find(args); err != nil {
		return unknownVerb(root, rest)
	}
	return root.ExecuteContext(ctx)
}

// wantsJSON looks for --json before the flags are parsed, so that a mistake in
// them is told as the caller wants to read it.
func wantsJSON(args []string) bool {
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	return slices.ContainsFunc(args, func(s string) bool {
		name, value, _ := strings.Cut(s, "=")
		return name == "--json" && value != "false"
	})
}

// ended is the error of a verb that has told its result already and only has
// to choose the exit code.
type ended struct{ code int }

func (ended) Error() string { return "" }

// endWith ends a verb with a code that its document or its lines explain.
func endWith(code int) error {
	if code == web.ExitOK {
		return nil
	}
	return ended{code}
}

// exit tells an error and returns the exit code.
func (a *app) exit(err error, asJSON bool) int {
	if err == nil {
		return web.ExitOK
	}
	var e ended
	if errors.As(err, &e) {
		return e.code
	}
	f := asFailure(err)
	if asJSON || a.json {
		a.tellJSON(f)
	} else {
		a.tell(f)
	}
	return f.Exit
}
