package schedule_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/schedule"
)

// play is one run of requests of log-normal size against a steady supply, as
// performance reference section 4 had it.
type play struct {
	requests int
	load     float64 // work over what the supply gives while it must be done
	arriving bool    // they come one after the other; otherwise all lie there from the start
}

// result is what became of a play.
type result struct {
	inTime int // under Arrange
	bound  int // that could have been with full knowledge of all sizes and of all that is yet to come
	untold int // that were late, and that no arrangement gave up before their due date
}

func (r result) share() float64 { return float64(r.inTime) / float64(r.bound) }

// request is one as only the play knows it.
type request struct {
	schedule.Job
	arrives time.Time
	planned int64 // what it is thought to cost in all
	left    int64 // what it still costs in truth
	made    int64
}

// run makes the arrangement anew as the work goes on, with sizes that are wrong
// by sigma 0.5 and corrected by what requests that ended have taught, as weir does.
func (p play) run(dice *rand.Rand) result {
	open := p.draw(dice)
	var out result
	truth := make([]schedule.Job, len(open))
	for i, r := range open {
		truth[i] = r.Job
		truth[i].Calls = r.left
	}
	for _, place := range schedule.Arrange(truth, steady(start), nil) {
		if !place.Shed {
			out.bound++
		}
	}
	var known schedule.Experience
	for now := start; ; {
		here := slices.DeleteFunc(slices.Clone(open), func(r *request) bool { return r.arrives.After(now) })
		if !slices.ContainsFunc(open, func(r *request) bool { return r.Due.After(now) }) {
			return out // whatever is left is late
		}
		if len(here) == 0 {
			now = slices.MinFunc(open, func(a, b *request) int { return a.arrives.Compare(b.arrives) }).arrives
			continue
		}
		first := arrange(here, known, now)
		work := min(first.left, slice)
		before := now
		now = now.Add(time.Duration(work) * time.Hour / perHour)
		first.left -= work
		first.made += work
		if first.left == 0 {
			known = known.Learn(first.made, first.planned, 0, 0)
			open = slices.DeleteFunc(open, func(r *request) bool { return r == first })
			if !now.After(first.Due) {
				out.inTime++
			}
		}
		for _, r := range here {
			if late := r.left > 0 || now.After(r.Due); late && !r.Shed && !r.Due.Before(before) && r.Due.Before(now) {
				out.untold++
			}
		}
	}
}

// arrange marks what the schedule gives up and returns what is served first.
func arrange(here []*request, known schedule.Experience, now time.Time) *request {
	jobs := make([]schedule.Job, len(here))
	byID := map[weir.RequestID]*request{}
	for i, r := range here {
		jobs[i] = r.Job
		jobs[i].Calls = known.Left(r.made, r.planned)
		byID[r.ID] = r
	}
	places := schedule.Arrange(jobs, steady(now), nil)
	for _, p := range places {
		byID[p.ID].Shed = p.Shed
	}
	return byID[places[0].ID]
}

// draw makes the requests of a play.
func (p play) draw(dice *rand.Rand) []*request {
	all := make([]*request, p.requests)
	total := int64(0)
	for i := range all {
		calls := max(int64(math.Exp(3+dice.NormFloat64())), 1)
		total += calls
		all[i] = &request{Job: schedule.Job{ID: weir.RequestID(fmt.Sprintf("R%03d", i)), Right: weir.Access}, left: calls}
	}
	// All are due, or arrive, evenly within this time. Of those that arrive each
	// has half of it until its due date.
	span := time.Duration(float64(total) / perHour / p.load * float64(time.Hour))
	for _, r := range all {
		r.arrives = start
		r.Due = start.Add(time.Duration(dice.Float64() * float64(span)))
		if p.arriving {
			r.arrives, r.Due = r.Due, r.Due.Add(span/2)
		}
		r.planned = max(int64(float64(r.left)*math.Exp(dice.NormFloat64()/2)), 1)
	}
	return all
}

const (
	perHour = 60 // calls that the supply gives
	slice   = 10 // calls between two arrangements
)

func steady(from time.Time) schedule.Supply {
	const hours = 24 * 400
	return schedule.Supply{{At: from}, {At: from.Add(hours * time.Hour), Calls: perHour * hours}}
}

// TestOverload is the goal of the deadlines: sizes are wrong by a factor of
// e^N(0, 0.5), and at least 0.97 of what full knowledge would keep is in time by
// the median of the seeds. A backlog of twice the load misses that, and
// TestWhatGuessesHide says why; there the gate only keeps it from getting worse.
func TestOverload(t *testing.T) {
	requests, seeds, long := 300, 3, os.Getenv("WEIR_PROVE") == "long"
	if long {
		requests, seeds = 600, 40
	}
	late, untold := 0, 0
	for _, arriving := range []bool{false, true} {
		for _, load := range []float64{0.8, 1, 1.2, 1.5, 2} {
			var shares []float64
			for seed := range seeds {
				r := play{requests, load, arriving}.run(rand.New(rand.NewPCG(uint64(seed), 5)))
				shares = append(shares, r.share())
				late += requests - r.inTime
				untold += r.untold
			}
			slices.Sort(shares)
			median := (shares[(seeds-1)/2] + shares[seeds/2]) / 2
			t.Logf("load %.1f, arriving %v: %.3f of the bound by the median of %d, %.3f at worst", load, arriving, median, seeds, shares[0])
			goal := 0.97
			if load == 2 && (!arriving || !long) { // a short play of arrivals is mostly its end
				goal = 0.95
			}
			if median < goal {
				t.Errorf("load %.1f, arriving %v: %.4f of the bound are in time, want %.2f", load, arriving, median, goal)
			}
		}
	}
	t.Logf("%d were late, %d of them without having been given up before their due date", late, untold)
	if untold*50 > late {
		t.Errorf("nobody was told of %d of %d late requests", untold, late)
	}
}

// TestWhatGuessesHide is the simplest case of twice the load: all are due at
// once. Whoever knows guesses alone can do no better than to take the smallest
// first, and even so misses the goal.
func TestWhatGuessesHide(t *testing.T) {
	type size struct{ truth, guess float64 }
	dice := rand.New(rand.NewPCG(1, 5))
	sizes, room := make([]size, 200_000), 0.0
	for i := range sizes {
		truth := math.Exp(3 + dice.NormFloat64())
		sizes[i] = size{truth, truth * math.Exp(dice.NormFloat64()/2)}
		room += truth / 2
	}
	kept := func(by func(size) float64) (n int) {
		slices.SortFunc(sizes, func(a, b size) int { return cmp.Compare(by(a), by(b)) })
		for used := 0.0; used+sizes[n].truth <= room; n++ {
			used += sizes[n].truth
		}
		return n
	}
	share := float64(kept(func(s size) float64 { return s.guess })) / float64(kept(func(s size) float64 { return s.truth }))
	t.Logf("%.3f of the bound", share)
	if share < 0.96 || share >= 0.97 {
		t.Errorf("guesses reach %.4f of the bound, want the 0.969 of docs/proofs.md", share)
	}
}
