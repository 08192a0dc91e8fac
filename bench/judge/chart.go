package judge

import (
	"fmt"
	"math"
	"strings"
)

// Chart draws one panel per scenario: to the right more calls were refused,
// upwards more time was lost. The best place is the lower left corner.
func Chart(lines []Line) string {
	const width, height, columns = 330, 230, 2
	var names []string
	panels := map[string][]Line{}
	for _, l := range lines {
		if panels[l.Scenario] == nil {
			names = append(names, l.Scenario)
		}
		panels[l.Scenario] = append(panels[l.Scenario], l)
	}
	rows := (len(names) + columns - 1) / columns
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="10">`+"\n", width*columns, height*rows+20)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	for i, name := range names {
		panel(&b, (i%columns)*width, (i/columns)*height, name, panels[name])
	}
	fmt.Fprintf(&b, `<text x="8" y="%d">Medians over seeds. x: share of calls refused; y: makespan over the offline optimum; both logarithmic. Hollow: not all work was done.</text>`+"\n", height*rows+12)
	b.WriteString("</svg>\n")
	return b.String()
}

func panel(b *strings.Builder, x0, y0 int, name string, lines []Line) {
	const left, right, top, bottom = 40.0, 310.0, 28.0, 205.0
	at := func(l Line) (x, y float64) {
		x = left + (right-left)*(math.Log10(math.Max(l.Rejected, 0.0005))-math.Log10(0.0005))/(0-math.Log10(0.0005))
		y = bottom - (bottom-top)*math.Log(math.Min(math.Max(l.Ratio, 1), 5))/math.Log(5)
		return x, y
	}
	fmt.Fprintf(b, `<g transform="translate(%d,%d)"><text x="%.0f" y="16" font-weight="bold">%s</text>`+"\n", x0, y0, left, name)
	fmt.Fprintf(b, `<path d="M%.0f %.0fV%.0fH%.0f" fill="none" stroke="#888"/>`+"\n", left, top, bottom, right)
	for _, share := range []float64{0.001, 0.01, 0.1, 1} {
		x, _ := at(Line{Rejected: share, Ratio: 1})
		fmt.Fprintf(b, `<text x="%.1f" y="%.0f" text-anchor="middle" fill="#555">%g %%</text>`+"\n", x, bottom+13, 100*share)
	}
	for _, r := range []float64{1, 1.5, 2, 3, 5} {
		_, y := at(Line{Rejected: 1, Ratio: r})
		fmt.Fprintf(b, `<text x="%.0f" y="%.1f" text-anchor="end" fill="#555">%g</text>`+"\n", left-4, y+3, r)
	}
	for _, l := range lines {
		x, y := at(l)
		line, fill := "#8a8a8a", "#8a8a8a"
		if l.Policy == "weir" {
			line, fill = "#0a7d3b", "#0a7d3b"
		}
		if l.Done < l.Seeds {
			fill = "white"
		}
		anchor, dx := "start", 5.0
		if x > (left+right)/2 {
			anchor, dx = "end", -5
		}
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s" stroke="%s"/><text x="%.1f" y="%.1f" text-anchor="%s" fill="%s" font-size="8">%s</text>`+"\n",
			x, y, fill, line, x+dx, y+3, anchor, line, l.Policy)
	}
	b.WriteString("</g>\n")
}
