package judge

import (
	"reflect"
	"testing"
	"time"
)

// jsforceHere skips a test where Node or the packages are not.
func jsforceHere(t *testing.T) {
	t.Helper()
	if _, err := JSforce(); err != nil {
		t.Skipf("jsforce cannot run here: %v", err)
	}
}

// TestJSforce: the real module does all the work of a small throttled org,
// every request of it reaches the org, and it retries by itself.
func TestJSforce(t *testing.T) {
	jsforceHere(t)
	ranges := Stated()
	ranges.Calls = 150
	sc := Draw("fixed", 3, ranges)
	sc.Rate, sc.Burst = constant(10), 5
	res, said, err := playJSforce(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests for %d calls to jsforce, %d rejected, makespan %v", said.Requests, said.Asked, res.Count.Rejected, res.Makespan)
	if !res.Finished {
		t.Errorf("%d of %d calls were done", len(said.Took), sc.Calls)
	}
	if said.Requests != res.Count.Calls {
		t.Errorf("jsforce sent %d requests, %d reached the org", said.Requests, res.Count.Calls)
	}
	if said.Requests <= said.Asked {
		t.Errorf("%d requests for %d calls: jsforce never retried by itself", said.Requests, said.Asked)
	}
	again, _, err := playJSforce(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(res, again) {
		t.Errorf("two runs of one scenario differ:\n%+v\n%+v", res, again)
	}
}

// TestJSforceTime: virtual time is exact. A lone worker that is never refused
// takes the sum of its round trips, to the nanosecond.
func TestJSforceTime(t *testing.T) {
	jsforceHere(t)
	sc := &Scenario{Name: "alone", Workers: 1, Calls: 50, Latency: jittered(7, 123*time.Millisecond, 0.2)}
	var sum time.Duration
	for i := range sc.Calls {
		sum += sc.Latency(i)
	}
	res, _, err := playJSforce(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	if res.Makespan != sum {
		t.Errorf("without refusals the work took %v, its round trips are %v", res.Makespan, sum)
	}
}

// TestJSforceBackoff: the sleeps between its retries are jsforce's own. Of two
// calls to an org that takes one in a second, the second is sent at 0.1 s, at
// 0.605 s after a sleep of 0.5 s, and at 1.61 s after one of 1 s.
func TestJSforceBackoff(t *testing.T) {
	jsforceHere(t)
	sc := &Scenario{
		Name: "slow", Workers: 1, Calls: 2, Rate: constant(1), Burst: 1,
		Latency: jittered(0, 100*time.Millisecond, 0), RejectTook: 5 * time.Millisecond,
	}
	res, said, err := playJSforce(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	if res.Makespan != 1710*time.Millisecond || said.Requests != 4 || said.Asked != 2 {
		t.Errorf("%d requests for %d calls in %v, want 4 for 2 in 1.71s", said.Requests, said.Asked, res.Makespan)
	}
}
