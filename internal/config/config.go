package config

import (
	"slices"
	"time"
)

// Config is a whole configuration, checked, with absolute paths.
type Config struct {
	Version  int
	DataDir  string // ours alone, 0700: store, vault, socket, journal
	VaultDir string // sealed files and journals; shared by all nodes of one store
	Store    string // sqlite://PATH or postgres://…
	Listen   string // loopback host:port of /metrics
	Keys     Keys
	Policy   Policy
	Retry    Retry
	Laws     []string // names of legal clocks that requests may use; empty = all that are built in
	Log      Log
	Orgs     []Org

	file    string            // as named by the caller
	dir     string            // its absolute directory: relative paths start here
	origins map[string]Origin // by path; a path that is absent has its default
	spelled map[string]string // a value as it was written, where that reads better than its canonical form
}

// Keys says where the two keys of an installation are.
type Keys struct {
	KEK     string // reference of the key that wraps every request's data key; never inside DataDir
	Signing string // reference of the key that signs checkpoints and certificates
}

// Policy is what the house decided about people and records.
type Policy struct {
	SingleOperator       bool          // the submitter may approve; the ledger shows it
	IdentityVerification string        // VerificationRequired or VerificationOff
	PlanTTL              time.Duration // an approval older than this is stale
	MaxRecords           int           // a plan that touches more needs a person
	Retention            time.Duration // a request's key lives this long after delivery
	AllowUndecided       bool          // plan although the data map has open decisions
}

// The words for Policy.IdentityVerification.
const (
	VerificationRequired = "required"
	VerificationOff      = "off"
)

// Retry bounds what is tried again. See design section 4, "Backoff".
type Retry struct {
	Base            time.Duration // first backoff
	MaxAttempts     int           // technical failures of one step
	Ceiling         time.Duration // longest backoff that we compute ourselves
	LockRetries     int           // row locks of one step
	ConflictRetries int           // failed preconditions of one step
	Settle          time.Duration // how long a lost call may still land
}

// Log says how the program writes its log.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // text or json
}

// Org is one Salesforce org.
type Org struct {
	Alias       string
	InstanceURL string // https; http for loopback hosts only
	APIVersion  string // such as "66.0"
	Auth        Auth
	DataMap     string
	Timeout     time.Duration // of one call, reading the answer included
	Budget      Budget
	Recipients  []string // age recipients of packages for which the request names none
}

// Auth says how tokens of an org are obtained. Secrets are references.
type Auth struct {
	Kind         string // AuthClientCredentials, AuthJWT or AuthRefresh
	ClientID     string
	Username     string // of the integration user; for jwt
	Audience     string // login host of the jwt assertion
	Secret       string // reference of the client secret
	Key          string // reference of the private key of jwt
	RefreshToken string // reference of the refresh token
}

// The words for Auth.Kind.
const (
	AuthClientCredentials = "client-credentials"
	AuthJWT               = "jwt"
	AuthRefresh           = "refresh"
)

// Budget is our share of an org's calls. What the business keeps, the floor,
// is the larger of Reserve and FloorShare.
type Budget struct {
	DailyShare    Share  // of the daily allocation that weir may use
	Reserve       int64  // calls that are never touched
	FloorShare    Share  // the same as a share of the allocation
	SwellShare    Share  // of the neighbours' own calls, left free for a rise of theirs while little is known
	MaxConcurrent int    // calls in flight at once, all nodes together
	LongCalls     int    // calls open for 20 s at once that the org allows everybody together
	LearnRate     string // when rejections are taken for a rate that the org does not tell, to keep below it
	Quiet         Quiet  // hours in which another share is in force
}

// When a hidden rate is learnt from rejections.
const (
	LearnNoticed = "noticed" // once they show that there is one
	LearnAlways  = "always"  // from the first on
	LearnNever   = "never"
)

// Quiet is a part of every day in which Share takes the place of DailyShare.
// Without a window there is none.
type Quiet struct {
	Zone   string // in which the window is read, such as "Europe/Berlin"
	Window string // such as "01:00-05:00"; one that ends before it begins passes midnight
	Share  Share
}

// File returns the name of the file that was read.
func (c *Config) File() string { return c.file }

// Dir returns the directory that relative paths start from.
func (c *Config) Dir() string { return c.dir }

// Org returns the org of that alias.
func (c *Config) Org(alias string) (Org, bool) {
	i := slices.IndexFunc(c.Orgs, func(o Org) bool { return o.Alias == alias })
	if i < 0 {
		return Org{}, false
	}
	return c.Orgs[i], true
}
