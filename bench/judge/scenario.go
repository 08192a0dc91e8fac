package judge

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Scenario is one org and the work to be done in it. Everything that is drawn
// is drawn by Draw from Ranges.
type Scenario struct {
	Name    string
	Seed    uint64
	Text    string // its parameters, for people
	Calls   int    // that must succeed
	Workers int

	Rate       func(at time.Duration) (perSecond float64, until time.Duration) // nil = no rate limit
	Burst      float64
	RetryAfter bool

	Shut      span // everything is refused meanwhile, and the bucket is empty at its end
	Processes int  // that share the workers and know nothing of each other; 0 = 1

	Cap     int                        // calls open at once
	LongCap int                        // calls open that are 20 s old or older
	Others  func(at time.Duration) int // of them, other integrations'; nil = none

	Chance float64       // share of calls that is refused whatever the pace
	Every  time.Duration // work comes in one call at a time, this far apart; 0 = all at once

	Neighbours *Neighbours // with a daily allocation; nil = no daily limit

	Trip       time.Duration // of an accepted call, usually
	Latency    func(call int) time.Duration
	RejectTook time.Duration
}

// Names lists the scenarios that Draw knows.
func Names() []string {
	return []string{"fixed", "fixed+ra", "steps", "steps+ra", "bursty", "cap", "cap20s", "cap20s+others", "herd", "chance", "chance+rate", "chance+idle", "daily"}
}

const forever = time.Duration(math.MaxInt64)

// Draw makes a scenario from a seed. Rates, bursts and times are drawn evenly
// on a logarithmic scale, because they span orders of magnitude.
func Draw(name string, seed uint64, in Ranges) *Scenario {
	rng := rand.New(rand.NewPCG(seed, hash(name)))
	rate := logDraw(rng, in.Rate)
	burst := math.Round(logDraw(rng, in.Burst))
	trip := time.Duration(logDraw(rng, [2]float64{float64(in.Trip[0]), float64(in.Trip[1])}))
	sc := &Scenario{Name: name, Seed: seed, Workers: in.Workers, Burst: burst, Trip: trip, RejectTook: max(trip/5, 5*time.Millisecond)}
	sc.Latency = jittered(rng.Uint64(), trip, 0.2)
	sc.Text = fmt.Sprintf("rate %.1f burst %.0f trip %v", rate, burst, trip.Round(time.Millisecond))
	calls := func(perSecond float64) { sc.Calls = in.calls(perSecond) }
	switch name {
	case "fixed", "fixed+ra":
		sc.Rate = constant(rate)
		sc.RetryAfter = name == "fixed+ra"
		calls(rate)
	case "steps", "steps+ra":
		sc.RetryAfter = name == "steps+ra"
		calls(rate)
		down, up := 0.15+0.35*rng.Float64(), 1+rng.Float64()
		// Two fifths of the work at the first rate, a fifth at the low one.
		first := time.Duration(0.4 * float64(sc.Calls) / rate * float64(time.Second))
		second := time.Duration(0.2 * float64(sc.Calls) / (rate * down) * float64(time.Second))
		sc.Rate = steps([]float64{rate, rate * down, rate * up}, []time.Duration{first, first + second, forever})
		sc.Text += fmt.Sprintf(" down %.2f up %.2f", down, up)
	case "bursty":
		on, off := logDraw(rng, in.OnOff), logDraw(rng, in.OnOff)
		sc.Rate = onOff(rate, rate/10, on, off)
		calls((rate*on + rate/10*off) / (on + off))
		sc.Calls = max(sc.Calls, min(int(4*(rate*on+rate/10*off)), 30_000))
		sc.Text += fmt.Sprintf(" on %.1fs off %.1fs", on, off)
	case "herd":
		drawHerd(sc, rng, in, burst, trip)
	case "cap":
		sc.Workers, sc.Cap = 16, in.Cap[0]+rng.IntN(in.Cap[1]-in.Cap[0]+1)
		calls(float64(sc.Cap) / trip.Seconds())
		sc.Text = fmt.Sprintf("cap %d trip %v", sc.Cap, trip.Round(time.Millisecond))
	case "cap20s", "cap20s+others":
		drawLong(sc, rng, trip)
	case "chance", "chance+rate", "chance+idle":
		sc.Chance = logDraw(rng, in.Chance)
		sc.Text = fmt.Sprintf("%.1f%% refused by chance, trip %v", 100*sc.Chance, trip.Round(time.Millisecond))
		calls(rate)
		if name == "chance+rate" {
			sc.Rate = constant(rate)
			sc.Text += fmt.Sprintf(" rate %.1f burst %.0f", rate, burst)
		}
		if name == "chance+idle" {
			sc.Calls, sc.Every = 2000, time.Duration(float64(time.Second)*logDraw(rng, [2]float64{0.1, 10}))
			sc.Text += fmt.Sprintf(" one call in %v", sc.Every.Round(time.Millisecond))
		}
	case "daily":
		drawDaily(sc, rng, in)
	default:
		panic("judge: no scenario " + name)
	}
	if in.Calls > 0 {
		sc.Calls = in.Calls
	}
	return sc
}

