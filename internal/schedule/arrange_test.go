package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/schedule"
)

var start = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// hourly is a supply of so many calls an hour.
func hourly(calls ...int64) schedule.Supply {
	s := schedule.Supply{{At: start}}
	sum := int64(0)
	for i, c := range calls {
		sum += c
		s = append(s, schedule.Point{At: start.Add(time.Duration(i+1) * time.Hour), Calls: sum})
	}
	return s
}

func job(id string, hours int, calls int64) schedule.Job {
	return schedule.Job{ID: weir.RequestID(id), Due: start.Add(time.Duration(hours) * time.Hour), Calls: calls, Right: weir.Access}
}

func TestArrange(t *testing.T) {
	erasure := job("erasure", 2, 10)
	erasure.Right = weir.Erasure
	risky := job("risky", 2, 10)
	risky.Risk = weir.RiskHigh
	held := job("held", 1, 10)
	held.Shed = true
	for _, c := range []struct {
		name   string
		supply schedule.Supply
		jobs   []schedule.Job
		want   string
	}{
		{"nothing to do", hourly(10), nil, ""},
		{"all fit, in the order of their dates", hourly(10, 10), []schedule.Job{job("b", 2, 10), job("a", 1, 10)}, "a@1h b@2h"},
		{"the dearest is given up", hourly(10, 10), []schedule.Job{job("a", 1, 10), job("b", 2, 8), job("c", 2, 7)}, "b@48m c@1h30m a@2h30m-15"},
		{"two cheap ones rather than a dear one", hourly(10, 10), []schedule.Job{job("dear", 1, 9), job("x", 2, 6), job("y", 2, 6)}, "x@36m y@1h12m dear@2h6m-11"},
		{"an access rather than an erasure", hourly(5, 5), []schedule.Job{erasure, job("access", 2, 10)}, "erasure@2h access@4h-10"},
		{"a normal one rather than a risky one", hourly(5, 5), []schedule.Job{job("a", 2, 10), risky}, "risky@2h a@4h-10"},
		{"overdue already", hourly(10), []schedule.Job{job("late", -1, 5), job("a", 1, 10)}, "a@1h late@1h30m-15"},
		{"no supply at all", nil, []schedule.Job{job("a", 1, 1)}, "a@never-1"},
		{"an org that takes no calls", hourly(0, 0), []schedule.Job{job("a", 1, 1)}, "a@never-1"},
		{"what was given up comes back only with room to spare", hourly(10), []schedule.Job{held}, "held@1h-1"},
		{"and then it does", hourly(11), []schedule.Job{held}, "held@54m33s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			for _, p := range schedule.Arrange(c.jobs, c.supply, c.supply) {
				got += fmt.Sprintf(" %s@%s", p.ID, short(p.Finish))
				if p.Shed {
					got += fmt.Sprintf("-%d", p.Short)
				}
			}
			if len(got) > 0 {
				got = got[1:]
			}
			if got != c.want {
				t.Errorf("arranged %q, want %q", got, c.want)
			}
		})
	}
}

// TestUrgentJobsGoFirst, from a supply of their own; the others get what they
// leave. An urgent job that will be late is told of and goes first all the same.
func TestUrgentJobsGoFirst(t *testing.T) {
	rush := job("rush", 3, 10)
	rush.Urgent = true
	for _, c := range []struct {
		name  string
		jobs  []schedule.Job
		share schedule.Supply
		want  string
	}{
		{"before an earlier date", []schedule.Job{job("a", 2, 10), rush}, hourly(10, 10), "rush@30m0s a@2h0m0s"},
		{"and another is given up for it", []schedule.Job{job("a", 1, 10), rush}, hourly(10, 10), "rush@30m0s a@2h0m0s-10"},
		{"where the share gives nothing", []schedule.Job{job("a", 1, 10), rush}, hourly(0, 0), "rush@30m0s a@never-20"},
		{"the largest set behind it", []schedule.Job{job("dear", 2, 9), job("x", 2, 5), job("y", 2, 5), rush}, hourly(10, 10), "rush@30m0s x@1h30m0s y@2h0m0s dear@2h54m0s-9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, p := range schedule.Arrange(c.jobs, c.share, hourly(20, 20)) {
				got = append(got, placed(p))
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("arranged %q, want %q", text, c.want)
			}
		})
	}
	rush.Due = start.Add(15 * time.Minute)
	late := schedule.Arrange([]schedule.Job{job("a", 2, 10), rush}, hourly(10, 10), hourly(20, 20))
	if late[0].ID != "rush" || !late[0].Shed || late[0].Short != 5 || late[1].Shed {
		t.Errorf("an urgent job that will be late: %+v", late)
	}
}

