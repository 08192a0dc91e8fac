package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Line is one policy in one scenario, over all seeds. Times and surges are of the
// runs that did all the work: one that gave up early was not quick.
type Line struct {
	Scenario string `json:"scenario"`
	Policy   string `json:"policy"`
	Seeds    int    `json:"seeds"`
	Done     int    `json:"done"` // seeds in which all work was done

	Ratio         float64 `json:"ratio_median"` // makespan over the offline optimum; 0 = no run did all the work
	RatioWorst    float64 `json:"ratio_worst"`
	Rejected      float64 `json:"rejected_median"` // share of all calls that the org saw
	RejectedWorst float64 `json:"rejected_worst"`
	Retries       float64 `json:"retries_median"` // share of all calls that were sent again
	RetriesWorst  float64 `json:"retries_worst"`
	InWindow      float64 `json:"in_window_mean"`        // calls inside a Retry-After that had been announced, per run
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
	done := slices.DeleteFunc(able(runs), func(r Result) bool { return !r.Finished })
	l.Ratio, l.RatioWorst = middleAndLast(column(done, Result.Ratio))
	l.Rejected, l.RejectedWorst = middleAndLast(column(runs, Result.Rejected))
	l.Retries, l.RetriesWorst = middleAndLast(column(runs, Result.Retries))
	if runs[0].Count.Surge.Allowed > 0 && len(done) > 0 {
		l.Peak, l.PeakWorst = middleAndLast(column(done, Result.peak))
		used := column(done, Result.used)
		l.Used, l.UsedWorst = used[len(used)/2], used[0]
	}
	l.P50, _ = middleAndLast(column(done, func(r Result) float64 { return r.P50.Seconds() }))
	l.P99, _ = middleAndLast(column(done, func(r Result) float64 { return r.P99.Seconds() }))
	return l
}

// middleAndLast are the median and the worst of what is sorted, 0 of nothing.
func middleAndLast(sorted []float64) (median, worst float64) {
	if len(sorted) == 0 {
		return 0, 0
	}
	return sorted[len(sorted)/2], sorted[len(sorted)-1]
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
	b.WriteString("| scenario | policy | makespan ÷ optimum, median (worst) | rejected, median (worst) | retries, median (worst) | calls in an announced Retry-After | p50 / p99 s | done |\n|---|---|---|---|---|---|---|---|\n")
	for _, l := range lines {
		ratio, took := "none", "none"
		retries := fmt.Sprintf("%.2f %% (%.2f %%)", 100*l.Retries, 100*l.RetriesWorst)
		if l.Ratio > 0 {
			ratio, took = fmt.Sprintf("%.3f (%.2f)", l.Ratio, l.RatioWorst), fmt.Sprintf("%.2f / %.2f", l.P50, l.P99)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.2f %% (%.2f %%) | %s | %.0f | %s | %d/%d |\n", l.Scenario, l.Policy,
			ratio, 100*l.Rejected, 100*l.RejectedWorst, retries, l.InWindow, took, l.Done, l.Seeds)
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
