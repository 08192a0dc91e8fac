package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The exit codes; they mean what they mean in weir.
const (
	exitOK        = 0
	exitFailure   = 1
	exitUsage     = 2
	exitIntegrity = 8
)

// errAltered is wrapped by every finding.
var errAltered = errors.New("altered")

func altered(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errAltered, fmt.Sprintf(format, args...))
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// files collects the values of a flag that may be given more than once.
type files []string

func (f *files) String() string     { return strings.Join(*f, " ") }
func (f *files) Set(s string) error { *f = append(*f, s); return nil }

func run(args []string, out, errOut io.Writer) int {
	flags := flag.NewFlagSet("weir-verify", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() {
		fmt.Fprintln(errOut, "Usage: weir-verify --key KEY --checkpoint FILE… LOG\n       weir-verify --key KEY --certificate FILE… [LOG]")
		flags.PrintDefaults()
	}
	var checkpoints, certificates files
	key := flags.String("key", "", "the ledger's public key, or a file that holds it")
	flags.Var(&checkpoints, "checkpoint", "a checkpoint that was saved earlier; may be repeated")
	flags.Var(&certificates, "certificate", "a certificate to check; may be repeated")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if flags.NArg() > 1 || *key == "" || len(checkpoints)+len(certificates) == 0 {
		flags.Usage()
		return exitUsage
	}
	err := verify(*key, checkpoints, certificates, flags.Arg(0), out)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errAltered):
		fmt.Fprintf(out, "✘ %v\n", err)
		return exitIntegrity
	}
	fmt.Fprintf(errOut, "weir-verify: %v\n", err)
	return exitFailure
}

// verify checks certificates and checkpoints one by one, and then the log
// against all of them.
func verify(key string, checkpoints, certificates files, log string, out io.Writer) error {
	v, err := publicKey(key)
	if err != nil {
		return err
	}
	var roots []signedRoot
	for _, file := range checkpoints {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read the checkpoint: %w", err)
		}
		root, err := openCheckpoint(text, v)
		if err != nil {
			return fmt.Errorf("checkpoint %s: %w", file, err)
		}
		root.what = "checkpoint " + file
		roots = append(roots, root)
		fmt.Fprintf(out, "✔ %s is signed: %d entries\n", root.what, root.size)
	}
	for _, file := range certificates {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read the certificate: %w", err)
		}
		c, err := openCertificate(text, v)
		if err != nil {
			return fmt.Errorf("certificate %s: %w", file, err)
		}
		c.root.what = "certificate " + file
		roots = append(roots, c.root)
		fmt.Fprintf(out, "✔ %s is authentic: %s, request %s, org %s; %d entries of the log prove it\n", c.root.what, c.Right, c.Request, c.Org, len(c.Ledger.Entries))
	}
	if log == "" {
		return nil
	}
	f, err := os.Open(log)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	size, proven, err := checkLog(f, roots)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("log %s: %w", log, err)
	}
	fmt.Fprintf(out, "✔ log %s: %d entries, the first %d are those that were signed\n", log, size, proven)
	if proven < size {
		fmt.Fprintf(out, "  not proven: entries %d to %d came after the newest checkpoint that you gave\n", proven+1, size)
	}
	return nil
}

// publicKey reads a key, or the file that holds it.
func publicKey(text string) (note.Verifier, error) {
	if v, err := note.NewVerifier(text); err == nil {
		return v, nil
	}
	file, err := os.ReadFile(text)
	if err != nil {
		return nil, errors.New("--key is neither a public key, such as NAME+0123abcd+…, nor a file that holds one")
	}
	v, err := note.NewVerifier(strings.TrimSpace(string(file)))
	if err != nil {
		return nil, fmt.Errorf("%s holds no public key: %w", text, err)
	}
	return v, nil
}
