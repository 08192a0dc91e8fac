package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/web"
)

func (a *app) limitsVerb() *cobra.Command {
	return &cobra.Command{
		Use: "limits ORG", Short: "Show an org's limits: allocation, burn, floor, forecast, concurrency",
		Long: "Show an org's limits as the org told them on its latest responses. Asking costs no call.",
		Args: exactly("ORG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out web.LimitsAnswer
			if err := a.ask(cmd.Context(), "limits", web.OrgInput{Org: weir.OrgID(args[0])}, &out); err != nil {
				return err
			}
			return a.show(out, func(p *page) { limitsText(p, out) })
		},
	}
}

func limitsText(p *page, l web.LimitsAnswer) {
	p.linef("%s", p.paint(bold, string(l.Org)))
	dailyText(p, l.Daily)
	if l.Bursts != nil {
		p.linef("  bursts       %s of %s this month", number(l.Bursts.Used), number(l.Bursts.Limit))
	}
	if l.App != nil {
		p.linef("  app quota    %s of %s (%s)", number(l.App.Used), number(l.App.Limit), l.App.Name)
	}
	c := l.Concurrency
	text := fmt.Sprintf("%d in flight, %d allowed of %d slots", c.InFlight, c.Allowed, c.Slots)
	if c.Cap > 0 {
		text += fmt.Sprintf("; the org accepted %d when it last refused", c.Cap)
	}
	switch {
	case len(c.Slow) > 0:
		text += "; calls about " + strings.Join(c.Slow, ", ") + " take 20 s or longer"
	case c.LongCalls:
		text += "; some took 20 s or longer"
	}
	if c.LongCap > 0 {
		text += fmt.Sprintf("; none goes while %d of ours have been open for so long, since the org refused", c.LongCap)
	}
	p.linef("  concurrency  %s", text)
	if c.Pace > 0 {
		p.linef("  pace         at most %s calls a minute, as learnt from rejections", number(c.Pace))
	}
	switch g := l.Gate; {
	case g.Breaker:
		p.linef("  gate         %s: the org refuses our credentials; next try %s", p.paint(red, "closed"), when(p.now, g.ProbeAt))
	case g.Open:
		p.linef("  gate         %s", p.paint(green, "open"))
	default:
		p.linef("  gate         %s until %s %s", p.paint(yellow, "closed"), when(p.now, g.Until), g.Op)
	}
	for _, o := range l.Objects {
		p.linef("  object       %s", objectText(p, o))
	}
	for _, object := range slices.Sorted(maps.Keys(l.Rungs)) {
		p.linef("  precondition %s: %s", object, l.Rungs[object])
	}
}

func objectText(p *page, o web.ObjectDoc) string {
	what, next := "reads", "one call asks now"
	if o.Writes {
		what = "changes"
	}
	if !o.Until.IsZero() {
		next = "one call asks " + when(p.now, o.Until)
	}
	return fmt.Sprintf("%s of %s %s, %d in a row (%s); %s, its steps wait", what, o.Object, p.paint(yellow, "fail"), o.Fails, o.Op, next)
}

func dailyText(p *page, d web.DailyDoc) {
	if !d.Known {
		p.linef("  allocation   not known yet: the org tells it with its first answer (weir org test)")
		return
	}
	stale := ""
	if d.Stale {
		stale = ", stale"
	}
	p.linef("  allocation   %s of %s used (%d %%), read %s%s", number(d.Used), number(d.Limit), d.Used*100/max(d.Limit, 1), when(p.now, d.SampledAt), stale)
	p.linef("  estimate     %s now; weir's own %s of its share %s", number(d.Estimate), number(d.Own), number(d.Share))
	switch {
	case d.Quiet:
		p.linef("  quiet hours  until %s: the share is that of the quiet hours", when(p.now, d.QuietTurnsAt))
	case !d.QuietTurnsAt.IsZero():
		p.linef("  quiet hours  from %s", when(p.now, d.QuietTurnsAt))
	}
	p.linef("  velocity     %s calls an hour, %s of them by others", number(d.Velocity), number(d.Neighbours))
	p.linef("  floor        %s calls stay with the business; weir may send %s now", number(d.Floor), number(d.Headroom))
	if d.Swell > 0 {
		p.linef("  swell        %s calls more than others use now stay free, should they come to need them", number(d.Swell))
	}
	switch {
	case d.Exhausted:
		p.linef("  forecast     %s; capacity returns %s", p.paint(red, "the allocation is used up"), when(p.now, d.CapacityAt))
	case d.SecondsToFloor > 0:
		p.linef("  forecast     floor reached in %s at this velocity", span(seconds(d.SecondsToFloor)))
	case !d.CapacityAt.IsZero():
		p.linef("  forecast     capacity returns %s", when(p.now, d.CapacityAt))
	}
}
