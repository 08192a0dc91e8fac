package config

import (
	"fmt"
	"strings"
)

const sqliteScheme = "sqlite://"

// scalar is one key that holds one value: its path in the file, its default
// as one would write it, and its place in the struct.
type scalar struct {
	path string
	def  string
	into value
	doc  string // one line for the starter file; empty = not shown there
}

// scalars is the table of the keys that exist once.
func (c *Config) scalars() []scalar {
	return []scalar{
		{"version", "1", countValue{&c.Version, 1}, ""},
		{"data_dir", "data", pathValue{&c.DataDir}, "store, vault and socket; weir's alone"},
		{"vault_dir", "", pathValue{&c.VaultDir}, "default: vault in data_dir; nodes of one store share it"},
		{"store", "", textValue{&c.Store, checkStore}, "default: sqlite in data_dir; postgres://USER@HOST/DATABASE for many nodes"},
		{"listen", "127.0.0.1:7433", textValue{&c.Listen, checkListen}, "/metrics; loopback only"},
		{"keys.kek", "file:keys/kek", refValue{&c.Keys.KEK, []string{schemeFile, schemeCredential}}, "wraps every request's key; outside data_dir"},
		{"keys.signing", "file:keys/signing", refValue{&c.Keys.Signing, []string{schemeFile}}, "signs checkpoints and certificates"},
		{"policy.single_operator", "false", boolValue{&c.Policy.SingleOperator}, "true: who submits may also approve"},
		{"policy.identity_verification", VerificationRequired, wordValue{&c.Policy.IdentityVerification, []string{VerificationRequired, VerificationOff}}, "off: fetch before identity evidence is recorded"},
		{"policy.plan_ttl", "24h", spanValue{&c.Policy.PlanTTL}, "an older plan must be made again"},
		{"policy.max_records", "500", countValue{&c.Policy.MaxRecords, 1}, "more in one request needs a person"},
		{"policy.retention", "720h", spanValue{&c.Policy.Retention}, "after delivery, until the key is shredded"},
		{"policy.allow_undecided", "false", boolValue{&c.Policy.AllowUndecided}, "plan although the data map has open decisions"},
		{"retry.base", "2s", spanValue{&c.Retry.Base}, "first backoff; it doubles"},
		{"retry.max_attempts", "5", countValue{&c.Retry.MaxAttempts, 1}, "technical failures of one step"},
		{"retry.ceiling", "300s", spanValue{&c.Retry.Ceiling}, "longest backoff that weir computes; Retry-After is honoured in full"},
		{"retry.lock_retries", "8", countValue{&c.Retry.LockRetries, 0}, "row locks of one step"},
		{"retry.conflict_retries", "3", countValue{&c.Retry.ConflictRetries, 0}, "records that changed under one step"},
		{"retry.settle", "30s", spanValue{&c.Retry.Settle}, "how long a lost call may still land"},
		{"log.level", "info", wordValue{&c.Log.Level, []string{"debug", "info", "warn", "error"}}, ""},
		{"log.format", "text", wordValue{&c.Log.Format, []string{"text", "json"}}, ""},
	}
}

// scalars is the table of an org's keys.
func (o *Org) scalars() []scalar {
	secrets := []string{schemeFile, schemeEnv, schemeCredential}
	return []scalar{
		{"alias", "", textValue{&o.Alias, checkAlias}, ""},
		{"instance_url", "", textValue{&o.InstanceURL, checkURL}, ""},
		{"api_version", "66.0", textValue{&o.APIVersion, checkAPIVersion}, ""},
		{"auth.kind", "", wordValue{&o.Auth.Kind, []string{AuthClientCredentials, AuthJWT, AuthRefresh}}, ""},
		{"auth.client_id", "", textValue{&o.Auth.ClientID, checkNotEmpty}, ""},
		{"auth.username", "", textValue{&o.Auth.Username, checkNotEmpty}, ""},
		{"auth.audience", "https://login.salesforce.com", textValue{&o.Auth.Audience, checkURL}, ""},
		{"auth.secret", "", refValue{&o.Auth.Secret, secrets}, ""},
		{"auth.key", "", refValue{&o.Auth.Key, secrets}, ""},
		{"auth.refresh_token", "", refValue{&o.Auth.RefreshToken, secrets}, ""},
		{"data_map", "", pathValue{&o.DataMap}, ""},
		{"timeout", "2m", spanValue{&o.Timeout}, ""},
		{"budget.daily_share", "40%", shareValue{&o.Budget.DailyShare}, ""},
		{"budget.reserve", "2000", callsValue{&o.Budget.Reserve}, ""},
		{"budget.floor_share", "5%", shareValue{&o.Budget.FloorShare}, ""},
		{"budget.swell_share", "20%", shareValue{&o.Budget.SwellShare}, ""},
		{"budget.max_concurrent", "8", countValue{&o.Budget.MaxConcurrent, 1}, ""},
		{"budget.long_calls", "5", countValue{&o.Budget.LongCalls, 1}, ""},
		{"budget.learn_rate", LearnNoticed, wordValue{&o.Budget.LearnRate, []string{LearnNoticed, LearnAlways, LearnNever}}, ""},
		{"budget.quiet_hours.window", "", textValue{&o.Budget.Quiet.Window, checkWindow}, ""},
		{"budget.quiet_hours.tz", "UTC", textValue{&o.Budget.Quiet.Zone, checkZone}, ""},
		{"budget.quiet_hours.share", "10%", shareValue{&o.Budget.Quiet.Share}, ""},
	}
}

// The keys that hold more than one value.
const (
	keyLaws       = "laws"
	keyOrgs       = "orgs"
	keyRecipients = "recipients"
)

// withDefaults puts the defaults into the struct.
func withDefaults(table []scalar) {
	for _, s := range table {
		if s.def == "" {
			continue
		}
		if err := s.into.set(s.def); err != nil {
			panic(fmt.Sprintf("config: the default of %s %v", s.path, err)) // a test sets every default
		}
	}
}

// variable returns the name of the environment variable that overrides a key.
func variable(path string) string {
	return "WEIR_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}
