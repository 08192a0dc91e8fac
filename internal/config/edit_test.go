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

func newOrg() config.Org {
	return config.Org{
		Alias:       "new",
		InstanceURL: "https://new.my.salesforce.com",
		Auth:        config.Auth{Kind: config.AuthClientCredentials, ClientID: "true", Secret: "credential:new"},
		DataMap:     "data map/new.yaml",
		Budget:      config.Budget{DailyShare: 2500, Quiet: config.Quiet{Zone: "Europe/Berlin", Window: "22:30-05:00"}},
		Recipients:  []string{recipient},
	}
}

const newItem = `- alias: new
  instance_url: https://new.my.salesforce.com
  auth:
    kind: client-credentials
    client_id: "true"
    secret: credential:new
  data_map: "data map/new.yaml"
  budget:
    daily_share: 25%
    quiet_hours:
      window: "22:30-05:00"
      tz: Europe/Berlin
  recipients:
    - ` + recipient + "\n"

// item returns newItem indented.
func item(indent string) string {
	return indent + strings.ReplaceAll(strings.TrimSuffix(newItem, "\n"), "\n", "\n"+indent) + "\n"
}

func TestAddOrg(t *testing.T) {
	const old = "- {alias: old, instance_url: https://o.my.salesforce.com, data_map: m, auth: {kind: jwt, client_id: c, username: u, key: env:K}}"
	for _, c := range []struct{ name, before, after string }{
		{"empty file", "", "\norgs:\n" + item("  ")},
		{"no orgs", "version: 1 # keep me", "version: 1 # keep me\norgs:\n" + item("  ")},
		{"empty list", "orgs: [] # none yet\nversion: 1\n", "orgs: # none yet\n" + item("  ") + "version: 1\n"},
		{"nothing", "orgs:\n\nversion: 1\n", "orgs:\n" + item("  ") + "\nversion: 1\n"},
		{"after another", "orgs:\n    " + old + "\n    # about old\n\n# about the log\nlog: {level: info}\n", "orgs:\n    " + old + "\n    # about old\n" + item("    ") + "\n# about the log\nlog: {level: info}\n"},
		{"not indented", "orgs:\n" + old + "\nversion: 1\n", "orgs:\n" + old + "\n" + item("") + "version: 1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "weir.yaml")
			if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := config.AddOrg(path, newOrg()); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.after, string(after)); diff != "" {
				t.Error(diff)
			}
			cfg, err := config.Load(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := cfg.Org("new")
			want := newOrg()
			want.APIVersion, want.Auth.Audience = "66.0", "https://login.salesforce.com"
			want.DataMap = filepath.Join(filepath.Dir(path), want.DataMap)
			want.Timeout = 2 * time.Minute
			want.Budget = config.Budget{DailyShare: 2500, Reserve: 2000, FloorShare: 500, SwellShare: 2000, MaxConcurrent: 8, LongCalls: 5, LearnRate: config.LearnNoticed, Quiet: config.Quiet{Zone: "Europe/Berlin", Window: "22:30-05:00", Share: 1000}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode is %v, %v", info.Mode(), err)
			}
			if err := config.AddOrg(path, newOrg()); !errors.Is(err, config.ErrOrgExists) {
				t.Errorf("the same alias again gave %v", err)
			}
		})
	}
}

// TestAddOrgRefuses checks that a file which cannot be extended stays as it is.
func TestAddOrgRefuses(t *testing.T) {
	noSecret := newOrg()
	noSecret.Auth.Secret = ""
	for _, c := range []struct {
		name, before string
		org          config.Org
		want         string
	}{
		{"orgs on one line", "orgs: [{alias: a, instance_url: https://o.x, data_map: m, auth: {kind: jwt, client_id: c, username: u, key: env:K}}]\n", newOrg(), "on lines of its own"},
		{"file with mistakes", "lisen: x\n", newOrg(), "mistakes already"},
		{"org with mistakes", "version: 1\n", noSecret, `"orgs[0].auth.secret" is missing`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "weir.yaml")
			if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := config.AddOrg(path, c.org); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want …%s…", err, c.want)
			}
			after, err := os.ReadFile(path)
			if err != nil || string(after) != c.before {
				t.Errorf("the file changed: %q %v", after, err)
			}
			if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}
