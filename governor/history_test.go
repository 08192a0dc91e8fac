package governor_test

import (
	"math/rand/v2"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
)

// history is what properties let a governor live through: asks and outcomes of
// chance, which reach every fault, and busy times before a gateway with a hidden
// rate, which alone reach the law that learns it.
type history struct {
	gateway
	ask     func(weir.Ask) weir.Decision
	observe func(weir.Outcome)
	hostile bool          // numbers as nothing should ever give them
	most    time.Duration // that passes between two events
}

func (h *history) pass(t *rapid.T) {
	now := start
	h.filled = start
	for range rapid.IntRange(1, 40).Draw(t, "events") {
		now = now.Add(time.Duration(rapid.Int64Range(0, int64(h.most)).Draw(t, "passes")))
		switch rapid.IntRange(0, 9).Draw(t, "event") {
		case 0:
			if rapid.Bool().Draw(t, "another rate") {
				h.gap = drawGap(t)
			}
			now = h.work(now, rapid.SampledFrom([]int{3, 20, 100}).Draw(t, "calls"))
		case 1, 2, 3, 4:
			h.ask(drawAsk(t, now))
		default:
			h.observe(drawOutcome(t, now, h.hostile))
		}
	}
}

// gateway refuses calls that come faster than its rate, and some by chance. It
// may say how long to wait, and be shut for a while.
type gateway struct {
	bucket
	dice    *rand.Rand
	chance  int           // per cent of calls that are refused whatever their pace
	shuts   int           // per mille of calls at which it shuts
	told    bool          // its refusals say how long to wait
	took    time.Duration // what a call takes
	workers int
	shut    time.Time // until then
}

func drawGateway(t *rapid.T) gateway {
	g := gateway{
		bucket:  bucket{holds: rapid.IntRange(1, 50).Draw(t, "bucket")},
		dice:    rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)),
		chance:  rapid.SampledFrom([]int{0, 0, 3, 20}).Draw(t, "refused by chance"),
		shuts:   rapid.SampledFrom([]int{0, 0, 5, 30}).Draw(t, "shuts"),
		told:    rapid.Bool().Draw(t, "says how long"),
		took:    time.Duration(rapid.Int64Range(1, int64(time.Second)).Draw(t, "a call takes")),
		workers: rapid.IntRange(1, 8).Draw(t, "workers"),
	}
	g.gap, g.level = drawGap(t), g.holds
	return g
}

// drawGap draws a rate: the time between two calls of it.
func drawGap(t *rapid.T) time.Duration {
	return time.Duration(rapid.Int64Range(int64(5*time.Millisecond), int64(5*time.Second)).Draw(t, "gap"))
}

// refusal judges a call; nil takes it.
func (g *gateway) refusal(now time.Time) *weir.Fault {
	f := fault(weir.ThrottledBurst)
	if g.dice.IntN(1000) < g.shuts {
		g.shut = now.Add(time.Duration(g.dice.Int64N(int64(2 * time.Minute))))
	}
	switch {
	case now.Before(g.shut):
		f.RetryAfter = g.shut.Sub(now).Truncate(time.Second) + time.Second
	case g.dice.IntN(100) >= g.chance && g.take(now):
		return nil
	case g.told:
		f.RetryAfter = g.gap.Truncate(time.Second) + time.Second
	}
	return f
}

// work sends calls as fast as the governor lets it, and returns when it is done.
// It gives up where it would have to wait for long, or to ask too often.
func (h *history) work(now time.Time, calls int) time.Time {
	type call struct {
		sent time.Time
		f    *weir.Fault
	}
	var open []call
	for asks := 20 * calls; calls > 0 || len(open) > 0; {
		next := now.Add(time.Hour)
		if asks == 0 {
			calls = 0
		}
		if calls > 0 && len(open) < h.workers {
			asks--
			d := h.ask(weir.Ask{Now: now, Cost: 1, InFlight: len(open)})
			if d.Ruling == weir.Proceed {
				open, calls = append(open, call{now, h.refusal(now)}), calls-1
				continue
			}
			if d.Wait.Until.Before(next) {
				next = d.Wait.Until
			}
		}
		if len(open) == 0 {
			if next.Sub(now) >= time.Hour {
				return now
			}
			now = next
			continue
		}
		c := open[0]
		if done := c.sent.Add(h.took); next.Before(done) {
			now = next
			continue
		} else if done.After(now) {
			now = done
		}
		open = open[1:]
		h.observe(weir.Outcome{Now: now, SentAt: c.sent, Cost: 1, Fault: c.f, Jitter: h.dice.Uint32(), InFlight: len(open)})
	}
	return now
}
