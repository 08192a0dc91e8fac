package config

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Validate checks how the values fit together. Parse has called it already;
// programs that build a Config in code call it themselves.
func (c *Config) Validate() error { return c.check(nil) }

// check adds what does not fit together to the mistakes of reading, and
// returns them all in the order of the file, or nil.
func (c *Config) check(problems Problems) error {
	ck := &checker{c: c, problems: problems}
	ck.whole()
	for i := range c.Orgs {
		ck.org(i)
	}
	if len(ck.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(ck.problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(rank(a.Origin.Kind), rank(b.Origin.Kind)),
			cmp.Compare(a.Origin.Line, b.Origin.Line),
			cmp.Compare(a.Origin.Col, b.Origin.Col),
		)
	})
	return ck.problems
}

func rank(k OriginKind) int {
	return slices.Index([]OriginKind{FromFile, FromEnv, FromFlag, FromDefault}, k)
}

// longestTimeout keeps one call within the time that a slot of the queue has.
const longestTimeout = 3 * time.Minute

type checker struct {
	c        *Config
	problems Problems
}

func (ck *checker) wrong(path, message, hint string) {
	at := ck.c.near(path)
	for _, p := range ck.problems {
		if p.Origin == at {
			return // one mistake at a place is enough to mend it
		}
	}
	ck.problems = append(ck.problems, Problem{at, message, hint})
}

func (ck *checker) whole() {
	c := ck.c
	if c.Version != 1 {
		ck.wrong("version", fmt.Sprintf("version %d is not known to this weir", c.Version), "write version: 1")
	}
	if c.Origin("store").Kind == FromFile && hasPassword(c.Store) {
		ck.wrong("store", "the store's URL holds a password", "secrets do not stand in this file: use ~/.pgpass, or give the whole URL in "+variable("store"))
	}
	if path, ok := strings.CutPrefix(c.Keys.KEK, schemeFile+":"); ok && inside(path, c.DataDir) {
		ck.wrong("keys.kek", "the key lies inside data_dir", "whoever copies the data would have its key: keep it elsewhere")
	}
	if path, ok := strings.CutPrefix(c.Keys.KEK, schemeFile+":"); ok && inside(path, c.VaultDir) {
		ck.wrong("keys.kek", "the key lies inside vault_dir", "whoever copies the sealed files would have their key: keep it elsewhere")
	}
	if c.Keys.KEK == c.Keys.Signing {
		ck.wrong("keys.signing", "both keys are the same file", "the signing key is apart from the vault's, so that either can be replaced")
	}
	if c.Retry.Base > c.Retry.Ceiling {
		ck.wrong("retry.ceiling", fmt.Sprintf("the ceiling %v is below the base %v", c.Retry.Ceiling, c.Retry.Base), "")
	}
	for i, law := range c.Laws {
		if slices.Contains(c.Laws[:i], law) {
			ck.wrong(fmt.Sprintf("%s[%d]", keyLaws, i), fmt.Sprintf("law %q is listed twice", law), "")
		}
	}
}

func (ck *checker) org(i int) {
	o, path := ck.c.Orgs[i], orgPath(i)
	missing := func(key, text, hint string) {
		if _, given := ck.c.origins[path+"."+key]; text == "" && !given {
			ck.need(path, key, hint)
		}
	}
	missing("alias", o.Alias, "a short name such as prod-eu")
	missing("instance_url", o.InstanceURL, "such as https://acme.my.salesforce.com")
	missing("data_map", o.DataMap, "the path of the org's data map")
	missing("auth.kind", o.Auth.Kind, orList([]string{AuthClientCredentials, AuthJWT, AuthRefresh}))
	if o.Auth.Kind != "" {
		missing("auth.client_id", o.Auth.ClientID, "the consumer key of the external client app")
	}
	switch o.Auth.Kind {
	case AuthClientCredentials:
		missing("auth.secret", o.Auth.Secret, "a reference such as credential:NAME")
	case AuthJWT:
		missing("auth.username", o.Auth.Username, "of the integration user")
		missing("auth.key", o.Auth.Key, "a reference such as file:PATH")
	case AuthRefresh:
		missing("auth.refresh_token", o.Auth.RefreshToken, "a reference such as credential:NAME")
	}
	if o.Timeout < time.Second || o.Timeout > longestTimeout {
		ck.wrong(path+".timeout", fmt.Sprintf("a call cannot have %v", o.Timeout), fmt.Sprintf("write a time between 1s and %v", longestTimeout))
	}
	for j := range i {
		if o.Alias != "" && ck.c.Orgs[j].Alias == o.Alias {
			ck.wrong(path+".alias", fmt.Sprintf("a second org has the alias %q", o.Alias), "aliases are unique: requests and ledger entries name them")
		}
	}
	if o.Budget.FloorShare >= whole {
		ck.wrong(path+".budget.floor_share", "a floor of 100% leaves no call to weir", "")
	}
	quiet := path + ".budget.quiet_hours"
	_, tried := ck.c.origins[quiet+".window"] // what is wrong with it was told already
	for _, key := range []string{"tz", "share"} {
		if _, given := ck.c.origins[quiet+"."+key]; given && !tried && o.Budget.Quiet.Window == "" {
			ck.wrong(quiet+"."+key, "quiet hours without a window are never", "write window: 01:00-05:00 beside it")
		}
	}
	if o.Budget.DailyShare == 0 {
		ck.wrong(path+".budget.daily_share", "a share of 0% leaves no call to weir", "")
	}
}

// need says that a key of an org is missing. Several may be at the same
// place, so this does not go through wrong.
func (ck *checker) need(org, key, hint string) {
	ck.problems = append(ck.problems, Problem{ck.c.near(org + "." + key), fmt.Sprintf("%q is missing", org+"."+key), hint})
}

// inside says whether path is dir or lies below it.
func inside(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func hasPassword(store string) bool {
	u, err := url.Parse(store)
	if err != nil {
		return false
	}
	_, inUser := u.User.Password()
	return inUser || u.Query().Has("password")
}
