package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // a container may have no zones, and quiet hours name one

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/internal/pii"
	"github.com/weirhq/weir/internal/web"
	"github.com/weirhq/weir/salesforce"
	"github.com/weirhq/weir/vault"
)

// engineOptions turns the configuration into what the engine wants.
func engineOptions(cfg *config.Config, why purpose) (engine.Options, error) {
	keys := keySource(cfg)
	if _, err := keys.Load(context.Background()); err != nil {
		return engine.Options{}, keyMissing("key file", err)
	}
	signing, err := config.ResolveSecret(cfg.Keys.Signing, cfg.Dir())
	if err != nil {
		return engine.Options{}, keyMissing("signing key", err)
	}
	opts := engine.Options{DataDir: cfg.DataDir, VaultDir: cfg.VaultDir, DSN: cfg.Store, Keys: keys, SigningKey: signing, Policy: housePolicy(cfg)}
	for i, o := range cfg.Orgs {
		if cfg.Origin(fmt.Sprintf("orgs[%d].auth.audience", i)).Kind == config.FromDefault {
			o.Auth.Audience = "" // the client derives it, which is right for sandboxes too
		}
		org, err := engineOrg(cfg, o, why)
		if err != nil {
			return engine.Options{}, fmt.Errorf("org %s: %w", o.Alias, err)
		}
		opts.Orgs = append(opts.Orgs, org)
	}
	return opts, nil
}

// keySource is where the configuration says that the keyring is.
func keySource(cfg *config.Config) vault.KeySource {
	if path, ok := config.FileOf(cfg.Keys.KEK); ok {
		return vault.KeyFile(path, cfg.DataDir)
	}
	_, name, _ := strings.Cut(cfg.Keys.KEK, ":")
	return vault.CredentialKeys(name)
}

// keyMissing tells what an absent key means; other errors stay as they are.
func keyMissing(what string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return web.Fail(web.ExitConfig, "no_key",
		"`weir init` makes keys for a new installation; what an old key sealed opens with that key only.",
		"the %s is missing: %s", what, err.Error())
}

func housePolicy(cfg *config.Config) engine.Policy {
	p := engine.DefaultPolicy()
	p.SingleOperator = cfg.Policy.SingleOperator
	p.IdentityVerification = cfg.Policy.IdentityVerification == config.VerificationRequired
	p.PlanTTL = cfg.Policy.PlanTTL
	p.MaxRecords = cfg.Policy.MaxRecords
	p.Laws = cfg.Laws
	p.Retention = cfg.Policy.Retention
	p.AllowUndecided = cfg.Policy.AllowUndecided
	return p
}

func engineOrg(cfg *config.Config, o config.Org, why purpose) (engine.Org, error) {
	m, err := readMap(o)
	if err != nil {
		return engine.Org{}, err
	}
	org := engine.Org{
		ID: weir.OrgID(o.Alias), InstanceURL: o.InstanceURL, APIVersion: o.APIVersion, Map: m, Timeout: o.Timeout,
		Governor: governorPolicy(o.Budget, cfg.Retry), Recipients: o.Recipients,
	}
	if org.Quiet, err = quietHours(o.Budget.Quiet); err != nil {
		return engine.Org{}, err
	}
	if why == looking {
		org.Auth, org.Transport = noAuth(), silent{}
		return org, nil
	}
	if org.Auth, err = credentials(cfg, o); err != nil {
		return engine.Org{}, err
	}
	org.Reload = func() (salesforce.Auth, error) { return credentials(cfg, o) }
	org.Changed = func() (time.Time, error) { return changedAt(o.Auth) }
	return org, nil
}

// quietHours are those of an org's budget; nil when it has none.
func quietHours(q config.Quiet) (*engine.QuietHours, error) {
	if q.Window == "" {
		return nil, nil //nolint:nilnil // none is what most orgs have
	}
	from, until, err := config.ParseWindow(q.Window)
	if err != nil {
		return nil, fmt.Errorf("window of the quiet hours %w", err)
	}
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		return nil, fmt.Errorf("time zone of the quiet hours: %w", err)
	}
	return &engine.QuietHours{Zone: zone, From: from, Until: until}, nil
}

// readMap reads an org's data map. A map of another org is refused: it would
// erase what somebody decided for other data.
func readMap(o config.Org) (*datamap.Map, error) {
	src, err := os.ReadFile(o.DataMap)
	if err != nil {
		return nil, web.Fail(web.ExitConfig, "no_data_map", "`weir org add` writes a first one for the standard objects.", "the data map cannot be read: %s", err.Error())
	}
	m, err := datamap.Parse(relative(o.DataMap), src)
	if err != nil {
		return nil, err
	}
	if m.Org != weir.OrgID(o.Alias) {
		return nil, web.Fail(web.ExitConfig, "data_map_of_other_org", "Write `org: "+o.Alias+"` in it, or name another file as data_map.",
			"%s is the data map of org %q", relative(o.DataMap), m.Org)
	}
	return m, nil
}

// noAuth stands in for credentials where nothing will be sent.
func noAuth() salesforce.Auth {
	return &salesforce.ClientCredentials{ID: "none", Secret: pii.NewString("none")}
}

// silent is the transport of a verb that must not send anything.
type silent struct{}

var errSilent = errors.New("this verb sends nothing to an org")

func (silent) RoundTrip(*http.Request) (*http.Response, error) { return nil, errSilent }

// governorPolicy turns an org's budget and the retry settings into the
// governor's words: shares there are per mille.
func governorPolicy(b config.Budget, r config.Retry) governor.Policy {
	const perMille = 1000
	p := governor.DefaultPolicy()
	p.Base, p.Ceiling, p.Retries = r.Base, r.Ceiling, r.MaxAttempts
	p.LockRetries, p.ConflictRetries, p.Settle = r.LockRetries, r.ConflictRetries, r.Settle
	p.Slots, p.LongCap = b.MaxConcurrent, b.LongCalls
	p.NoticeRate, p.LearnRate = b.LearnRate != config.LearnNever, b.LearnRate == config.LearnAlways
	p.Share = max(1, int(b.DailyShare.Of(perMille)))
	p.FloorCalls, p.FloorShare = b.Reserve, int(b.FloorShare.Of(perMille))
	p.Swell = int(b.SwellShare.Of(perMille))
	if b.Quiet.Window != "" {
		p.QuietShare = int(b.Quiet.Share.Of(perMille))
	}
	return p
}
