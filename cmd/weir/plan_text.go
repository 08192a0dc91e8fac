package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

// planText shows a plan as reviewers read it: what changes, grouped by object
// and action, then what it costs and when it would be done.
func planText(p *page, out web.PlanAnswer, file string) {
	plan, r := out.Plan, out.Request
	p.linef("%s", requestLine(p, r))
	p.linef("Subject %s matched %s:", r.Subject, plural(plan.Records(), "record", "records"))
	for _, g := range planGroups(plan.Items) {
		p.linef("  %s", g.line(p))
	}
	for _, w := range plan.Warnings {
		p.linef("  %s %s", p.paint(yellow, "warning"), w.Message)
	}
	p.linef("Cost      %s API calls, retries not counted", number(int64(plan.Calls)))
	if !plan.Finish.IsZero() {
		p.linef("Forecast  finished %s", when(p.now, plan.Finish))
	}
	p.linef("Deadline  %s, slack %s", when(p.now, r.DueAt), slackText(p, out.SlackSeconds))
	valid := "valid until " + when(p.now, plan.ExpiresAt)
	if out.Expired {
		valid = p.paint(red, "EXPIRED; make a fresh one with `weir plan "+string(r.ID)+" --again`")
	}
	p.linef("Plan      %s, %s", plan.Hash, valid)
	p.linef("%s", planSummary(plan, r))
	if file != "" {
		p.linef("Saved to %s.", file)
	}
	if r.Stage == weir.AwaitingApproval && !out.Expired {
		p.linef("Next: weir approve %s --plan %.12s", r.ID, plan.Hash)
	}
}

func planSummary(plan *weir.Plan, r web.RequestDoc) string {
	count := map[weir.Action]int{}
	for _, it := range plan.Items {
		count[it.Action] += it.Records()
	}
	var parts []string
	for _, act := range actions() {
		if n := count[act]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, act))
		}
	}
	text := "Plan: " + strings.Join(parts, ", ") + "."
	if r.Stage == weir.AwaitingApproval {
		text += " Nothing has been changed."
	}
	return text
}

func actions() []weir.Action {
	return []weir.Action{weir.ActDelete, weir.ActAnonymise, weir.ActUnlink, weir.ActWithhold, weir.ActExport}
}

// planGroup is what happens in the same way to records of one object.
type planGroup struct {
	action  weir.Action
	object  string
	reason  string
	records int
	purge   int
	fields  map[string]bool
	why     map[string]bool
}

// planGroups groups items in the order of actions, then of objects.
func planGroups(items []weir.PlanItem) []*planGroup {
	type key struct {
		action         weir.Action
		object, reason string
	}
	all := map[key]*planGroup{}
	for _, it := range items {
		k := key{it.Action, it.Object, it.Reason}
		g := all[k]
		if g == nil {
			g = &planGroup{action: it.Action, object: it.Object, reason: it.Reason, fields: map[string]bool{}, why: map[string]bool{}}
			all[k] = g
		}
		g.records += it.Records()
		if it.Purge {
			g.purge++
		}
		for _, f := range it.Fields {
			g.fields[f.Field] = true
		}
		g.why[it.Why] = true
	}
	out := slices.Collect(maps.Values(all))
	slices.SortFunc(out, func(a, b *planGroup) int {
		if d := slices.Index(actions(), a.action) - slices.Index(actions(), b.action); d != 0 {
			return d
		}
		return strings.Compare(a.object+"\x00"+a.reason, b.object+"\x00"+b.reason)
	})
	return out
}

// line shows a group: - takes away, ~ changes, ! keeps, + hands out.
func (g *planGroup) line(p *page) string {
	symbol, colour := "·", ""
	switch g.action {
	case weir.ActDelete:
		symbol, colour = "-", red
	case weir.ActAnonymise, weir.ActUnlink:
		symbol, colour = "~", yellow
	case weir.ActWithhold:
		symbol, colour = "!", yellow
	case weir.ActExport:
		symbol, colour = "+", green
	}
	text := fmt.Sprintf("%s %-9s  %-20s %4d", symbol, g.action, g.object, g.records)
	if colour != "" {
		text = p.paint(colour, text)
	}
	var notes []string
	if g.action == weir.ActAnonymise || g.action == weir.ActExport {
		if n := len(g.fields); n > 0 {
			notes = append(notes, plural(n, "field", "fields"))
		}
	}
	if g.purge > 0 {
		notes = append(notes, fmt.Sprintf("%d purged from the recycle bin", g.purge))
	}
	if g.reason != "" {
		notes = append(notes, "reason "+g.reason)
	}
	notes = append(notes, strings.Join(slices.Sorted(maps.Keys(g.why)), "; "))
	return strings.TrimRight(text+"   "+strings.Join(notes, " · "), " ")
}
