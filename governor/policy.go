package governor

import (
	"errors"
	"fmt"
	"time"
)

// Policy is what the operator allows. Shares are per mille, so that all
// arithmetic stays in integers.
type Policy struct {
	Base    time.Duration `json:"base_ns"`    // first backoff; it doubles
	Ceiling time.Duration `json:"ceiling_ns"` // longest backoff that we compute; Retry-After is honoured in full
	Retries int           `json:"retries"`    // technical failures of one step that are tried again

	LockBase        time.Duration `json:"lock_base_ns"`     // first wait for a locked record
	LockCeiling     time.Duration `json:"lock_ceiling_ns"`  // longest wait for a locked record
	LockRetries     int           `json:"lock_retries"`     // attempts of a step that meets locks
	ConflictRetries int           `json:"conflict_retries"` // failed preconditions that are planned again
	Settle          time.Duration `json:"settle_ns"`        // how long a call without an answer may still land

	Slots   int           `json:"slots"`        // calls in flight at once, all nodes together
	LongCap int           `json:"long_cap"`     // calls open for 20 s or longer while others may still be sent
	Regrow  time.Duration `json:"regrow_ns"`    // a cut cap grows by one after this long without a reject
	SlowCap time.Duration `json:"slow_wait_ns"` // longest wait after a concurrency reject

	Share      int   `json:"share"`                 // of the daily limit that we may use, per mille
	QuietShare int   `json:"quiet_share,omitempty"` // the same in the org's quiet hours, of which the ask tells
	FloorCalls int64 `json:"floor_calls"`           // calls of the daily limit that are never touched
	FloorShare int   `json:"floor_share"`           // the same per mille of the limit; the larger one counts
	Swell      int   `json:"swell"`                 // per mille of the neighbours' calls that is left free for a rise while little is known; 0 = nothing but the floor

	ProbeBlind time.Duration `json:"probe_blind_ns"` // first probe of a blocked org when no release can be predicted
	ProbeFirst time.Duration `json:"probe_first_ns"` // next probe after one was refused; it doubles
	ProbeMax   time.Duration `json:"probe_max_ns"`   // longest time between probes

	NoticeRate bool `json:"notice_rate,omitempty"` // take rejects for a hidden rate, and keep below it, once they show that there is one; see notice.go
	LearnRate  bool `json:"learn_rate,omitempty"`  // take every reject for that; see rate.go
}

// DefaultPolicy returns the defaults: those of the project's brief for the
// backoff, of the wire reference section 3.3 for locks and concurrency, and of
// section 1.5 for long calls (5 is what a Developer Edition org allows).
func DefaultPolicy() Policy {
	return Policy{
		Base: 2 * time.Second, Ceiling: 300 * time.Second, Retries: 5,
		LockBase: 500 * time.Millisecond, LockCeiling: 30 * time.Second, LockRetries: 8,
		ConflictRetries: 3, Settle: 30 * time.Second,
		Slots: 8, LongCap: 5, Regrow: time.Minute, SlowCap: time.Minute,
		Share: 400, FloorCalls: 2000, FloorShare: 50, Swell: 200,
		NoticeRate: true, ProbeBlind: 15 * time.Minute, ProbeFirst: 5 * time.Minute, ProbeMax: time.Hour,
	}
}

// ErrPolicy is wrapped by every mistake that Validate finds.
var ErrPolicy = errors.New("governor policy")

// Validate reports every mistake at once. A policy that fails it still never
// makes Admit or Observe panic, but it may never let a call go.
func (p Policy) Validate() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("%w: %s", ErrPolicy, fmt.Sprintf(format, args...)))
		}
	}
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"base", p.Base},
		{"lock base", p.LockBase},
		{"settle", p.Settle},
		{"regrow", p.Regrow},
		{"probe blind", p.ProbeBlind},
		{"probe first", p.ProbeFirst},
	} {
		wrong(d.d <= 0, "%s is %v; it must be above zero", d.name, d.d)
	}
	wrong(p.Ceiling < p.Base, "the ceiling %v is below the base %v", p.Ceiling, p.Base)
	wrong(p.LockCeiling < p.LockBase, "the lock ceiling %v is below the lock base %v", p.LockCeiling, p.LockBase)
	wrong(p.SlowCap < slowBase, "the slow wait %v is below %v", p.SlowCap, slowBase)
	wrong(p.ProbeMax < p.ProbeFirst, "the longest probe interval %v is below the first %v", p.ProbeMax, p.ProbeFirst)
	wrong(p.Retries < 0 || p.LockRetries < 0 || p.ConflictRetries < 0, "a number of retries is below zero")
	wrong(p.Slots < 1, "%d slots let no call go", p.Slots)
	wrong(p.LongCap < 1, "a long cap of %d lets no call go", p.LongCap)
	wrong(p.Share < 1 || p.Share > perMille, "the share %d is not between 1 and 1000 per mille", p.Share)
	wrong(p.QuietShare < 0 || p.QuietShare > perMille, "the quiet share %d is not between 0 and 1000 per mille", p.QuietShare)
	wrong(p.FloorCalls < 0, "the floor of %d calls is below zero", p.FloorCalls)
	wrong(p.Swell < 0 || p.Swell > perMille, "the swell %d is not between 0 and 1000 per mille", p.Swell)
	wrong(p.FloorShare < 0 || p.FloorShare >= perMille, "the floor share %d is not between 0 and 999 per mille", p.FloorShare)
	return errors.Join(errs...)
}

// Urgent is the policy that urgent work is under: all that lies above the floor
// is its share, and no rise of the neighbours is foreseen.
func (p Policy) Urgent() Policy {
	p.Share, p.QuietShare, p.Swell = perMille, perMille, 0
	return p
}

// During is the policy in the org's quiet hours, or outside of them: with the
// share that is in force then.
func (p Policy) During(quiet bool) Policy {
	if quiet {
		p.Share = p.QuietShare
	}
	return p
}

// floor is what belongs to the business of a daily limit.
func (p Policy) floor(limit int64) int64 {
	return max(p.FloorCalls, limit*int64(max(p.FloorShare, 0))/perMille, 0)
}

// share is how many calls of a daily limit are ours.
func (p Policy) share(limit int64) int64 {
	return limit * int64(min(max(p.Share, 0), perMille)) / perMille
}

const perMille = 1000
