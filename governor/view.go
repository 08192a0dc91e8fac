package governor

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// View is what `weir limits` and the metrics show of one org. Times are zero
// when there is nothing to say.
type View struct {
	Known         bool          // the org has said what its daily allocation is
	Used          int64         // newest reading
	Limit         int64         // newest reading
	SampledAt     time.Time     // when it was taken
	SampleAge     time.Duration // how old it is
	Stale         bool          // a later response came without the header, or the sample has expired
	Estimate      int64         // what the org counts now, as far as we can tell
	OverSoftLimit bool          // used is above the limit, which some orgs allow
	BurstsUsed    int64         // api-bursts: calls above the daily limit, of a monthly entitlement
	BurstsLimit   int64
	App           string // the connected app's own quota, where the org has one
	AppUsed       int64
	AppLimit      int64

	Own24h        int64 // our calls in the window
	Share         int64 // of the limit that we may use
	PerHour       int64 // neighbours' calls per hour
	Velocity      int64 // calls per hour of everybody: how fast the allocation burns
	Floor         int64 // calls that belong to the business
	Swell         int64 // calls that are left free for a rise of the neighbours'
	Headroom      int64 // calls that we may send now
	TimeToFloor   time.Duration
	CapacityAt    time.Time // when calls that count against us next leave the window
	CapacitySure  bool      // CapacityAt follows from recorded calls
	AllocationOut bool      // the org refused a call because its limit is used up

	Width     int // calls in flight that are allowed now
	Slots     int
	Cap       int      // what the org accepted when it last refused; 0 = it does not refuse
	LongCalls bool     // some ran for 20 s of late
	Slow      []string // objects about which calls run long
	LongCap   int      // fewer of those may be open while others are sent, since the org refused; 0 = the policy's
	Remaining int64    // X-Rate-Limit-Remaining of a gateway; -1 = not stated
	Pace      int64    // calls a minute that are sent at most, as learnt from rejects; 0 = not learnt

	GateUntil time.Time
	GateCause weir.Category
	Strikes   int
	Breaker   bool      // the org refuses our credentials
	ProbeAt   time.Time // when they are tried next

	Objects []ObjectView // that failed and have not worked since
}

// ObjectView is what is shown of one object that is broken.
type ObjectView struct {
	Name   string
	Writes bool // its changes fail; otherwise its reads do
	Fails  int  // in a row
	Cause  weir.Category
	Until  time.Time // when one call asks; zero when it may ask now
}

// Look shows the state at a time. It costs no call.
func Look(p Policy, s State, now time.Time) View {
	n := max(nanos(now), 1)
	s.tick(p, n)
	v := View{
		Width: Width(p, s), Slots: p.Slots, Cap: s.Cap, LongCalls: s.Long.SeenAt > 0, LongCap: s.Long.Cap, Remaining: -1,
		Strikes: s.Strikes, Breaker: s.Auth.OpenAt > 0, AllocationOut: s.BlockedAt > 0,
		Own24h: s.Own.window(n), PerHour: s.Neighbours.perHour(),
		BurstsUsed: s.Extra.Used, BurstsLimit: s.Extra.Limit,
		App: s.App.App, AppUsed: s.App.Used, AppLimit: s.App.Limit,
	}
	if s.Left.At > 0 {
		v.Remaining = s.Left.Calls
	}
	if s.learns(p) {
		v.Pace = s.Rate.perMinute()
	}
	m := minuteOf(n)
	v.Velocity = s.Own.between(m-60, m+1) + v.PerHour
	if s.Gate.Until > n {
		v.GateUntil, v.GateCause = moment(s.Gate.Until), s.Gate.Cause
	}
	if until, closed := s.Auth.closed(n); closed {
		v.ProbeAt = moment(until)
		if until > s.Gate.Until {
			v.GateUntil, v.GateCause = moment(until), weir.AuthConfig
		}
	}
	for _, o := range s.Long.Slow {
		if !slices.Contains(v.Slow, o.Name) {
			v.Slow = append(v.Slow, o.Name)
		}
	}
	for _, o := range s.Objects {
		if o.broken() {
			v.Objects = append(v.Objects, o.look(n))
		}
	}
	if s.Daily.Limit > 0 {
		s.lookDaily(p, n, &v)
	}
	return v
}

func (o Object) look(now int64) ObjectView {
	v := ObjectView{Name: o.Name, Writes: o.Writes, Fails: o.Fails, Cause: o.Cause}
	if o.Until > now {
		v.Until = moment(o.Until)
	}
	return v
}

func (s *State) lookDaily(p Policy, now int64, v *View) {
	d := s.Daily
	v.Known, v.Used, v.Limit = true, d.Used, d.Limit
	v.SampledAt, v.SampleAge = moment(d.At), time.Duration(max(now-d.At, 0))
	v.Stale = d.Stale || d.expired(now)
	v.OverSoftLimit = d.Used > d.Limit
	v.Floor, v.Share = p.floor(d.Limit), p.share(d.Limit)
	v.Headroom = max(v.Share-v.Own24h, 0)
	peak := s.Neighbours.peak(p, now)
	v.Swell = max(peak-s.Neighbours.Level, 0)
	if !d.expired(now) {
		v.Estimate = s.estimate(p, now)
		v.Headroom = min(v.Headroom, max(d.Limit-v.Floor-v.Estimate-s.spare(d, now), 0), max(d.Limit-peak-v.Own24h, 0))
	}
	if v.Velocity > 0 {
		v.TimeToFloor = time.Duration(min(v.Headroom, lastInstant/int64(time.Hour)) * int64(time.Hour) / v.Velocity)
	}
	if lack, short := s.short(p, now, 1, false); short {
		v.CapacityAt, v.CapacitySure = moment(lack.until), lack.sure
		return
	}
	if at, sure := s.ownReturns(now, 1, 0); sure {
		v.CapacityAt, v.CapacitySure = moment(at), true
	}
}

// Cleared says whether dead letters with this release condition may go by
// themselves now: because the org took a call again, never because time has
// passed.
func Cleared(p Policy, s State, k weir.ReleaseKind, now time.Time) bool {
	n := max(nanos(now), 1)
	s.tick(p, n)
	switch k {
	case weir.ReleaseByAuth:
		return s.Auth.OpenAt == 0
	case weir.ReleaseByAllocation:
		_, short := s.short(p, n, 1, false)
		return s.BlockedAt == 0 && s.Strikes == 0 && s.Gate.Until <= n && s.Auth.OpenAt == 0 && !short
	case weir.ReleaseByPerson:
		return false
	}
	return false
}
