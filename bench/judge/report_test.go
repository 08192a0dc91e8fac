package judge

import (
	"strings"
	"testing"
	"time"
)

// TestTally: a run that gave up is counted and refused like any other, and lends
// its time to nothing.
func TestTally(t *testing.T) {
	run := func(took time.Duration, finished bool) Result {
		return Result{
			Scenario: "fixed", Policy: "p", Makespan: took * time.Second, Optimum: time.Second, Finished: finished,
			P50: took * time.Second, P99: 2 * took * time.Second, Count: Count{Calls: 100, Rejected: 10 * int(took), InWindow: 3}, Begun: 80,
		}
	}
	gaveUp := run(1, false)
	l := Tally([]Result{run(2, true), gaveUp, run(4, true), gaveUp, gaveUp, run(3, true)})
	want := Line{
		Scenario: "fixed", Policy: "p", Seeds: 6, Done: 3, Ratio: 3, RatioWorst: 4, P50: 3, P99: 6,
		Rejected: 0.2, RejectedWorst: 0.4, Retries: 0.2, RetriesWorst: 0.2, InWindow: 3,
	}
	if l != want {
		t.Errorf("got  %+v\nwant %+v", l, want)
	}
	none := Tally([]Result{gaveUp})
	if none.Ratio != 0 || none.P50 != 0 || none.Done != 0 {
		t.Errorf("nothing was done: %+v", none)
	}
	if text := Table([]Line{none}); !strings.Contains(text, "| none | 10.00 % (10.00 %) | 20.00 % (20.00 %) | 3 | none | 0/1 |") {
		t.Error(text)
	}
}

// TestRetries: once all is done, what was refused and what was sent again is the
// same; of an org that refuses everything, no more is begun than workers can hold.
func TestRetries(t *testing.T) {
	in := Stated()
	in.Calls = 100
	for _, p := range append(Ours(), Peers()...) {
		sc := Draw("chance", 3, in)
		r := p.Run(t, sc)
		if !r.Finished || r.Begun != sc.Calls || r.Count.Rejected == 0 || r.Retries() != r.Rejected() {
			t.Errorf("%s: finished %v, begun %d of %d, refused %.3f, sent again %.3f", p.Name, r.Finished, r.Begun, sc.Calls, r.Rejected(), r.Retries())
		}
		sc.Chance = 1
		if r = p.Run(t, sc); r.Finished || r.Begun < 1 || r.Begun > sc.Workers {
			t.Errorf("%s: of an org that refuses everything: finished %v, begun %d by %d workers", p.Name, r.Finished, r.Begun, sc.Workers)
		}
	}
}

// TestOneByOne: where work comes in one by one, no policy does a piece before it is there.
func TestOneByOne(t *testing.T) {
	in := Stated()
	in.Calls = 50
	for _, p := range append(Ours(), Peers()...) {
		sc := Draw("chance+idle", 1, in)
		sc.Chance = 0
		last := time.Duration(sc.Calls-1) * sc.Every
		if r := p.Run(t, sc); r.Makespan < last || r.Makespan > last+2*sc.Trip || r.P99 > 2*sc.Trip {
			t.Errorf("%s: the last of %d calls came after %v and was done after %v, a call took %v", p.Name, sc.Calls, last, r.Makespan, r.P99)
		}
	}
}

// TestSummary: the best is bold, but not who is quick because it gave up.
func TestSummary(t *testing.T) {
	r := Report{First: 1, Seeds: 4, Ranges: Stated(), Lines: []Line{
		{Scenario: "daily", Policy: "weir", Seeds: 4, Done: 4, Ratio: 1.004, RatioWorst: 1234.5, Rejected: 0.005, RejectedWorst: 0.25},
		{Scenario: "daily", Policy: "failsafe", Seeds: 4, Done: 4, Ratio: 1.003, RatioWorst: 2, Rejected: 0.5, RejectedWorst: 0.9, Starved: 4321},
		{Scenario: "daily", Policy: "retryablehttp", Seeds: 4, Done: 3, Ratio: 0.5, RatioWorst: 0.6, Rejected: 0.001, RejectedWorst: 0.002},
		{Scenario: "daily", Policy: "jsforce", Seeds: 4, Rejected: 0.75, RejectedWorst: 0.75, Starved: 5},
	}}
	page, err := r.Into("above\n" + begins + "yesterday\n" + ends + "below\n")
	if err != nil {
		t.Fatal(err)
	}
	row := "| A daily allocation shared with others | **1.00** (1,234); **0.50 %** (25.0 %); **0** calls of others starved | not run | not run " +
		"| **1.00** (2.00); 50.0 % (90.0 %); 4,321 calls of others starved " +
		"| 0.50 (0.60); 0.10 % (0.20 %); 0 calls of others starved; 3 of 4 done " +
		"| not done in any run; 75.0 % (75.0 %); 5 calls of others starved |\n"
	if !strings.HasPrefix(page, "above\n"+begins+"Simulated") || !strings.Contains(page, row) || strings.Contains(page, "yesterday") || !strings.HasSuffix(page, ends+"below\n") {
		t.Errorf("want the row\n%s\nin\n%s", row, page)
	}
	for _, bad := range []string{"", begins, ends, ends + begins} {
		if _, err := r.Into(bad); err == nil {
			t.Errorf("%q has no place for the table", bad)
		}
	}
}

// TestRateBound: a slow rate binds, and one that the workers cannot reach does not.
func TestRateBound(t *testing.T) {
	for rate, want := range map[float64]int{1: 30, 10_000: 0} {
		in := Stated()
		in.Rate, in.Trip = [2]float64{rate, rate}, [2]time.Duration{time.Second, time.Second}
		if n := (Report{First: 1, Seeds: 30, Ranges: in}).rateBound("fixed"); n != want {
			t.Errorf("a rate of %v is the limit in %d of 30 orgs with 8 workers and a second's round trip", rate, n)
		}
	}
}
