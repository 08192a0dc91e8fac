package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/web"
)

// packageDoc says what was copied where.
type packageDoc struct {
	Schema string `json:"schema"`
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

func (a *app) exportVerbs() *cobra.Command {
	return group("export", "Fetch access packages", a.exportGetVerb())
}

func (a *app) exportGetVerb() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "get REQUEST -o FILE", Short: "Copy a delivered access package; it is encrypted to its recipient",
		Long: "Copy a delivered access package. It is an age file, encrypted to the recipient of the request:\n" +
			"  age -d -i KEY FILE > package.zip\n" +
			"With -o - it goes to standard output, unless that is a terminal. The act stands in the ledger.",
		Args: exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkTarget(file); err != nil {
				return err
			}
			var out web.PackageAnswer
			if err := a.ask(cmd.Context(), "package", web.IDInput{ID: args[0]}, &out); err != nil {
				return notYet(err, args[0], "package")
			}
			if file == "-" {
				return copyPackage(a.out, out)
			}
			if err := createFrom(file, func(w io.Writer) error { return copyPackage(w, out) }); err != nil {
				return err
			}
			doc := packageDoc{"weir.export/v1", file, out.SHA256, out.Size}
			return a.show(doc, func(p *page) {
				p.linef("%s: %s bytes, sha256 %s", file, number(out.Size), out.SHA256)
				p.linef("Open it with: age -d -i KEY %s", file)
			})
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write; - is standard output")
	return cmd
}

// notYet says when a request will have what was asked for.
func notYet(err error, id, what string) error {
	if f := asFailure(err); f.Exit == web.ExitNotFound {
		return web.Fail(f.Exit, f.Code, "It exists once the request is delivered: weir status "+id, "there is no %s of %s", what, id)
	}
	return err
}

func (a *app) checkTarget(file string) error {
	if file == "" {
		return usage("Give -o FILE.", "say where the package goes")
	}
	if file != "-" {
		return nil
	}
	if _, tty := terminal(a.out); tty {
		return usage("Give -o FILE, or pipe it.", "a package is binary and is not written to a terminal")
	}
	if a.json {
		return usage("Give -o FILE with --json.", "--json and -o - both want standard output")
	}
	return nil
}

// copyPackage copies and compares the sum; a torn file is refused.
func copyPackage(to io.Writer, from web.PackageAnswer) error {
	f, err := os.Open(from.Path)
	if err != nil {
		return fmt.Errorf("open the package: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(to, sum), f); err != nil {
		return fmt.Errorf("copy the package: %w", err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != from.SHA256 {
		return web.Fail(web.ExitIntegrity, "package_corrupt", "Do not hand it over. `weir audit verify` checks the log.", "the package is not the one that was sealed")
	}
	return nil
}

// createFrom writes a new file of mode 0600 as a whole or not at all, and
// never replaces one.
func createFrom(path string, write func(io.Writer) error) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return web.Fail(web.ExitConflict, "file_exists", "Name another file, or move it away.", "%s exists already; nothing was written", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".weir-*") // mode 0600
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("name %s: %w", path, err)
	}
	return nil
}
