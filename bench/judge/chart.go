package judge

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// titles are the scenarios in words, in the order in which they are shown.
var titles = []struct{ name, text string }{ //nolint:gochecknoglobals // Go has no constant lists
	{"fixed", "A hidden rate"},
	{"fixed+ra", "The same, with Retry-After"},
	{"steps", "A rate that falls and rises"},
	{"steps+ra", "The same, with Retry-After"},
	{"bursty", "A rate that goes on and off"},
	{"herd", "64 workers, an org that was shut"},
	{"cap", "A cap on calls at once"},
	{"cap20s", "A cap on calls of 20 s and longer"},
	{"cap20s+others", "The same, of which others hold some"},
	{"daily", "A daily allocation shared with others"},
	{"chance", "Refusals by chance"},
	{"chance+rate", "Refusals by chance and a hidden rate"},
	{"chance+idle", "Refusals by chance, work one by one"},
}

const (
	panelWidth, panelHead = 440, 30
	rowHeight             = 15
	axisLeft, axisRight   = 104.0, 330.0
)

// Chart draws a panel for each scenario with a row for each policy: how much was
// refused, and beside it how long the work took. Of the daily allocation it is how
// many calls of the neighbours were refused because of ours, in all runs together.
func Chart(lines []Line) string {
	const columns = 2
	var b strings.Builder
	y, tallest, n := 0, 0, 0
	for _, t := range titles {
		own := slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return l.Scenario != t.name })
		if len(own) == 0 {
			continue
		}
		if n%columns == 0 {
			y, tallest = y+tallest, 0
		}
		panel(&b, (n%columns)*panelWidth, y, t.text, own)
		tallest = max(tallest, panelHead+rowHeight*len(own)+36)
		n++
	}
	y += tallest
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="10">`+"\n"+
		`<rect width="100%%" height="100%%" fill="white"/>`+"\n", panelWidth*columns, y+34)
	return head + b.String() + fmt.Sprintf(`<g fill="#555"><text x="8" y="%d">Dot: share of all calls that the org refused, median over seeds, logarithmic; hollow where not all work was done. +: with the best settings that its documentation names.</text>`+
		`<text x="8" y="%d">Number: time for the work ÷ the optimum of somebody who knows the org's limits beforehand, median; with it in how many runs all was done, if not in each.</text></g>`+"\n</svg>\n", y+12, y+26)
}

// took is the time for the work; what most runs did not finish has none.
func (l Line) took() string {
	switch {
	case 2*l.Done < l.Seeds:
		return fmt.Sprintf("%d of %d done", l.Done, l.Seeds)
	case l.Done < l.Seeds:
		return fmt.Sprintf("%.3f, %d of %d", l.Ratio, l.Done, l.Seeds)
	}
	return fmt.Sprintf("%.3f", l.Ratio)
}

type tick struct {
	value float64
	text  string
}

func panel(b *strings.Builder, x0, y0 int, title string, lines []Line) {
	value, from, to := func(l Line) float64 { return l.Rejected }, 0.0005, 1.0
	ticks := []tick{{0.001, "0.1 %"}, {0.01, "1 %"}, {0.1, "10 %"}, {1, "100 %"}}
	if lines[0].Scenario == "daily" {
		value, from, to = func(l Line) float64 { return float64(l.Starved) }, 1, 1_000_000
		ticks = []tick{{1, "none"}, {1000, "1,000"}, {1_000_000, "1,000,000 calls starved"}}
	}
	at := func(v float64) float64 {
		return axisLeft + (axisRight-axisLeft)*math.Log(min(max(v, from), to)/from)/math.Log(to/from)
	}
	bottom := float64(panelHead + rowHeight*len(lines))
	fmt.Fprintf(b, `<g transform="translate(%d,%d)"><text x="%.0f" y="18" font-weight="bold" font-size="11">%s</text>`+"\n", x0, y0, axisLeft, title)
	for _, k := range ticks {
		fmt.Fprintf(b, `<path d="M%.1f %dV%.0f" stroke="#ddd"/><text x="%.1f" y="%.0f" text-anchor="middle" fill="#555">%s</text>`+"\n",
			at(k.value), panelHead-4, bottom, at(k.value), bottom+12, k.text)
	}
	for i, l := range lines {
		y, ink := float64(panelHead+rowHeight*i)+6, "#777"
		if l.Policy == "weir" || l.Policy == always {
			ink = "#0a7d3b"
		}
		fill := ink
		if l.Done < l.Seeds {
			fill = "white"
		}
		fmt.Fprintf(b, `<text x="%.0f" y="%.1f" text-anchor="end" fill="%s">%s</text><circle cx="%.1f" cy="%.1f" r="4" fill="%s" stroke="%s"/><text x="%.0f" y="%.1f" fill="%s">%s</text>`+"\n",
			axisLeft-10, y+3.5, ink, l.Policy, at(value(l)), y, fill, ink, axisRight+14, y+3.5, ink, l.took())
	}
	b.WriteString("</g>\n")
}
