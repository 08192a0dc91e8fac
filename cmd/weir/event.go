package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

func clock(t time.Time) string { return t.UTC().Format("15:04:05") }

// eventsText shows entries of the ledger as people follow them: what ended in
// a row with the same result is one line.
func eventsText(p *page, entries []weir.Entry) {
	for i := 0; i < len(entries); {
		n := 1
		for i+n < len(entries) && sameEnd(entries[i], entries[i+n]) {
			n++
		}
		if n == 1 {
			eventText(p, entries[i])
		} else {
			endedText(p, entries[i:i+n])
		}
		i += n
	}
}

func sameEnd(a, b weir.Entry) bool {
	return a.Act == "step.done" && b.Act == a.Act && a.Detail["kind"] == b.Detail["kind"] && a.Detail["outcome"] == b.Detail["outcome"]
}

// endedText counts steps that ended alike, by object.
func endedText(p *page, entries []weir.Entry) {
	count := map[string]int{}
	for _, e := range entries {
		count[e.Detail["object"]]++
	}
	var parts []string
	for _, object := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d %s", count[object], object))
	}
	last := entries[len(entries)-1]
	p.linef("%s  %s %s", p.paint(dim, clock(last.At)), symbol(p, last.Act),
		fmt.Sprintf("%-18s %s %s: %s", last.Act, last.Detail["kind"], last.Detail["outcome"], strings.Join(parts, ", ")))
}

// eventText shows one entry: time, act, step, details.
func eventText(p *page, e weir.Entry) {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(e.Detail)) {
		parts = append(parts, k+"="+few(e.Detail[k]))
	}
	if e.By != "weir" {
		parts = append(parts, "by "+e.By)
	}
	if e.Step != "" {
		parts = append([]string{string(e.Step)}, parts...)
	}
	p.linef("%s  %s %-18s %s", p.paint(dim, clock(e.At)), symbol(p, e.Act), e.Act, strings.Join(parts, " "))
}

// few cuts the list of what one entry names, which may be two hundred.
func few(v string) string {
	words := strings.Split(v, " ")
	if len(words) <= 4 || !strings.HasPrefix(v, "S-") && !strings.HasPrefix(v, "DL-") {
		return v
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:3], " "), len(words)-3)
}

// symbol marks what an act means for the request.
func symbol(p *page, act string) string {
	switch act {
	case "step.wait":
		return p.paint(yellow, "⏸")
	case "step.done", "request.sealed", "request.proved", "request.close":
		return p.paint(green, "✔")
	case "step.conflict", "step.restart", "step.reauth", "step.apart", "step.adopted":
		return "↻"
	case "step.dead", "request.drift":
		return p.paint(red, "✘")
	}
	return "·"
}
