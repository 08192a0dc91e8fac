package emulator

import (
	"maps"
	"time"
)

// Profile is how an org misbehaves.
type Profile struct {
	// Name is what [Scenario] finds it by.
	Name string
	// Rate is the share of API calls that something goes wrong with.
	Rate float64
	// Weights share out Rate among the kinds of fault that a call can have.
	Weights map[Fault]int
	// Script is set when the org is made.
	Script FaultScript
	// Neighbours are other integrations, which eat the same quota.
	Neighbours []Neighbour
	// SlowFor is how long a slow call takes; zero means LongAfter + 5 s.
	SlowFor time.Duration
	// GateFor is how long a burst refusal lasts; zero means 2 to 9 s by chance.
	GateFor time.Duration
	// LateFor is when the effect of a late-effect fault lands; zero means 30 s.
	LateFor time.Duration
}

// Neighbour is another integration of the same org.
type Neighbour struct {
	// After is when it makes its first calls, counted from the org's start.
	After time.Duration
	// Every repeats it; zero means once.
	Every time.Duration
	// Calls is how many calls it makes each time.
	Calls int
	// Share adds a share of the daily allocation to Calls.
	Share float64
}

// Calm is an org where nothing goes wrong by itself.
func Calm() Profile { return Profile{Name: "calm"} }

// Rude is the default: something goes wrong with one call in twenty. There is
// no daily refusal by chance: a real one comes when the allocation is gone.
func Rude() Profile {
	return Profile{Name: "rude", Rate: 0.05, Weights: map[Fault]int{
		FaultBurstSeconds: 6, FaultBurstDate: 4, FaultBurstBare: 4, FaultConcurrent: 6,
		FaultAuth: 5, FaultLostAck: 8, FaultLostRequest: 6, FaultHTML: 3, FaultRowLock: 8,
		FaultChanged: 8, FaultPlatform: 6, FaultSlow: 1, FaultTruncated: 4,
	}}
}

// Storm is rude, and makes sure that each kind of fault happens early: the
// script hits the first calls of a run, whatever the seed.
func Storm() Profile {
	p := Rude()
	p.Name = "storm"
	writes := Match{Writes: true}
	p.Script = FaultScript{
		{Kind: FaultChanged, At: 1},
		{Kind: FaultLostAck, At: 2, Match: writes},
		{Kind: FaultRowLock, At: 4, Match: writes},
		{Kind: FaultLostAck, At: 6, Match: writes},
		{Kind: FaultBurstSeconds, At: 4},
		{Kind: FaultConcurrent, At: 7},
		{Kind: FaultBurstDate, At: 10},
		{Kind: FaultAuth, At: 13},
		{Kind: FaultBurstBare, At: 16},
		{Kind: FaultHTML, At: 19},
		{Kind: FaultPlatform, At: 22},
		{Kind: FaultDaily, At: 25, For: 10 * time.Minute},
		{Kind: FaultTruncated, At: 28},
		{Kind: FaultLostRequest, At: 31},
		{Kind: FaultSlow, At: 34},
	}
	p.Neighbours = []Neighbour{
		{After: 2 * time.Minute, Every: 30 * time.Minute, Share: 0.01},
		{After: 20 * time.Minute, Share: 0.25},
	}
	return p
}

// QuotaCliff is an org whose neighbours use up nearly the whole allocation
// within minutes, and some of it again each hour.
func QuotaCliff() Profile {
	return Profile{Name: "quota-cliff", Neighbours: []Neighbour{
		{After: time.Minute, Share: 0.55},
		{After: 5 * time.Minute, Share: 0.40},
		{After: time.Hour, Every: time.Hour, Share: 0.01},
	}}
}

// AuthDrift is an org whose sessions die under the client.
func AuthDrift() Profile {
	return Profile{
		Name: "auth-drift", Rate: 0.15, Weights: map[Fault]int{FaultAuth: 1},
		Script: FaultScript{{Kind: FaultAuth, At: 2}, {Kind: FaultAuth, At: 3}},
	}
}

// ETagWar is an org where other people edit the very records that are about to
// be written.
func ETagWar() Profile {
	return Profile{
		Name: "etag-war", Rate: 0.4, Weights: map[Fault]int{FaultChanged: 1},
		Script: FaultScript{{Kind: FaultChanged, At: 1, Times: 2}},
	}
}

// Scenarios lists the presets by name.
func Scenarios() []string {
	return []string{"storm", "calm", "rude", "quota-cliff", "auth-drift", "etag-war"}
}

// Scenario finds a preset by its name.
func Scenario(name string) (Profile, bool) {
	for _, p := range []Profile{Storm(), Calm(), Rude(), QuotaCliff(), AuthDrift(), ETagWar()} {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}

// Without returns the profile without some kinds of fault.
func (p Profile) Without(kinds ...Fault) Profile {
	p.Weights = maps.Clone(p.Weights)
	drop := make(map[Fault]bool, len(kinds))
	for _, k := range kinds {
		delete(p.Weights, k)
		drop[k] = true
	}
	var kept FaultScript
	for _, s := range p.Script {
		if !drop[s.Kind] {
			kept = append(kept, s)
		}
	}
	p.Script = kept
	return p
}

// pick draws a kind by weight among those that the call can have.
func (p Profile) pick(c *call, dice uint64) Fault {
	total := 0
	for _, kind := range Faults() {
		if kind.can(c, false) {
			total += p.Weights[kind]
		}
	}
	if total == 0 {
		return ""
	}
	left := int(dice % uint64(total))
	for _, kind := range Faults() {
		if !kind.can(c, false) {
			continue
		}
		if left -= p.Weights[kind]; left < 0 {
			return kind
		}
	}
	return ""
}
