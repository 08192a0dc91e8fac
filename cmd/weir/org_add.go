package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/web"
)

// orgAddedDoc says what was added where.
type orgAddedDoc struct {
	Schema  string `json:"schema"`
	Org     orgDoc `json:"org"`
	Config  string `json:"config"`
	Created string `json:"data_map_created,omitempty"`
}

func (a *app) orgAddVerb() *cobra.Command {
	var o config.Org
	cmd := &cobra.Command{
		Use: "add ALIAS --instance-url URL --auth KIND --client-id ID …", Short: "Add an org to the configuration",
		Long: "Add an org to weir.yaml, whose comments stay. Secrets are given as references and never as values:\n" +
			"file:PATH (mode 0600), env:NAME or credential:NAME (systemd). Nothing is sent; test it afterwards\n" +
			"with `weir org test`. http:// is for loopback hosts only.",
		Example: "  weir org add prod-eu --instance-url https://acme.my.salesforce.com \\\n" +
			"    --auth jwt --client-id 3MVG9… --username dsr-bot@acme.com --key file:keys/prod-eu.pem",
		Args: exactly("ALIAS"),
		RunE: func(_ *cobra.Command, args []string) error {
			o.Alias = args[0]
			return a.addOrg(o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.InstanceURL, "instance-url", "", "such as https://acme.my.salesforce.com")
	f.StringVar(&o.Auth.Kind, "auth", config.AuthClientCredentials, "client-credentials, jwt or refresh")
	f.StringVar(&o.Auth.ClientID, "client-id", "", "consumer key of the external client app")
	f.StringVar(&o.Auth.Username, "username", "", "integration user, for jwt")
	f.StringVar(&o.Auth.Audience, "audience", "", "login host of the assertion, for jwt")
	f.StringVar(&o.Auth.Secret, "secret", "", "reference of the client secret: file:PATH, env:NAME or credential:NAME")
	f.StringVar(&o.Auth.Key, "key", "", "reference of the private key, for jwt")
	f.StringVar(&o.Auth.RefreshToken, "refresh-token", "", "reference of the refresh token, for refresh")
	f.StringVar(&o.APIVersion, "api-version", "", "such as 66.0")
	f.StringVar(&o.DataMap, "data-map", "", "path of the data map (default: datamap/ALIAS.yaml, made when absent)")
	f.StringSliceVar(&o.Recipients, "recipient", nil, "age recipients of packages for which the request names none")
	f.Int64Var(&o.Budget.Reserve, "reserve", 0, "API calls that are left to the business")
	f.IntVar(&o.Budget.MaxConcurrent, "max-concurrent", 0, "calls in flight at once")
	return cmd
}

// addOrg writes the org into the file, and a first data map beside it.
func (a *app) addOrg(o config.Org) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if _, taken := cfg.Org(o.Alias); taken {
		return fmt.Errorf("org %s: %w", o.Alias, config.ErrOrgExists)
	}
	if o.DataMap == "" {
		o.DataMap = filepath.Join("datamap", o.Alias+".yaml")
	}
	if err := config.AddOrg(a.config, o); err != nil {
		return refusedOrg(err)
	}
	if cfg, err = a.load(); err != nil {
		return err
	}
	added, _ := cfg.Org(o.Alias) // it was just written
	doc := orgAddedDoc{Schema: "weir.org-added/v1", Org: orgDocOf(added), Config: a.config}
	created, err := firstMap(added.DataMap, weir.OrgID(o.Alias))
	if err != nil {
		return err
	}
	if created {
		doc.Created = relative(added.DataMap)
	}
	return a.show(doc, func(p *page) {
		p.linef("%s %s added to %s.", p.paint(green, "✔"), o.Alias, a.config)
		if created {
			p.linef("%s holds a first data map for the standard objects: read every line of it.", doc.Created)
		}
		p.linef("Next: weir org test %s", o.Alias)
	})
}

// refusedOrg turns mistakes of the new entry, which have places in a file that
// was not written, into mistakes of the flags.
func refusedOrg(err error) error {
	var ps config.Problems
	if !errors.As(err, &ps) {
		return err
	}
	f := web.Fail(web.ExitUsage, "usage", "weir.yaml is as it was.", "the org cannot be added")
	for _, p := range ps {
		text := p.Message
		if p.Hint != "" {
			text += "; " + p.Hint
		}
		f.Problems = append(f.Problems, text)
	}
	return f
}

// firstMap writes the starter data map unless there is one.
func firstMap(path string, org weir.OrgID) (created bool, err error) {
	if _, err := os.Stat(path); err == nil {
		return false, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return false, fmt.Errorf("make the directory of the data map: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("write a first data map: %w", err)
	}
	_, err = f.Write(datamap.Starter(org))
	return true, errors.Join(err, f.Close())
}
