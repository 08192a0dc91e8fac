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
	InWindow      float64 `json:"in_window_mean"` // calls inside an open Retry-After, per run
	P50           float64 `json:"p50_seconds"`    // medians over seeds
	P99           float64 `json:"p99_seconds"`
}

// Tally sums up the runs of one policy in one scenario.
func Tally(runs []Result) Line {
	l := Line{Scenario: runs[0].Scenario, Policy: runs[0].Policy, Seeds: len(runs)}
	for _, r := range runs {
		if r.Finished {
			l.Done++
		}
		l.InWindow += float64(r.Count.InWindow) / float64(len(runs))
	}
	rejected := column(runs, Result.Rejected)
	if ratio := column(able(runs), Result.Ratio); len(ratio) > 0 {
		l.Ratio, l.RatioWorst = ratio[len(ratio)/2], ratio[len(ratio)-1]
	}
	l.Rejected, l.RejectedWorst = rejected[len(runs)/2], rejected[len(runs)-1]
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

// Table prints lines for people, as Markdown.
func Table(lines []Line) string {
	var b strings.Builder
	b.WriteString("| scenario | policy | makespan ÷ optimum, median (worst) | rejected, median (worst) | calls in an open Retry-After | p50 / p99 s | done |\n|---|---|---|---|---|---|---|\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %s | %.3f (%.2f) | %.2f %% (%.2f %%) | %.0f | %.2f / %.2f | %d/%d |\n", l.Scenario, l.Policy,
			l.Ratio, l.RatioWorst, 100*l.Rejected, 100*l.RejectedWorst, l.InWindow, l.P50, l.P99, l.Done, l.Seeds)
	}
	return b.String()
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
