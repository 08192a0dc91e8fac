package salesforce

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// limitsReadings turns the body of /limits into readings.
func limitsReadings(limits []Limit, at time.Time) []weir.Reading {
	var out []weir.Reading
	for _, l := range limits {
		r := weir.Reading{Kind: weir.ReadOther, Name: strings.ToLower(shown(l.Name)), App: shown(l.App), Limit: l.Max, Used: l.Max - l.Remaining, At: at, Source: sourceLimits}
		switch {
		case l.Name == "DailyApiRequests" && l.App == "":
			r.Kind = weir.ReadDaily
		case l.Name == "DailyApiRequests":
			r.Kind = weir.ReadApp
		}
		if l.Max < 0 || l.Max > maxCount || r.Used < 0 || r.Used > maxCount {
			r.Limit, r.Used, r.Clamped = min(max(r.Limit, 0), maxCount), min(max(r.Used, 0), maxCount), true
		}
		if r.Limit > 0 {
			out = append(out, r)
		}
	}
	return out
}

// Limit is one entry of the /limits resource.
type Limit struct {
	Name      string
	App       string // a connected app's own share of the limit
	Max       int64
	Remaining int64
}

// limitsOf recognises the body of /limits in a decoded object.
func limitsOf(body map[string]any) []Limit {
	var out []Limit
	for name, v := range body {
		entry, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		l, ok := limitEntry(name, "", entry)
		if !ok {
			return nil
		}
		out = append(out, l)
		for app, nested := range entry {
			if m, isMap := nested.(map[string]any); isMap {
				if l, ok := limitEntry(name, app, m); ok {
					out = append(out, l)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Limit) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.App, b.App))
	})
	return out
}

func limitEntry(name, app string, m map[string]any) (Limit, bool) {
	l := Limit{Name: name, App: app}
	var okMax, okLeft bool
	l.Max, okMax = whole(m["Max"])
	l.Remaining, okLeft = whole(m["Remaining"])
	return l, okMax && okLeft
}

// whole reads an integer of a decoded document.
func whole(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}
