package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/internal/web"
	"github.com/weirhq/weir/vault"
)

// initDoc says what was made.
type initDoc struct {
	Schema    string   `json:"schema"`
	Files     []string `json:"files"`
	PublicKey string   `json:"public_key"`
}

// ledgerName is the name in the keys of a new ledger.
const ledgerName = "weir-ledger"

func (a *app) initVerb() *cobra.Command {
	return &cobra.Command{
		Use: "init [DIR]", Short: "Make a configuration, a starter data map and the keys",
		Long: "Make weir.yaml, datamap/starter.yaml and two key files of mode 0600 in DIR (default: here).\n" +
			"Nothing leaves the machine, and nothing that exists is overwritten.",
		Args: atMost("DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			doc, err := initialise(dir)
			if err != nil {
				return err
			}
			return a.show(doc, func(p *page) { initText(p, doc) })
		},
	}
}

// initialise makes everything or, when something is there already, nothing.
func initialise(dir string) (initDoc, error) {
	doc := initDoc{Schema: "weir.init/v1"}
	file := filepath.Join(dir, "weir.yaml")
	cfg, err := config.Parse(file, config.Default(""), nil)
	if err != nil {
		return doc, err
	}
	kek, _ := config.FileOf(cfg.Keys.KEK)         // the defaults are files
	signing, _ := config.FileOf(cfg.Keys.Signing) // the defaults are files
	starter := filepath.Join(dir, "datamap", "starter.yaml")
	for _, path := range []string{file, kek, signing, starter} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return doc, web.Fail(web.ExitConflict, "exists", "Nothing was changed. weir never overwrites a configuration or a key.", "%s exists already", relative(path))
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "datamap"), 0o750); err != nil {
		return doc, fmt.Errorf("make %s: %w", dir, err)
	}
	secret, public, err := ledger.GenerateKey(ledgerName, rand.Reader)
	if err != nil {
		return doc, err
	}
	if err := vault.CreateKEKFile(kek); err != nil {
		return doc, err
	}
	if err := vault.WriteSecretFile(signing, pii.NewString(secret+"\n")); err != nil {
		return doc, err
	}
	for path, text := range map[string][]byte{starter: datamap.Starter(weir.OrgID("starter")), file: config.Default("")} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return doc, fmt.Errorf("write %s: %w", path, err)
		}
	}
	doc.PublicKey = public
	for _, path := range []string{file, starter, kek, signing} {
		doc.Files = append(doc.Files, relative(absolute(path)))
	}
	return doc, nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func initText(p *page, doc initDoc) {
	for _, f := range doc.Files {
		p.linef("%s %s", p.paint(green, "✔"), f)
	}
	p.linef("The ledger's public key. Keep it elsewhere than the log; auditors check certificates with it:")
	p.linef("  %s", doc.PublicKey)
	p.linef("Back up the key files apart from the data: without them nothing that is sealed opens again.")
	p.linef("Next: weir org add ALIAS --instance-url https://… --client-id … --secret file:PATH")
}
