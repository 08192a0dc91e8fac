package judge

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/governor"
)

var (
	scenarios = flag.String("scenarios", strings.Join(Names(), ","), "scenarios to run")
	first     = flag.Uint64("first", 1, "first seed")
	seeds     = flag.Uint64("seeds", 5, "how many seeds")
	verbose   = flag.Bool("each", false, "print each run")
	learn     = flag.Bool("learn", false, "take every refusal for a rate, as with budget.learn_rate: always")
	traced    = flag.Bool("trace", false, "print each event of the first seed")
	within    = Flags(flag.CommandLine)
)

// asked is what the flags say is to be run. The ranges are read here and nowhere
// else, so that every test that has parameters has the same.
func asked(t *testing.T) (names []string, in Ranges) {
	t.Helper()
	in, err := within()
	if err != nil {
		t.Fatal(err)
	}
	names = strings.Split(*scenarios, ",")
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			t.Fatalf("-scenarios: there is no scenario %q; there are %s", name, strings.Join(Names(), ","))
		}
	}
	if *seeds == 0 {
		t.Fatal("-seeds 0: nothing is to be run")
	}
	return names, in
}

// TestWeir prints how the real governor does. It fails where a call was sent
// that was known to be one too many and, without a flag, where no sound law would
// be; otherwise what anybody chooses to run is theirs to judge.
func TestWeir(t *testing.T) {
	names, in := asked(t)
	for _, name := range names {
		var all []Result
		began := time.Now()
		for seed := *first; seed < *first+*seeds; seed++ {
			sc := Draw(name, seed, in)
			r := Weir(sc, *learn)
			all = append(all, r)
			if *verbose {
				t.Logf("%-9s %3d %.3f %5.2f%% calls %d %s fin=%v opt %v starved %d crossed %d asked %d unseen %d peak %.2f used %.2f", name, seed, r.Ratio(), 100*r.Rejected(), r.Count.Calls, sc.Text, r.Finished, r.Optimum.Round(time.Second), r.Count.Starved, r.Count.Crossed, r.Count.Asked, r.Count.Unseen, r.peak(), r.used())
			}
			if *traced {
				debug(sc)
				return
			}
		}
		t.Log(summary(name, all), time.Since(began))
		faults := forbidden(all)
		if unflagged() {
			faults = append(faults, broken(name, all)...)
		}
		for _, f := range faults {
			t.Errorf("%s: %s", name, f)
		}
	}
}

// summary is one line over all runs. Work that even the optimum cannot do
// within the scenario's time has no ratio and is told apart.
func summary(name string, all []Result) string {
	var c Count
	done, harmed := 0, 0
	for _, r := range all {
		c.InWindow += r.Count.InWindow
		c.Starved += r.Count.Starved
		c.Crossed += r.Count.Crossed
		c.Asked += r.Count.Asked
		c.Unseen += r.Count.Unseen
		if r.Count.Starved > 0 {
			harmed++
		}
		if r.Optimum > 0 && r.Finished {
			done++
		}
	}
	could := able(all)
	if len(could) == 0 {
		return name + " cannot be done"
	}
	ratio := column(could, func(r Result) float64 {
		if !r.Finished {
			return math.Inf(1)
		}
		return r.Ratio()
	})
	rej := column(all, Result.Rejected)
	n, of := len(could), len(all)
	surge := ""
	if l := Tally(all); l.Peak > 0 {
		surge = fmt.Sprintf("  peak med %.2f worst %.2f  used med %.2f worst %.2f", l.Peak, l.PeakWorst, l.Used, l.UsedWorst)
	}
	return fmt.Sprintf("%-9s done %d of %d (%d cannot be)  ratio med %.3f p90 %.3f worst %.3f  rejected med %.2f%% p90 %.2f%% worst %.2f%%  inwindow %d starved %d in %d runs  crossed %d asked %d unseen %d",
		name, done, n, of-n, ratio[n/2], ratio[n*9/10], ratio[n-1], 100*rej[of/2], 100*rej[of*9/10], 100*rej[of-1], c.InWindow, c.Starved, harmed, c.Crossed, c.Asked, c.Unseen) + surge
}

func debug(sc *Scenario) {
	r := newRun(sc, *learn)
	n := 0
	r.trace = func(now time.Duration, s governor.State, what string) {
		n++
		if what != "" || n%50 == 0 {
			fmt.Printf("%9.3f %-6s pace %.2f low %.2f high %.2f sent %d hold %.1fs sure %.2f trial %.2f doubt %d gate +%.3f strikes %d todo %d tokens %.1f\n", now.Seconds(), what,
				float64(s.Rate.Pace)/1e6, float64(s.Rate.Low)/1e6, float64(s.Rate.High)/1e6, s.Rate.Sent, float64(s.Rate.Hold)/1e9, float64(s.Rate.Trial.Sure)/1e6, float64(s.Rate.Trial.Back)/1e6, s.Rate.Trial.Doubt,
				float64(s.Gate.Until-epoch.UnixNano()-int64(now))/1e9, s.Strikes, r.todo, r.w.tokens)
		}
	}
	r.loop()
}
