package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	begin = "<!-- bench -->\n"
	end   = "<!-- /bench -->"
)

// errNoMarks says that the page has no place for the table.
var errNoMarks = errors.New("the page has no <!-- bench --> and <!-- /bench --> marks")

func main() {
	if len(os.Args) != 3 {
		_, _ = fmt.Fprintln(os.Stderr, "usage: benchtable DIRECTORY PAGE")
		os.Exit(2)
	}
	if err := draw(os.Args[1], os.Args[2]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "benchtable:", err)
		os.Exit(1)
	}
}

// results is one file of figures.
type results struct {
	Schema  string   `json:"schema"`
	Date    string   `json:"date"`
	Cores   int      `json:"cores"`
	Go      string   `json:"go"`
	System  string   `json:"system"`
	Figures []figure `json:"figures"`
}

type figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Goal     string  `json:"goal"`
	Reached  bool    `json:"reached"`
	Baseline string  `json:"baseline"`
	Note     string  `json:"note"`
	Load     float64 `json:"load"`
}

// draw replaces the table of one page.
func draw(dir, page string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	var all []results
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read figures: %w", err)
		}
		var r results
		if err := json.Unmarshal(text, &r); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		if r.Schema == "" { // another tool's, such as the comparison with peers
			continue
		}
		if r.Schema != "weir.bench/v1" {
			return fmt.Errorf("read %s: schema %q", file, r.Schema)
		}
		all = append(all, r)
	}
	old, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	head, rest, opened := strings.Cut(string(old), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !opened || !closed {
		return fmt.Errorf("%s: %w", page, errNoMarks)
	}
	if err := os.WriteFile(page, []byte(head+begin+table(all)+end+tail), 0o600); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func table(all []results) string {
	var b strings.Builder
	b.WriteString("| what | figure | goal | in the same run | measured with |\n|---|---|---|---|---|\n")
	for _, r := range all {
		for _, f := range r.Figures {
			goal := f.Goal
			if !f.Reached {
				goal += " (missed)"
			}
			fmt.Fprintf(&b, "| %s | %s %s | %s | %s | %s |\n", f.Name, short(f.Value), f.Unit, goal, f.Baseline, f.Note)
		}
	}
	for _, r := range all {
		fmt.Fprintf(&b, "\n%s, %s, %d cores, %s; load average %s.\n", r.Date, r.System, r.Cores, r.Go, loads(r.Figures))
	}
	return b.String()
}

// short writes a figure with three digits, as much as one run can tell.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// loads is the range of the load averages while the figures were measured.
func loads(figures []figure) string {
	if len(figures) == 0 {
		return "unknown"
	}
	least, most := figures[0].Load, figures[0].Load
	for _, f := range figures {
		least, most = min(least, f.Load), max(most, f.Load)
	}
	return fmt.Sprintf("%.1f to %.1f", least, most)
}