func placed(p schedule.Place) string {
	text := string(p.ID) + "@never"
	if !p.Finish.IsZero() {
		text = string(p.ID) + "@" + p.Finish.Sub(start).String()
	}
	if p.Shed {
		text += fmt.Sprintf("-%d", p.Short)
	}
	return text
}

func short(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	d := at.Sub(start)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	out := ""
	if h > 0 {
		out += fmt.Sprintf("%dh", h)
	}
	if m > 0 {
		out += fmt.Sprintf("%dm", m)
	}
	if s > 0 {
		out += fmt.Sprintf("%ds", s)
	}
	return out
}

// TestNoSetIsLarger compares with every subset of a few jobs: none that is in
// time in the order of its due dates has more members.
func TestNoSetIsLarger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		supply := hourly(rapid.SliceOfN(rapid.Int64Range(0, 20), 1, 8).Draw(t, "supply")...)
		n := rapid.IntRange(1, 8).Draw(t, "jobs")
		jobs := make([]schedule.Job, n)
		for i := range jobs {
			jobs[i] = job(fmt.Sprint("R", i), rapid.IntRange(0, 10).Draw(t, "due"), rapid.Int64Range(1, 30).Draw(t, "calls"))
		}
		most := 0
		for set := range 1 << n {
			var chosen []schedule.Job
			for i := range jobs {
				if set>>i&1 == 1 {
					chosen = append(chosen, jobs[i])
				}
			}
			if inTime(chosen, supply) {
				most = max(most, len(chosen))
			}
		}
		var kept []schedule.Job
		for _, p := range schedule.Arrange(jobs, supply, supply) {
			if p.Shed != (p.Short > 0) {
				t.Fatalf("%s: shed %v and %d calls short", p.ID, p.Shed, p.Short)
			}
			if !p.Shed {
				kept = append(kept, p.Job)
			}
		}
		if len(kept) != most || !inTime(kept, supply) {
			t.Fatalf("kept %d of %d, in time %v; %d were possible", len(kept), n, inTime(kept, supply), most)
		}
	})
}

func inTime(jobs []schedule.Job, supply schedule.Supply) bool {
	jobs = slices.Clone(jobs)
	slices.SortFunc(jobs, func(a, b schedule.Job) int { return a.Due.Compare(b.Due) })
	sum := int64(0)
	for _, j := range jobs {
		if sum += j.Calls; sum > supply.By(j.Due) {
			return false
		}
	}
	return true
}

// TestSupplyIsItsOwnInverse: when n calls are possible, n calls are possible,
// and a second earlier they are not.
func TestSupplyIsItsOwnInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		supply := hourly(rapid.SliceOfN(rapid.Int64Range(0, 500), 1, 40).Draw(t, "supply")...)
		n := rapid.Int64Range(1, 20_000).Draw(t, "calls")
		at, ok := supply.When(n)
		if !ok {
			return
		}
		if got := supply.By(at); got < n {
			t.Fatalf("%d calls are possible at %s, which gives %d", n, at.Sub(start), got)
		}
		if before := at.Add(-time.Second); before.After(start) && supply.By(before) >= n {
			t.Fatalf("%d calls were possible before %s", n, at.Sub(start))
		}
	})
}
