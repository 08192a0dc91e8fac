package judge

import (
	"cmp"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Ranges are what Draw draws the parameters from: the least and the most.
type Ranges struct {
	Rate       [2]float64       // calls per second
	Burst      [2]float64       // calls
	OnOff      [2]float64       // seconds
	Trip       [2]time.Duration // round trip
	Cap        [2]int           // calls at once
	Chance     [2]float64       // share of calls refused whatever the pace
	Neighbours [2]float64       // share of the daily limit that others use
	Limit      int64            // calls a day
	Workers    int              // but cap and cap20s have 16, and herd 64
	Calls      int              // 0 = 2,000, or as many as the rate gives in 100 s
}

// Stated are the ranges of issue 4, and where it states none, ours.
func Stated() Ranges {
	return Ranges{
		Rate: [2]float64{1, 200}, Burst: [2]float64{1, 500}, OnOff: [2]float64{1, 300},
		Trip: [2]time.Duration{20 * time.Millisecond, 2 * time.Second},
		Cap:  [2]int{2, 13}, Chance: [2]float64{0.005, 0.2},
		Neighbours: [2]float64{0, 0.9}, Limit: 40_000, Workers: 8,
	}
}

// calls is how many there are to be done where a rate gives so many a second.
func (r *Ranges) calls(perSecond float64) int {
	if r.Calls > 0 {
		return r.Calls
	}
	return max(2000, int(100*perSecond))
}

// knob is the flag of one range. What it takes is bounded by what the judge can
// play: a bucket of less than one call never takes any, and a run must end.
type knob struct {
	name, stated, help string
	set                func(text string) error
}

func (r *Ranges) knobs() []knob {
	return []knob{
		{"rate", pair(r.Rate), "calls per second, least,most; herd takes at least 20", between(&r.Rate, decimal, 0.01, 10_000)},
		{"burst", pair(r.Burst), "calls that a full bucket holds, least,most", between(&r.Burst, decimal, 1, 1_000_000)},
		{"onoff", pair(r.OnOff), "seconds that a bursty rate is on, and off, least,most", between(&r.OnOff, decimal, 0.1, 86_400)},
		{"trip", pair(r.Trip), "round trip, least,most", between(&r.Trip, time.ParseDuration, time.Millisecond, time.Hour)},
		{"cap", pair(r.Cap), "calls that an org with a cap has open at once, least,most", between(&r.Cap, strconv.Atoi, 1, 1000)},
		{"chance", pair(r.Chance), "share of calls that is refused by chance, least,most", between(&r.Chance, decimal, 0.0001, 0.7)},
		{"neighbours", pair(r.Neighbours), "share of the daily limit that others use, least,most", between(&r.Neighbours, decimal, 0, 1)},
		{"limit", strconv.FormatInt(r.Limit, 10), "calls a day", single(&r.Limit, 3000, 1_000_000_000)},
		{"workers", strconv.Itoa(r.Workers), "workers; cap and cap20s have 16, herd has 64", single(&r.Workers, 1, 1000)},
		{"calls", strconv.Itoa(r.Calls), "calls to be done; 0 = 2,000, or as many as the rate gives in 100 s", single(&r.Calls, 0, 1_000_000)},
	}
}

// Flags declares a flag for each range. What it returns reads them after they
// were parsed, and says which one is wrong and what it may be.
func Flags(set *flag.FlagSet) func() (Ranges, error) {
	said := map[string]*string{}
	stated := Stated()
	for _, k := range stated.knobs() {
		said[k.name] = set.String(k.name, k.stated, k.help)
	}
	return func() (Ranges, error) {
		in := Stated()
		for _, k := range in.knobs() {
			if err := k.set(*said[k.name]); err != nil {
				return Ranges{}, fmt.Errorf("-%s %q: %w", k.name, *said[k.name], err)
			}
		}
		return in, nil
	}
}

// between reads "least,most"; one value alone is both. It is asked whether the
// values are right, not whether they are wrong, because NaN is neither.
func between[T cmp.Ordered](into *[2]T, parse func(string) (T, error), least, most T) func(string) error {
	return func(text string) error {
		low, high, two := strings.Cut(text, ",")
		if !two {
			high = low
		}
		from, errFrom := parse(low)
		to, errTo := parse(high)
		right := least <= from && from <= to && to <= most
		if errFrom != nil || errTo != nil || !right {
			return fmt.Errorf("want least,most, or one value for both, from %v to %v", least, most)
		}
		*into = [2]T{from, to}
		return nil
	}
}

func single[T int | int64](into *T, least, most T) func(string) error {
	return func(text string) error {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < int64(least) || n > int64(most) {
			return fmt.Errorf("want a whole number from %d to %d", least, most)
		}
		*into = T(n)
		return nil
	}
}

func decimal(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

func pair[T any](r [2]T) string { return fmt.Sprintf("%v,%v", r[0], r[1]) }