// drawLong makes an org that counts calls of 20 s and longer, of which other
// integrations hold up to all but one in cap20s+others.
func drawLong(sc *Scenario, rng *rand.Rand, trip time.Duration) {
	sc.Workers, sc.Calls, sc.LongCap = 16, 2000, 5
	share := 0.02 + 0.1*rng.Float64()
	sc.Latency = someLong(rng.Uint64(), trip, share)
	sc.Text = fmt.Sprintf("long cap %d, %.0f%% of calls 20-60 s, trip %v", sc.LongCap, share*100, trip.Round(time.Millisecond))
	if sc.Name == "cap20s+others" {
		each := time.Duration(logDraw(rng, [2]float64{float64(time.Minute), float64(10 * time.Minute)}))
		sc.Others = levels(rng.Uint64(), each, sc.LongCap)
		sc.Text += fmt.Sprintf(", of others up to %d, changing each %v", sc.LongCap-1, each.Round(time.Second))
	}
}

// drawHerd makes an org that is shut for a while, before 64 workers of four
// processes that have worked for some minutes. Slower than 20/s a tenth of a
// second holds one call or none, and says nothing.
func drawHerd(sc *Scenario, rng *rand.Rand, in Ranges, burst float64, trip time.Duration) {
	rate := logDraw(rng, [2]float64{max(in.Rate[0], 20), max(in.Rate[1], 20)})
	sc.Rate, sc.RetryAfter, sc.Workers, sc.Processes = constant(rate), true, 64, 4
	from := time.Minute + time.Duration(rng.Int64N(int64(4*time.Minute)))
	sc.Shut = span{from, from + time.Duration(2+rng.IntN(19))*time.Second}
	sc.Calls = int(rate * (from + 20*time.Second).Seconds())
	sc.Text = fmt.Sprintf("rate %.1f burst %.0f trip %v, shut after %v for %v", rate, burst, trip.Round(time.Millisecond),
		from.Round(time.Second), sc.Shut.to-sc.Shut.from)
}

func logDraw(rng *rand.Rand, r [2]float64) float64 {
	return r[0] * math.Pow(r[1]/r[0], rng.Float64())
}

func constant(rate float64) func(time.Duration) (float64, time.Duration) {
	return func(time.Duration) (float64, time.Duration) { return rate, forever }
}

func steps(rates []float64, until []time.Duration) func(time.Duration) (float64, time.Duration) {
	return func(at time.Duration) (float64, time.Duration) {
		i := 0
		for at >= until[i] {
			i++
		}
		return rates[i], until[i]
	}
}

func onOff(high, low, on, off float64) func(time.Duration) (float64, time.Duration) {
	a, b := time.Duration(on*float64(time.Second)), time.Duration(off*float64(time.Second))
	return func(at time.Duration) (float64, time.Duration) {
		start := at / (a + b) * (a + b)
		if at-start < a {
			return high, start + a
		}
		return low, start + a + b
	}
}

// jittered gives each call a round trip around the usual one.
func jittered(seed uint64, trip time.Duration, by float64) func(int) time.Duration {
	return func(call int) time.Duration {
		return time.Duration(float64(trip) * (1 + by*(2*unit(seed, call)-1)))
	}
}

// someLong makes a share of the calls last for 20 to 60 s.
func someLong(seed uint64, trip time.Duration, share float64) func(int) time.Duration {
	short := jittered(seed+1, trip, 0.2)
	return func(call int) time.Duration {
		if u := unit(seed, call); u < share {
			return 20*time.Second + time.Duration(u/share*40*float64(time.Second))
		}
		return short(call)
	}
}

// levels is how many there are of something, below a bound, drawn anew each time.
func levels(seed uint64, each time.Duration, bound int) func(time.Duration) int {
	return func(at time.Duration) int { return int(unit(seed, int(at/each)) * float64(bound)) }
}

// unit is a number in [0, 1) that depends on seed and call only.
func unit(seed uint64, call int) float64 {
	x := seed + uint64(call)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}

func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(s) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}
