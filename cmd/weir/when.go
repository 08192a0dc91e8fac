package main

import (
	"fmt"
	"time"
)

// day is what deadlines are counted in.
const day = 24 * time.Hour

// when writes a moment exactly and how far away it is.
func when(now, t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	exact := t.UTC().Format("2 Jan 2006 15:04 UTC")
	d := t.Sub(now)
	if d < 0 {
		return exact + " (" + span(-d) + " ago)"
	}
	return exact + " (in " + span(d) + ")"
}

// span writes a duration in its two largest units.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "−" + span(-d)
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < day:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	case d < 10*day:
		return fmt.Sprintf("%d d %d h", int(d/day), int(d.Hours())%24)
	}
	return fmt.Sprintf("%d d", int(d/day))
}

// signed is span with a plus for what is left.
func signed(d time.Duration) string {
	if d < 0 {
		return span(d)
	}
	return "+" + span(d)
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// parseWindow reads a duration such as 36h or 7d.
func parseWindow(text string) (time.Duration, error) {
	var days int
	if n, err := fmt.Sscanf(text, "%dd", &days); err == nil && n == 1 && text == fmt.Sprintf("%dd", days) && days >= 0 {
		return time.Duration(days) * day, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, usage("Write it as 36h or 7d.", "this is not a span of time")
	}
	return d, nil
}

// parseDate reads a date or a moment; a date is its first instant in UTC.
func parseDate(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, usage("Write it as 2026-11-20 or 2026-11-20T14:00:00Z.", "this is not a date")
}
