package demo

import (
	"context"
	"crypto/rand"
	_ "embed" // the data map
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/internal/web"
	"github.com/weirhq/weir/vault"
)

//go:embed datamap.yaml
var dataMap []byte

// mark is the file that makes a directory ours: only a directory that holds it
// is ever emptied.
const mark = ".weir-demo"

// instanceURL never resolves (RFC 6761): should somebody run another verb on
// the demonstration's configuration, nothing can leave the machine.
const instanceURL = "https://acme-demo.my.salesforce.invalid"

// place is the directory of one demonstration, laid out as `weir init` and
// `weir org add` would, so that every verb works on it.
type place struct {
	dir string // as the person named it, so that commands can be pasted

	identity  string // age identity of the access packages' reader
	recipient string
	kek       vault.KEK
	signing   pii.Secret
	public    string // the ledger's public key
}

func (p *place) config() string     { return filepath.Join(p.dir, "weir.yaml") }
func (p *place) data() string       { return filepath.Join(p.dir, "data") }
func (p *place) out() string        { return filepath.Join(p.dir, "out") }
func (p *place) mapFile() string    { return filepath.Join(p.dir, "datamap.yaml") }
func (p *place) kekFile() string    { return filepath.Join(p.dir, "keys", "kek") }
func (p *place) signFile() string   { return filepath.Join(p.dir, "keys", "signing") }
func (p *place) secretFile() string { return filepath.Join(p.dir, "keys", "org-secret") }
func (p *place) publicFile() string { return filepath.Join(p.dir, "out", "weir-demo.pub") }

// makePlace makes the directory anew. A directory that no demonstration made
// is refused, and so is one in which a demonstration runs.
func makePlace(ctx context.Context, dir, client string, secret pii.Secret) (*place, error) {
	p := &place{dir: dir, identity: filepath.Join(dir, "keys", "reader.key")}
	if err := p.clear(ctx); err != nil {
		return nil, err
	}
	for _, d := range []string{p.dir, p.data(), p.out()} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return nil, fmt.Errorf("make the demonstration's directory: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, mark), []byte("weir demo made this directory and may remove it.\n"), 0o600); err != nil {
		return nil, fmt.Errorf("mark the demonstration's directory: %w", err)
	}
	if err := p.makeKeys(secret); err != nil {
		return nil, err
	}
	return p, p.configure(client)
}

// clear removes what an earlier demonstration left.
func (p *place) clear(ctx context.Context) error {
	if _, err := os.Lstat(p.dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("look at %s: %w", p.dir, err)
	}
	if _, err := os.Lstat(filepath.Join(p.dir, mark)); err != nil {
		return web.Fail(web.ExitConflict, "not_ours", "Nothing was touched. Name another directory with --dir.",
			"%s exists, and no demonstration made it", p.dir)
	}
	running, err := web.Dial(ctx, p.data())
	if err != nil || running != nil {
		return web.Fail(web.ExitConflict, "demo_runs", "Nothing was touched. End that one, or name another directory with --dir.",
			"a demonstration runs in %s", p.dir)
	}
	return p.remove()
}

// remove takes the directory away again.
func (p *place) remove() error {
	if err := os.RemoveAll(p.dir); err != nil {
		return fmt.Errorf("remove the demonstration's directory: %w", err)
	}
	return nil
}

// makeKeys draws fresh keys, each in a file of mode 0600.
func (p *place) makeKeys(secret pii.Secret) error {
	if err := vault.CreateKEKFile(p.kekFile()); err != nil {
		return err
	}
	var err error
	if p.kek, err = vault.FileKEK(p.kekFile(), p.data()); err != nil {
		return err
	}
	skey, vkey, err := ledger.GenerateKey("weir-demo", rand.Reader)
	if err != nil {
		return err
	}
	p.signing, p.public = pii.NewString(skey), vkey
	identity, recipient, err := vault.NewIdentity()
	if err != nil {
		return err
	}
	defer identity.Clear()
	p.recipient = recipient
	return errors.Join(
		vault.WriteSecretFile(p.signFile(), p.signing),
		vault.WriteSecretFile(p.identity, identity),
		vault.WriteSecretFile(p.secretFile(), secret),
		os.WriteFile(p.publicFile(), []byte(vkey+"\n"), 0o600),
	)
}

// configure writes weir.yaml and the data map as a person would have them.
func (p *place) configure(client string) error {
	if err := os.WriteFile(p.mapFile(), dataMap, 0o600); err != nil {
		return fmt.Errorf("write the data map: %w", err)
	}
	if err := os.WriteFile(p.config(), config.Default(""), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return config.AddOrg(p.config(), config.Org{
		Alias: string(orgID), InstanceURL: instanceURL, DataMap: filepath.Base(p.mapFile()),
		Auth: config.Auth{
			Kind: config.AuthClientCredentials, ClientID: client,
			Secret: "file:keys/org-secret",
		},
		Recipients: []string{p.recipient},
	})
}
