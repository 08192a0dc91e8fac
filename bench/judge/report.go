package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Line is one policy in one scenario, over all seeds.
type Line struct {
	Scenario string `json:"scenario"`
	Policy   string `json:"policy"`
	Seeds    int    `json:"seeds"`
	Done     int    `json:"done"` // seeds in which all work was done

	Ratio         float64 `json:"ratio_median"` // makespan over the offline optimum
	RatioWorst    float64 `json:"ratio_worst"`
	Rejected      float64 `json:"rejected_median"` // share of all calls that the org saw
	RejectedWorst float64 `json:"rejected_worst"`
	InWindow      float64 `json:"in_window_mean"`        // calls inside an open Retry-After, per run
	Peak          float64 `json:"peak_median,omitempty"` // after a shutdown: fullest 100 ms over the mean of 10 s
	PeakWorst     float64 `json:"peak_worst,omitempty"`
	Used          float64 `json:"used_median,omitempty"` // and the share of what was allowed that was used
	UsedWorst     float64 `json:"used_worst,omitempty"`
	Starved       int     `json:"starved,omitempty"`      // with neighbours: their calls that were refused because of ours, of all runs
	StarvedRuns   int     `json:"starved_runs,omitempty"` // in so many of them
	Below         int     `json:"below_floor,omitempty"`  // our calls that the org took at its floor or below, of all runs
	P50           float64 `json:"p50_seconds"`            // medians over seeds
	P99           float64 `json:"p99_seconds"`
}

// Tally sums up the runs of one policy in one scenario.
func Tally(runs []Result) Line {
	l := Line{Scenario: runs[0].Scenario, Policy: runs[0].Policy, Seeds: len(runs)}
	for _, r := range runs {
		if r.Finished {
			l.Done++
		}
		if l.Starved += r.Count.Starved; r.Count.Starved > 0 {
			l.StarvedRuns++
		}
		l.Below += r.Count.Crossed + r.Count.Asked + r.Count.Unseen
		l.InWindow += float64(r.Count.InWindow) / float64(len(runs))
	}
	rejected := column(runs, Result.Rejected)
	if ratio := column(able(runs), Result.Ratio); len(ratio) > 0 {
		l.Ratio, l.RatioWorst = ratio[len(ratio)/2], ratio[len(ratio)-1]
	}
	l.Rejected, l.RejectedWorst = rejected[len(runs)/2], rejected[len(runs)-1]
	if runs[0].Count.Surge.Allowed > 0 {
		peak, used := column(runs, Result.peak), column(runs, Result.used)
		l.Peak, l.PeakWorst, l.Used, l.UsedWorst = peak[len(peak)/2], peak[len(peak)-1], used[len(used)/2], used[0]
	}
	l.P50 = column(runs, func(r Result) float64 { return r.P50.Seconds() })[len(runs)/2]
	l.P99 = column(runs, func(r Result) float64 { return r.P99.Seconds() })[len(runs)/2]
	return l
}

// able leaves out runs whose work even the optimum cannot do in the time that
// the scenario has: they have no ratio, and JSON has no infinity.
func able(runs []Result) []Result {
	var out []Result
	for _, r := range runs {
		if r.Optimum > 0 {
			out = append(out, r)
		}
	}
	return out
}

func column(all []Result, f func(Result) float64) []float64 {
	var out []float64
	for _, r := range all {
		out = append(out, f(r))
	}
	slices.Sort(out)
	return out
}

func (r Result) peak() float64 { return r.Count.Surge.Peak() }
func (r Result) used() float64 { return r.Count.Surge.Share() }

// Table prints lines for people, as Markdown.
func Table(lines []Line) string {
	var b strings.Builder
	b.WriteString("| scenario | policy | makespan ÷ optimum, median (worst) | rejected, median (worst) | calls in an open Retry-After | p50 / p99 s | done |\n|---|---|---|---|---|---|---|\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %s | %.3f (%.2f) | %.2f %% (%.2f %%) | %.0f | %.2f / %.2f | %d/%d |\n", l.Scenario, l.Policy,
			l.Ratio, l.RatioWorst, 100*l.Rejected, 100*l.RejectedWorst, l.InWindow, l.P50, l.P99, l.Done, l.Seeds)
	}
	return b.String() + surges(lines) + harms(lines)
}

// harms is the table of those scenarios in which others use the org as well.
func harms(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		if l.Scenario == "daily" {
			fmt.Fprintf(&b, "| %s | %s | %d in %d | %d |\n", l.Scenario, l.Policy, l.Starved, l.StarvedRuns, l.Below)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n| scenario | policy | calls of neighbours starved, in runs | calls below the floor |\n|---|---|---|---|\n" + b.String()
}

// surges is the table of those scenarios in which an org was shut for a while.
func surges(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		if l.Peak > 0 {
			fmt.Fprintf(&b, "| %s | %s | %.2f (%.2f) | %.2f (%.2f) |\n", l.Scenario, l.Policy, l.Peak, l.PeakWorst, l.Used, l.UsedWorst)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n| scenario | policy | fullest 100 ms ÷ mean, median (worst) | used of what was allowed, median (worst) |\n|---|---|---|---|\n" + b.String()
}

// Report is what docs/bench/peers.json holds.
type Report struct {
	Made   time.Time `json:"made"`
	First  uint64    `json:"first_seed"`
	Seeds  uint64    `json:"seeds"`
	Peers  []string  `json:"peers"`
	Lines  []Line    `json:"lines"`
	Ranges Ranges    `json:"ranges"`
}
