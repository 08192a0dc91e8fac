package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/internal/config"
)

const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

const sample = `# how acme runs weir
version: 1
data_dir: /var/lib/weir
store: postgres://weir@db.internal/weir
keys: {kek: "credential:master-key", signing: file:/etc/weir/signing}
policy:
  single_operator: true
  retention: 30d
retry: {ceiling: 10m}
laws: [gdpr, ccpa]
orgs:
  - alias: prod-eu
    instance_url: https://acme.my.salesforce.com/
    api_version: "66.0"
    auth: {kind: jwt, client_id: 3MVG9, username: dsr-bot@acme.com, key: credential:prod-eu-jwt}
    data_map: datamap/prod-eu.yaml
    budget: {daily_share: 12.5%, max_concurrent: 4, long_calls: 25, learn_rate: always, quiet_hours: {tz: Europe/Berlin, window: "01:00-05:00", share: 30%}}
    recipients: [` + recipient + `]
  - alias: sim
    instance_url: http://127.0.0.1:8080
    auth:
      kind: client-credentials
      client_id: weir
      secret: file:secrets/sim
    data_map: datamap/sim.yaml
`

func TestParse(t *testing.T) {
	c, err := config.Parse("/etc/weir/weir.yaml", []byte(sample), nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]any{
		"data_dir":       {c.DataDir, "/var/lib/weir"},
		"store":          {c.Store, "postgres://weir@db.internal/weir"},
		"listen":         {c.Listen, "127.0.0.1:7433"},
		"retention":      {c.Policy.Retention, 720 * time.Hour},
		"ceiling":        {c.Retry.Ceiling, 10 * time.Minute},
		"laws":           {strings.Join(c.Laws, " "), "gdpr ccpa"},
		"instance_url":   {c.Orgs[0].InstanceURL, "https://acme.my.salesforce.com"},
		"data_map":       {c.Orgs[0].DataMap, "/etc/weir/datamap/prod-eu.yaml"},
		"daily_share":    {c.Orgs[0].Budget.DailyShare, config.Share(1250)},
		"reserve":        {c.Orgs[0].Budget.Reserve, int64(2000)},
		"quiet_hours":    {c.Orgs[0].Budget.Quiet, config.Quiet{Zone: "Europe/Berlin", Window: "01:00-05:00", Share: 3000}},
		"learn_rate":     {c.Orgs[0].Budget.LearnRate + ", " + c.Orgs[1].Budget.LearnRate, "always, noticed"},
		"long_calls":     {[2]int{c.Orgs[0].Budget.LongCalls, c.Orgs[1].Budget.LongCalls}, [2]int{25, 5}},
		"no quiet hours": {c.Orgs[1].Budget.Quiet, config.Quiet{Zone: "UTC", Share: 1000}},
		"recipient":      {c.Orgs[0].Recipients[0], recipient},
		"secret":         {c.Orgs[1].Auth.Secret, "file:/etc/weir/secrets/sim"},
		"audience":       {c.Orgs[1].Auth.Audience, "https://login.salesforce.com"},
		"api_version":    {c.Orgs[1].APIVersion, "66.0"},
		"floor_share":    {c.Orgs[1].Budget.FloorShare, config.Share(500)},
		"swell_share":    {c.Orgs[1].Budget.SwellShare, config.Share(2000)},
		"identity":       {c.Policy.IdentityVerification, config.VerificationRequired},
		"single":         {c.Policy.SingleOperator, true},
		"origin":         {c.Origin("policy.retention").String(), "/etc/weir/weir.yaml:8"},
		"origin of org":  {c.Origin("orgs[0].budget.max_concurrent").String(), "/etc/weir/weir.yaml:17"},
		"no origin":      {c.Origin("retry.base").String(), "default"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
		}
	}
	if o, ok := c.Org("sim"); !ok || o.Auth.ClientID != "weir" {
		t.Errorf("org sim: %v %v", o, ok)
	}
	if _, ok := c.Org("nobody"); ok {
		t.Error("found an org that is not there")
	}
}

