package judge

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The marks between which a page shows the table.
const (
	begins = "<!-- peers -->\n"
	ends   = "<!-- /peers -->\n"
)

// errNoMarks says that a page has no place for the table.
var errNoMarks = errors.New("the page has no <!-- peers --> and <!-- /peers --> marks")

// Into puts the summary between the marks of a page.
func (r Report) Into(page string) (string, error) {
	head, rest, opened := strings.Cut(page, begins)
	_, tail, closed := strings.Cut(rest, ends)
	if !opened || !closed {
		return "", errNoMarks
	}
	return head + begins + r.Summary() + ends + tail, nil
}

// shown are the policies of the summary: weir in two settings, and the peers
// that most people know, with their defaults. The page has all.
var shown = []struct{ policy, title string }{ //nolint:gochecknoglobals // Go has no constant lists
	{"weir", "weir"},
	{always, "weir, `learn_rate: always`"},
	{"aws-adaptive", "AWS SDK, adaptive mode"},
	{"failsafe", "failsafe-go"},
	{"retryablehttp", "go-retryablehttp"},
	{"jsforce", "jsforce"},
}

// Summary is the table of the README with what must be known to read it.
func (r Report) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Simulated orgs with hidden limits, %d seeds (%d-%d). In each cell: time for the work ÷ the optimum of somebody who knows\n"+
		"the limits beforehand, median (worst) of the runs that did all of it; share of the calls that the org refused, median (worst) of all\n"+
		"runs. Other clients have their default settings. **Bold** is the best of those that did all the work in the most runs.\n\n",
		r.Seeds, r.First, r.First+r.Seeds-1)
	b.WriteString("|")
	for _, s := range shown {
		b.WriteString(" | " + s.title)
	}
	b.WriteString(" |\n" + strings.Repeat("|---", len(shown)+1) + "|\n")
	for _, t := range titles {
		if cells, ran := r.row(t.name); ran {
			fmt.Fprintf(&b, "| %s | %s |\n", t.text, strings.Join(cells, " | "))
		}
	}
	return b.String() + "\n" + r.notes()
}

// row is a scenario's cells.
func (r Report) row(scenario string) (cells []string, ran bool) {
	lines := make([]Line, len(shown))
	for i, s := range shown {
		at := slices.IndexFunc(r.Lines, func(l Line) bool { return l.Scenario == scenario && l.Policy == s.policy })
		if at >= 0 {
			lines[i], ran = r.Lines[at], true
		}
	}
	first := best(lines)
	for _, l := range lines {
		cells = append(cells, l.cell(first))
	}
	return cells, ran
}

// best has the least of each figure, of those that did all the work in the most runs.
func best(lines []Line) Line {
	var first Line
	for _, l := range lines {
		switch {
		case l.Ratio == 0: // not run, or never done
		case l.Done > first.Done:
			first = l
		case l.Done == first.Done:
			first.Ratio, first.Rejected, first.Starved = min(first.Ratio, l.Ratio), min(first.Rejected, l.Rejected), min(first.Starved, l.Starved)
		}
	}
	return first
}

// cell is one policy in one scenario, bold where it looks the same as the best.
func (l Line) cell(first Line) string {
	if l.Seeds == 0 {
		return "not run"
	}
	bold := func(text, same string) string {
		if l.Done == first.Done && text == same {
			return "**" + text + "**"
		}
		return text
	}
	cell := "not done in any run"
	if l.Ratio > 0 {
		cell = fmt.Sprintf("%s (%s)", bold(factor(l.Ratio), factor(first.Ratio)), factor(l.RatioWorst))
	}
	cell += fmt.Sprintf("; %s (%s)", bold(percent(l.Rejected), percent(first.Rejected)), percent(l.RejectedWorst))
	if l.Scenario == "daily" {
		cell += fmt.Sprintf("; %s calls of others starved", bold(whole(float64(l.Starved)), whole(float64(first.Starved))))
	}
	if l.Ratio > 0 && l.Done < l.Seeds {
		cell += fmt.Sprintf("; %d of %d done", l.Done, l.Seeds)
	}
	return cell
}

// notes say what the comparison does not hold.
func (r Report) notes() string {
	first, second := r.rateBound("fixed"), r.rateBound("fixed+ra") // each scenario draws its own
	return fmt.Sprintf("What this is not: it plays single calls against an org on virtual time, so that signing in, describes and read-backs are not in it.\n"+
		"A client that gives a call up is asked again, until it has sent four calls for each that has to be done. Where an org was shut, weir is\n"+
		"one governor's state that four processes share, and of the other clients each process has a state of its own. Of the orgs with a hidden\n"+
		"rate, the rate and not the %d workers with their round trips is the limit in %d of %d, and with Retry-After in %d of %d. Where calls of\n"+
		"20 s are capped, the optimum is of somebody who keeps the order of the work, as all clients here do.\n",
		r.Ranges.Workers, first, r.Seeds, second, r.Seeds)
}

// rateBound counts the seeds whose rate is slower than the workers.
func (r Report) rateBound(scenario string) int {
	n := 0
	for seed := r.First; seed < r.First+r.Seeds; seed++ {
		sc := Draw(scenario, seed, r.Ranges)
		if rate, _ := sc.Rate(0); rate < float64(sc.Workers)/sc.Trip.Seconds() {
			n++
		}
	}
	return n
}

// Page is docs/bench/peers.md: everything that was measured.
func (r Report) Page() string {
	var b strings.Builder
	b.WriteString("# weir and its peers\n\nNobody types a figure of this page. It was made on " + r.Made.Format("2 January 2006") + " by\n\n```\n")
	fmt.Fprintf(&b, "make bench-peers FIRST=%d SEEDS=%d SCENARIOS=%s RANGES='", r.First, r.Seeds, strings.Join(r.scenarios(), ","))
	for i, k := range r.Ranges.knobs() {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString("-" + k.name + " " + k.stated)
	}
	b.WriteString("'\n```\n\nA policy that did not do all the work of a run within four calls for each that has to be done gave up. Times, and what came after\n" +
		"a shutdown, are of the runs that were done, all else is of all. Where all was done, what was refused and what was sent again is the\n" +
		"same. p50 and p99 are of a call from the moment a worker took it, medians over the seeds.\n\n")
	b.WriteString(r.notes() + "\n" + Table(r.Lines) + "\n## Settings\n\n")
	for _, text := range r.Peers {
		b.WriteString("* " + text + "\n")
	}
	return b.String()
}

// scenarios are those that were run, in their order.
func (r Report) scenarios() []string {
	var names []string
	for _, l := range r.Lines {
		if !slices.Contains(names, l.Scenario) {
			names = append(names, l.Scenario)
		}
	}
	return names
}

func factor(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.2f", v)
	}
	return whole(v)
}

func percent(v float64) string {
	if v < 0.1 {
		return fmt.Sprintf("%.2f %%", 100*v)
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}

// whole writes 12345 as 12,345.
func whole(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
