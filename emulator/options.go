package emulator

import (
	"context"
	"time"
)

// Options say what kind of org [New] makes. The zero value is a Developer
// Edition org that runs on the real clock and misbehaves in 5 % of its calls.
type Options struct {
	// Seed decides all chance: faults, latencies, tokens, seeded people.
	Seed uint64
	// Now is the org's clock; nil means time.Now.
	Now func() time.Time
	// Sleep passes time for latency and slow calls; nil waits on a real timer.
	// It must return early, with the context's error, when the context ends.
	Sleep func(context.Context, time.Duration) error
	// APIVersion is the newest version served; empty means 66.0.
	APIVersion string
	// InstanceURL is what the token endpoint answers as instance_url; empty
	// means the scheme and host that the token was asked at.
	InstanceURL string
	// Profile is how the org misbehaves; the zero value means Rude().
	Profile Profile
	// Limits are the org's allocations.
	Limits Limits
	// Latency is the mean duration of a call; each takes between half and one
	// and a half of it, one half on the way there and one on the way back. Zero
	// means that calls take no time.
	Latency time.Duration
	// RecycleLag is how long queryAll still shows a purged row; zero means
	// 24 h, which is about what Salesforce documents. Negative means none.
	RecycleLag time.Duration
	// SessionIdle is how long a session survives without a call; zero means 2 h.
	SessionIdle time.Duration
	// CursorIdle is how long a query locator lives unused; zero means 48 h.
	CursorIdle time.Duration
	// PageRows is how many rows a page of a query has at most; zero means 2,000.
	// Salesforce gives fewer than were asked for where rows are wide.
	PageRows int
	// RotateRefreshTokens gives a new refresh token at each exchange and ends
	// the sessions of the old one.
	RotateRefreshTokens bool
	// ETagEverywhere sends ETags on, and honours If-Match for, every object.
	// Salesforce does so on Account only.
	ETagEverywhere bool
	// IgnoreUnmodifiedSince makes an org that disregards If-Unmodified-Since.
	IgnoreUnmodifiedSince bool
	// IgnoreConditionsInComposite makes an org that disregards the conditional
	// headers of composite subrequests.
	IgnoreConditionsInComposite bool
}

// Limits are the allocations of an org.
type Limits struct {
	// DailyAPI is the number of calls in any 24 hours; zero means 15,000.
	DailyAPI int
	// Soft lets calls above DailyAPI through while Bursts last, as paid orgs do.
	Soft bool
	// Bursts is the monthly number of calls above DailyAPI of a soft org; zero
	// means 750.
	Bursts int
	// AppName and AppDaily add a per-app quota to the header, and enforce it,
	// when AppDaily is positive.
	AppName  string
	AppDaily int
	// BurstRate and BurstSize are a hidden token bucket: calls a second, and how
	// many at once. Zero rate means none.
	BurstRate float64
	BurstSize int
	// BurstAnswer is how the bucket refuses: FaultBurstSeconds (the default),
	// FaultBurstDate or FaultBurstBare.
	BurstAnswer Fault
	// LongCap is how many calls may run for LongAfter or longer at once; zero
	// means 25. Developer orgs have 5.
	LongCap int
	// LongAfter is when a call becomes a long one; zero means 20 s.
	LongAfter time.Duration
	// CounterLag makes the reported usage older than the enforced one.
	CounterLag time.Duration
	// LowerCaseHeader writes sforce-limit-info, which only a socket can show.
	LowerCaseHeader bool
	// GatewayHeaders adds X-Rate-Limit-Remaining and X-Rate-Limit-Concurrent,
	// as a gateway in front of Salesforce may; Salesforce itself never does.
	GatewayHeaders bool
}

// withDefaults fills in what the caller left out.
func (p Options) withDefaults() Options {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Sleep == nil {
		p.Sleep = sleep
	}
	setDefault(&p.APIVersion, "66.0")
	setDefault(&p.RecycleLag, 24*time.Hour)
	setDefault(&p.SessionIdle, 2*time.Hour)
	setDefault(&p.CursorIdle, 48*time.Hour)
	setDefault(&p.PageRows, pageSize)
	setDefault(&p.Limits.DailyAPI, 15_000)
	setDefault(&p.Limits.Bursts, 750)
	setDefault(&p.Limits.BurstSize, 1)
	setDefault(&p.Limits.BurstAnswer, FaultBurstSeconds)
	setDefault(&p.Limits.LongCap, 25)
	setDefault(&p.Limits.LongAfter, 20*time.Second)
	if p.Profile.Name == "" && p.Profile.Rate == 0 && p.Profile.Weights == nil &&
		p.Profile.Script == nil && p.Profile.Neighbours == nil {
		p.Profile = Rude()
	}
	return p
}

func setDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}

// sleep waits on a real timer; inside a synctest bubble the bubble's.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
