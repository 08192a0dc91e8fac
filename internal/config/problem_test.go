package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/internal/config"
)

// org returns the lines of a whole org with one line put in or changed.
func org(lines ...string) string {
	return "orgs:\n  - alias: a\n    instance_url: https://a.my.salesforce.com\n    data_map: m.yaml\n" +
		"    auth: {kind: client-credentials, client_id: c, secret: env:S}\n" + strings.Join(lines, "\n")
}

func TestProblems(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"slip", "retyr: {base: 2s}", `w.yaml:1:1: unknown key "retyr"; did you mean "retry"?`},
		{"slip below", "retry:\n  bsae: 2s", `w.yaml:2:3: unknown key "bsae"; did you mean "base"?`},
		{"nothing like it", "retry:\n  colour: 2s", `w.yaml:2:3: unknown key "colour"; known here: base, max_attempts, ceiling, lock_retries, conflict_retries, settle`},
		{"wrong level", "plan_ttl: 24h", `w.yaml:1:1: unknown key "plan_ttl"; it belongs under "policy"`},
		{"wrong level in an org", org("    reserve: 5"), `w.yaml:6:5: unknown key "reserve"; it belongs under "orgs[0].budget"`},
		{"level too deep", "retry:\n  listen: x", `w.yaml:2:3: unknown key "listen"; it belongs one level up, beside "retry"`},
		{"twice", "log: {level: info}\nlog: {level: warn}", `w.yaml:2:1: "log" is given a second time; keep one of them`},
		{"no value", "listen:", `w.yaml:1:1: "listen" has no value; write one, or remove the key to take the default`},
		{"duration", "retry:\n  base: 2", `w.yaml:2:9: "retry.base" is "2": write a duration such as 90s, 24h or 30d`},
		{"negative", "retry: {base: -2s}", `w.yaml:1:15: "retry.base" is "-2s": write a duration such as 90s, 24h or 30d`},
		{"overflow", "retry: {base: 99999999999d}", `w.yaml:1:15: "retry.base" is "99999999999d": write a duration such as 90s, 24h or 30d`},
		{"count", "retry: {max_attempts: 0}", `w.yaml:1:23: "retry.max_attempts" is "0": write a whole number of at least 1`},
		{"word", "log: {level: loud}", `w.yaml:1:14: "log.level" is "loud": write debug, info, warn or error`},
		{"bool", "policy: {single_operator: maybe}", `w.yaml:1:27: "policy.single_operator" is "maybe": write true or false`},
		{"mapping for value", "listen: {host: x}", `w.yaml:1:9: "listen" must be a single value`},
		{"value for mapping", "retry: 5", `w.yaml:1:8: "retry" must be a mapping of keys; known here: base, max_attempts, ceiling, lock_retries, conflict_retries, settle`},
		{"open listener", "listen: 0.0.0.0:7433", `w.yaml:1:9: "listen" would be reachable from other machines: write a loopback address such as 127.0.0.1:7433`},
		{"other store", "store: mysql://x", `w.yaml:1:8: "store" must be sqlite://PATH or postgres://USER@HOST/DATABASE`},
		{"password in the file", "store: postgres://u:p@h/d", `w.yaml:1:8: the store's URL holds a password; secrets do not stand in this file: use ~/.pgpass, or give the whole URL in WEIR_STORE`},
		{"scheme of a key", "keys: {kek: env:K}", `w.yaml:1:13: "keys.kek" has the scheme "env": write file:PATH or credential:NAME`},
		{"key beside the data", "data_dir: d\nkeys: {kek: file:d/kek}", `w.yaml:2:13: the key lies inside data_dir; whoever copies the data would have its key: keep it elsewhere`},
		{"key beside the sealed files", "vault_dir: v\nkeys: {kek: file:v/kek}", `w.yaml:2:13: the key lies inside vault_dir; whoever copies the sealed files would have their key: keep it elsewhere`},
		{"call that outlives its slot", org("    timeout: 5m"), `w.yaml:6:14: a call cannot have 5m0s; write a time between 1s and 3m0s`},
		{"one file, two keys", "keys: {kek: file:k, signing: file:k}", `w.yaml:1:30: both keys are the same file; the signing key is apart from the vault's, so that either can be replaced`},
		{"pasted secret", "orgs:\n  - alias: a\n    instance_url: https://x.y\n    data_map: m\n    auth: {kind: client-credentials, client_id: c, secret: hunter2}", `w.yaml:5:60: "orgs[0].auth.secret" is not a reference: write file:PATH or env:NAME or credential:NAME; secrets do not stand in this file`},
		{"clear text URL", strings.Replace(org(), "https", "http", 1), `w.yaml:3:19: "orgs[0].instance_url" sends tokens in clear: write https://a.my.salesforce.com (http is for loopback hosts only)`},
		{"share", org("    budget: {daily_share: 40}"), `w.yaml:6:27: "orgs[0].budget.daily_share" is "40": write a percentage such as 40%`},
		{"share above all", org("    budget: {daily_share: 101%}"), `w.yaml:6:27: "orgs[0].budget.daily_share" is "101%": write at most 100%`},
		{"quiet at once", org("    budget: {quiet_hours: {window: \"05:00-05:00\"}}"), `w.yaml:6:36: "orgs[0].budget.quiet_hours.window" is "05:00-05:00", which begins and ends at once: give budget.daily_share what is to hold all day`},
		{"quiet window", org("    budget:\n      quiet_hours: {tz: UTC, window: 1-5}"), `w.yaml:7:38: "orgs[0].budget.quiet_hours.window" is "1-5": write two times of the day such as 01:00-05:00`},
		{"quiet zone", org("    budget: {quiet_hours: {tz: Local, window: \"01:00-05:00\"}}"), `w.yaml:6:32: "orgs[0].budget.quiet_hours.tz" is "Local": write a time zone such as Europe/Berlin or UTC`},
		{"quiet without a window", org("    budget: {quiet_hours: {share: 20%}}"), `w.yaml:6:35: quiet hours without a window are never; write window: 01:00-05:00 beside it`},
		{"slip in quiet hours", org("    budget: {quiet_hours: {zone: UTC}}"), `w.yaml:6:28: unknown key "zone"; known here: window, tz, share`},
		{"quiet hours beside the budget", org("    quiet_hours: {tz: UTC}"), `w.yaml:6:5: unknown key "quiet_hours"; it belongs under "orgs[0].budget"`},
		{"recipient", org("    recipients: [age1short]"), `w.yaml:6:18: "age1short" in "orgs[0].recipients" is not an age recipient: they begin with age1 and have 62 characters`},
		{"list", org("    recipients: age1"), `w.yaml:6:17: "orgs[0].recipients" must be a list; begin each item with a dash`},
		{"orgs as a mapping", "orgs: {a: b}", `w.yaml:1:8: "orgs" must be a list; begin each item with a dash`},
		{"same alias", org() + strings.TrimPrefix(org(), "orgs:\n"), `w.yaml:6:12: a second org has the alias "a"; aliases are unique: requests and ledger entries name them`},
		{"missing of jwt", "orgs:\n  - alias: a\n    instance_url: https://x.y\n    data_map: m\n    auth: {kind: jwt, client_id: c}", `w.yaml:5:5: "orgs[0].auth.username" is missing; of the integration user
w.yaml:5:5: "orgs[0].auth.key" is missing; a reference such as file:PATH`},
		{"version", "version: 2", `w.yaml:1:10: version 2 is not known to this weir; write version: 1`},
		{"law with a clock", "laws: {gdpr: {window: 1 month}}", `w.yaml:1:14: the clock of law "gdpr" cannot be set here; clocks are versioned data of weir; write only the name`},
		{"base over ceiling", "retry: {base: 10s, ceiling: 5s}", `w.yaml:1:29: the ceiling 5s is below the base 10s`},
		{"second document", "version: 1\n---\nversion: 1\n", "a second document"},
		{"not YAML", "retry: {base: 2s\nlog: [", "this is not valid YAML"},
		{"alias of YAML", "listen: &a 127.0.0.1:1\nstore: *a", "must be a single value"},
		{
			"all at once, in order", "retry: {bse: 2s}\nlisten: 0.0.0.0:1\norgs:\n  - alias: a b\n",
			`w.yaml:1:9: unknown key "bse"; did you mean "base"?
w.yaml:2:9: "listen" would be reachable from other machines: write a loopback address such as 127.0.0.1:1
w.yaml:4:5: "orgs[0].instance_url" is missing; such as https://acme.my.salesforce.com
w.yaml:4:5: "orgs[0].data_map" is missing; the path of the org's data map
w.yaml:4:5: "orgs[0].auth.kind" is missing; client-credentials, jwt or refresh
w.yaml:4:12: "orgs[0].alias" must be letters, digits, - and _, and begin with a letter or digit`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Parse("w.yaml", []byte(c.text), nil)
			if err == nil {
				t.Fatal("no mistake was found")
			}
			var one config.Problem
			if !errors.As(err, &one) {
				t.Errorf("%T holds no Problem", err)
			}
			if strings.HasPrefix(c.want, "w.yaml:") {
				if diff := cmp.Diff(c.want, err.Error()); diff != "" {
					t.Error(diff)
				}
			} else if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "w.yaml:") {
				t.Errorf("got %v, want …%s…", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the message repeats a secret")
			}
		})
	}
}

func TestProblemOfAVariable(t *testing.T) {
	_, err := config.Parse("w.yaml", []byte("lisen: x\n"), func(k string) string {
		return map[string]string{"WEIR_LOG_LEVEL": "loud"}[k]
	})
	want := `w.yaml:1:1: unknown key "lisen"; did you mean "listen"?` + "\n" +
		`env WEIR_LOG_LEVEL: "log.level" is "loud": write debug, info, warn or error`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// FuzzParse looks for texts on which reading panics, or that are taken and
// cannot be taken a second time.
func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add(org())
	f.Add("a: &x [*x]\n<<: *x")
	f.Add("orgs:\n- ? {a: b}\n  : c")
	f.Add("laws: {? : }")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse("/w/weir.yaml", []byte(text), nil)
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("taken, then refused: %v", err)
		}
	})
}
