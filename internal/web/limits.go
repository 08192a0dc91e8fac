package web

import (
	"context"
	"maps"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
)

// LimitsAnswer shows an org's limits as the org told them on its latest
// responses. Asking costs no call.
type LimitsAnswer struct {
	Schema      string               `json:"schema"`
	Org         weir.OrgID           `json:"org"`
	Daily       DailyDoc             `json:"daily"`
	Bursts      *QuotaDoc            `json:"bursts,omitempty"` // calls above the daily limit, of a monthly entitlement
	App         *QuotaDoc            `json:"app,omitempty"`    // the connected app's own quota
	Concurrency ConcurrencyDoc       `json:"concurrency"`
	Gate        GateDoc              `json:"gate"`
	Objects     []ObjectDoc          `json:"broken_objects,omitempty"` // whose steps wait alone
	Rungs       map[string]weir.Rung `json:"preconditions"`            // per object, as learnt
}

// ObjectDoc is one object of which nothing works, read or changed.
type ObjectDoc struct {
	Object string                `json:"object"`
	Writes bool                  `json:"writes,omitempty"` // changes fail; otherwise reads do
	Fails  int                   `json:"failed_in_a_row"`
	Cause  weir.Category         `json:"cause"`
	Op     weir.OperatorCategory `json:"category"`
	Until  time.Time             `json:"until,omitzero"` // when one call asks; absent when it may ask now
}

// DailyDoc is the rolling 24 hours.
type DailyDoc struct {
	Known          bool      `json:"known"` // the org has said what its allocation is
	Used           int64     `json:"used"`  // newest reading
	Limit          int64     `json:"limit"`
	SampledAt      time.Time `json:"sampled_at,omitzero"`
	Stale          bool      `json:"stale"`
	Estimate       int64     `json:"estimate"` // what the org counts now, as far as we can tell
	Exhausted      bool      `json:"exhausted"`
	Own            int64     `json:"own_24h"`
	Share          int64     `json:"share"`
	Floor          int64     `json:"floor"`    // calls that belong to the business
	Swell          int64     `json:"swell"`    // calls that are left free for a rise of the neighbours'
	Headroom       int64     `json:"headroom"` // calls that weir may send now
	Velocity       int64     `json:"velocity_per_hour"`
	Neighbours     int64     `json:"neighbours_per_hour"`
	SecondsToFloor int64     `json:"seconds_to_floor,omitempty"`
	CapacityAt     time.Time `json:"capacity_at,omitzero"`
	CapacitySure   bool      `json:"capacity_sure,omitempty"`
	Quiet          bool      `json:"quiet,omitempty"`         // the quiet hours are now: the share is theirs
	QuietTurnsAt   time.Time `json:"quiet_turns_at,omitzero"` // when they next begin or end; absent when there are none
}

// QuotaDoc is another quota.
type QuotaDoc struct {
	Name  string `json:"name,omitempty"`
	Used  int64  `json:"used"`
	Limit int64  `json:"limit"`
}

// ConcurrencyDoc is calls in flight.
type ConcurrencyDoc struct {
	InFlight  int      `json:"in_flight"`
	Allowed   int      `json:"allowed"`
	Slots     int      `json:"slots"`
	Cap       int      `json:"cap,omitempty"`             // what the org accepted when it last refused
	LongCalls bool     `json:"long_calls"`                // some were open for 20 s of late
	LongCap   int      `json:"long_cap,omitempty"`        // no call is sent while so many of ours are, since the org refused
	Slow      []string `json:"slow_objects,omitempty"`    // what is asked of these takes so long
	Remaining int64    `json:"remaining"`                 // of a gateway; -1 = not stated
	Pace      int64    `json:"pace_per_minute,omitempty"` // calls that are sent at most, as learnt from rejections
}

// GateDoc says whether calls are held back.
type GateDoc struct {
	Open    bool                  `json:"open"`
	Until   time.Time             `json:"until,omitzero"`
	Cause   weir.Category         `json:"cause,omitempty"`
	Op      weir.OperatorCategory `json:"category,omitempty"`
	Strikes int                   `json:"strikes"`
	Breaker bool                  `json:"breaker"` // the org refuses our credentials
	ProbeAt time.Time             `json:"probe_at,omitzero"`
}

func limits(ctx context.Context, e *engine.Engine, _ string, in OrgInput) (LimitsAnswer, error) {
	s, err := e.Limits(ctx, in.Org)
	v := s.View
	out := LimitsAnswer{
		Schema: "weir.limits/v1", Org: in.Org, Rungs: map[string]weir.Rung{},
		Daily: DailyDoc{
			Known: v.Known, Used: v.Used, Limit: v.Limit, SampledAt: v.SampledAt, Stale: v.Stale, Estimate: v.Estimate,
			Exhausted: v.AllocationOut, Own: v.Own24h, Share: v.Share, Floor: v.Floor, Swell: v.Swell, Headroom: v.Headroom,
			Velocity: v.Velocity, Neighbours: v.PerHour, SecondsToFloor: int64(v.TimeToFloor / time.Second),
			CapacityAt: v.CapacityAt, CapacitySure: v.CapacitySure, Quiet: s.Quiet, QuietTurnsAt: s.TurnsAt,
		},
		Concurrency: ConcurrencyDoc{
			InFlight: s.InFlight, Allowed: v.Width, Slots: s.Policy.Slots, Cap: v.Cap, LongCalls: v.LongCalls, LongCap: v.LongCap, Slow: v.Slow, Remaining: v.Remaining, Pace: v.Pace,
		},
		Gate: gateDoc(s),
	}
	if v.BurstsLimit > 0 {
		out.Bursts = &QuotaDoc{Used: v.BurstsUsed, Limit: v.BurstsLimit}
	}
	if v.AppLimit > 0 {
		out.App = &QuotaDoc{Name: v.App, Used: v.AppUsed, Limit: v.AppLimit}
	}
	for _, o := range v.Objects {
		out.Objects = append(out.Objects, ObjectDoc{
			Object: o.Name, Writes: o.Writes, Fails: o.Fails, Cause: o.Cause, Op: o.Cause.Operator(), Until: o.Until,
		})
	}
	maps.Copy(out.Rungs, s.Rungs)
	return out, err
}

// gateDoc joins the two things that hold calls back: the governor's gate and
// the wake time of the org's work.
func gateDoc(s engine.OrgStatus) GateDoc {
	g := GateDoc{
		Until: s.View.GateUntil, Cause: s.View.GateCause, Strikes: s.View.Strikes, Breaker: s.View.Breaker, ProbeAt: s.View.ProbeAt,
	}
	if s.WakeAt.After(g.Until) {
		g.Until = s.WakeAt
	}
	g.Open = g.Until.IsZero()
	if g.Cause != "" {
		g.Op = g.Cause.Operator()
	}
	return g
}
