package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/web"
)

// decisionsShown are how many decisions a person reads; the newest say what holds now.
const decisionsShown = 20

func (a *app) whyVerb() *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use: "why ID", Short: "Explain a wait, a dead letter or a request by recomputing its decisions",
		Long: "Explain what holds a step (S-…), a dead letter (DL-…) or a request (R-…).\n" +
			"Every decision is computed again from its recorded inputs; exit code 8 says that one does not follow.\n" +
			"The newest are shown; --json has all.",
		Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out web.WhyAnswer
			if err := a.ask(cmd.Context(), "why", web.IDInput{ID: args[0]}, &out); err != nil {
				return err
			}
			most := decisionsShown
			if all {
				most = len(out.Decisions)
			}
			return a.show(out, func(p *page) { whyText(p, out, most) })
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "show every decision and not the newest alone")
	return cmd
}

// whyText shows the newest decisions, most of them at most.
func whyText(p *page, w web.WhyAnswer, most int) {
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
	earlier := max(len(w.Decisions)-most, 0)
	if earlier > 0 {
		p.linef("    %s", p.paint(dim, plural(earlier, "earlier one: --all shows it", "earlier ones: --all shows them")))
	}
	for _, d := range w.Decisions[earlier:] {
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
