package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/web"
)

func (a *app) whyVerb() *cobra.Command {
	return &cobra.Command{
		Use: "why ID", Short: "Explain a wait, a dead letter or a request by recomputing its decisions",
		Long: "Explain what holds a step (S-…), a dead letter (DL-…) or a request (R-…).\n" +
			"Every decision is computed again from its recorded inputs; exit code 8 says that one does not follow.",
		Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out web.WhyAnswer
			if err := a.ask(cmd.Context(), "why", web.IDInput{ID: args[0]}, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { whyText(p, out) })
		},
	}
}

func whyText(p *page, w web.WhyAnswer) {
	p.linef("%s", w.Sentence)
	if !w.WakeAt.IsZero() && w.WakeAt.After(p.now) {
		p.linef("  wakes      %s", when(p.now, w.WakeAt))
	}
	if w.Category != "" {
		p.linef("  cause      %s (%s)", w.Category, w.Cause)
	}
	if len(w.Decisions) == 0 {
		return
	}
	p.linef("  decisions  %s, each computed again from its recorded inputs", plural(len(w.Decisions), "was recorded", "were recorded"))
	for _, d := range w.Decisions {
		var facts []string
		for _, e := range d.Evidence {
			facts = append(facts, e.Name+" "+e.Value)
		}
		line := p.paint(dim, d.At.UTC().Format("2006-01-02 15:04:05Z")) + "  " + d.Sentence
		if len(facts) > 0 {
			line += "  [" + strings.Join(facts, ", ") + "]"
		}
		p.linef("    %s", line)
	}
}
