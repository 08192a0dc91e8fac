package main

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/weirhq/weir/internal/web"
)

// app is one run of the program: its streams and the flags that every verb has.
type app struct {
	in  io.Reader
	out io.Writer
	err io.Writer
	env func(string) string
	now func() time.Time

	config  string
	json    bool
	quiet   bool
	noColor bool
	yes     bool
	noInput bool
	timeout time.Duration
}

func newApp(in io.Reader, out, errOut io.Writer) *app {
	return &app{in: in, out: out, err: errOut, env: os.Getenv, now: time.Now}
}

// globals are the flags of every verb. WEIR_CONFIG is the one that has a
// variable of its own; configuration keys have theirs in internal/config.
func (a *app) globals(root *cobra.Command) {
	file := a.env("WEIR_CONFIG")
	if file == "" {
		file = "weir.yaml"
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.config, "config", "c", file, "configuration file ($WEIR_CONFIG)")
	f.BoolVar(&a.json, "json", false, "print one JSON document (JSON Lines for watch)")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print results only, no progress")
	f.BoolVar(&a.noColor, "no-color", false, "no colours ($NO_COLOR)") //nolint:misspell // the name that people know
	f.BoolVarP(&a.yes, "yes", "y", false, "answer yes to every question")
	f.BoolVar(&a.noInput, "no-input", false, "never ask; fail where an answer is needed")
	f.DurationVar(&a.timeout, "timeout", 0, "give up waiting after this long, such as 5m (0 = the verb's own bound)")
}

// within bounds a verb by --timeout, or else by its own bound; 0 is no bound.
func (a *app) within(ctx context.Context, own time.Duration) (context.Context, context.CancelFunc) {
	if a.timeout > 0 {
		own = a.timeout
	}
	if own <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, own)
}

// terminal returns the file descriptor of a stream that is a terminal.
func terminal(stream any) (fd int, ok bool) {
	f, isFile := stream.(*os.File)
	if !isFile {
		return 0, false
	}
	fd = int(f.Fd())
	return fd, term.IsTerminal(fd)
}

// colour says whether a stream gets colours: terminals only, and not when the
// person said no (no-color.org).
func (a *app) colour(stream io.Writer) bool {
	_, tty := terminal(stream)
	return tty && !a.noColor && a.env("NO_COLOR") == "" && a.env("TERM") != "dumb" //nolint:misspell // no-color.org names it
}

// exactly is the Args rule of a verb: these positional arguments and no other.
// The refusal does not repeat what was typed; it may be somebody's address.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		return usage("Usage: "+cmd.UseLine(), "%s takes %s", cmd.CommandPath(), listOf(names))
	}
}

// atMost is exactly for arguments that may be left out.
func atMost(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= len(names) {
			return nil
		}
		return usage("Usage: "+cmd.UseLine(), "%s takes at most %s", cmd.CommandPath(), listOf(names))
	}
}

func listOf(names []string) string {
	switch len(names) {
	case 0:
		return "no argument"
	case 1:
		return "one argument: " + names[0]
	}
	return "these arguments: " + strings.Join(names, " ")
}

func usage(hint, format string, args ...any) error {
	return web.Fail(web.ExitUsage, "usage", hint, format, args...)
}
