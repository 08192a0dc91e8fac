package schedule_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/schedule"
)

// overload plays a backlog of 600 requests of log-normal size against a steady
// supply, as performance reference section 4 did. It returns how many were in
// time under Arrange, made anew as the work goes on, with sizes that are wrong by
// sigma 0.5, and how many could have been with full knowledge.
func overload(dice *rand.Rand, load float64) (inTime, bound int) {
	const n, perHour = 600, 60
	truth := make([]schedule.Job, n)
	guess := make([]schedule.Job, n)
	total := int64(0)
	for i := range truth {
		calls := max(int64(math.Exp(3+dice.NormFloat64())), 1)
		total += calls
		truth[i] = schedule.Job{ID: weir.RequestID(fmt.Sprintf("R%03d", i)), Calls: calls, Right: weir.Access}
	}
	span := float64(total) / perHour / load // hours within which all are due
	for i := range truth {
		truth[i].Due = start.Add(time.Duration(dice.Float64() * span * float64(time.Hour)))
		guess[i] = truth[i]
		guess[i].Calls = max(int64(float64(truth[i].Calls)*math.Exp(dice.NormFloat64()/2)), 1)
	}
	for _, p := range schedule.Arrange(truth, steady(start, perHour), nil) {
		if !p.Shed {
			bound++
		}
	}
	left := map[weir.RequestID]int64{} // really
	for _, j := range truth {
		left[j.ID] = j.Calls
	}
	spent := map[weir.RequestID]int64{}
	now := start
	for open := guess; len(open) > 0; {
		places := schedule.Arrange(open, steady(now, perHour), nil)
		first := places[0]
		work := min(left[first.ID], slice)
		now = now.Add(time.Duration(work) * time.Hour / perHour)
		left[first.ID] -= work
		spent[first.ID] += work
		open = open[:0:0]
		for _, p := range places {
			j := p.Job
			j.Shed = p.Shed
			if j.ID == first.ID {
				// What is left is what was guessed less what was spent and, once that
				// is used up, a share of what was spent: it is larger than it looked.
				j.Calls = max(j.Calls-work, spent[j.ID]/4, 1)
			}
			if left[j.ID] > 0 {
				open = append(open, j)
			} else if !now.After(j.Due) {
				inTime++
			}
		}
	}
	return inTime, bound
}

// slice is how many calls pass between two arrangements.
const slice = 10

func steady(from time.Time, perHour int64) schedule.Supply {
	const hours = 24 * 400
	return schedule.Supply{{At: from}, {At: from.Add(hours * time.Hour), Calls: perHour * hours}}
}