// TestDefaults holds the product to the figures of the brief: base 2 s, five
// attempts, ceiling 300 s.
func TestDefaults(t *testing.T) {
	c, err := config.Parse("/w/weir.yaml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range c.Settings() {
		got[s.Path] = s.Value
		if s.Origin.Kind != config.FromDefault {
			t.Errorf("%s came from %s", s.Path, s.Origin)
		}
	}
	want := map[string]string{
		"version": "1", "data_dir": "/w/data", "vault_dir": "/w/data/vault", "store": "sqlite:///w/data/weir.db", "listen": "127.0.0.1:7433",
		"keys.kek": "file:/w/keys/kek", "keys.signing": "file:/w/keys/signing",
		"policy.single_operator": "false", "policy.identity_verification": "required", "policy.plan_ttl": "24h",
		"policy.max_records": "500", "policy.retention": "720h", "policy.allow_undecided": "false",
		"retry.base": "2s", "retry.max_attempts": "5", "retry.ceiling": "300s", "retry.lock_retries": "8",
		"retry.conflict_retries": "3", "retry.settle": "30s", "log.level": "info", "log.format": "text", "laws": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c.Retry.Base != 2*time.Second || c.Retry.MaxAttempts != 5 || c.Retry.Ceiling != 300*time.Second {
		t.Errorf("retry defaults are %+v", c.Retry)
	}
}

func TestOverrides(t *testing.T) {
	env := map[string]string{
		"WEIR_STORE": "postgres://weir:hunter2@db/weir", "WEIR_RETRY_BASE": "3s", "WEIR_VERSION": "9", "WEIR_LOG_FORMAT": "",
	}
	c, err := config.Parse("/w/weir.yaml", []byte("retry: {base: 4s, settle: 5s}\ndata_dir: d\n"), func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Override("retry.settle", "7s", "settle"); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range c.Settings() {
		if s.Origin.Kind != config.FromDefault {
			got[s.Path] = s.Value + " from " + s.Origin.String()
		}
	}
	want := map[string]string{
		"store":        "postgres://weir:xxxxx@db/weir from env WEIR_STORE",
		"retry.base":   "3s from env WEIR_RETRY_BASE",
		"retry.settle": "7s from flag --settle",
		"data_dir":     "/w/d from /w/weir.yaml:2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(c.Store, "hunter2") {
		t.Error("the program itself needs the password")
	}
	if err := c.Override("retry.settle", "soon", "settle"); err == nil || !strings.Contains(err.Error(), "flag --settle") {
		t.Errorf("a wrong flag gave %v", err)
	}
	if err := c.Override("orgs", "x", "orgs"); err == nil {
		t.Error("orgs were overridden")
	}
}

// TestDataDirMovesTheStore checks that the defaults of store and vault follow
// data_dir.
func TestDataDirMovesTheStore(t *testing.T) {
	c, err := config.Parse("/w/weir.yaml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Override("data_dir", "/elsewhere", "data-dir"); err != nil {
		t.Fatal(err)
	}
	if c.Store != "sqlite:///elsewhere/weir.db" || c.VaultDir != "/elsewhere/vault" {
		t.Errorf("store is %s, vault %s", c.Store, c.VaultDir)
	}
}

func TestLoadMissing(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "weir.yaml"), os.Getenv)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load of no file gave %v", err)
	}
}

// TestStarter checks that what `weir init` writes is valid and says exactly
// the defaults.
func TestStarter(t *testing.T) {
	starter, err := config.Parse("/w/weir.yaml", config.Default(""), nil)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := config.Parse("/w/weir.yaml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	values := func(c *config.Config) map[string]string {
		m := map[string]string{}
		for _, s := range c.Settings() {
			m[s.Path] = s.Value
		}
		return m
	}
	if diff := cmp.Diff(values(empty), values(starter)); diff != "" {
		t.Errorf("the starter file differs from the defaults:\n%s", diff)
	}
	moved, err := config.Parse("/w/weir.yaml", config.Default("/srv/weir data"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if moved.DataDir != "/srv/weir data" {
		t.Errorf("data_dir is %s", moved.DataDir)
	}
}
