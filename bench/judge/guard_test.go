package judge

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// most is what the median of a scenario may be at worst: time over the optimum,
// and the share that is refused. It is no goal, and far from what is measured
// (docs/proofs.md has both): it stops a law that is broken.
var most = map[string]struct{ ratio, rejected float64 }{
	"fixed":         {1.15, 0.02},
	"fixed+ra":      {1.15, 0.02},
	"steps":         {1.5, 0.03},
	"steps+ra":      {1.6, 0.03},
	"bursty":        {3, 0.05},
	"cap":           {1.2, 0.02},
	"cap20s":        {1.1, 0.02},
	"cap20s+others": {1.2, 0.02},
	"herd":          {1.25, 0.02},
	"chance":        {8, 0.15},
	"chance+rate":   {6, 0.3},
	"chance+idle":   {1.1, 0.05},
	"daily":         {6, 0.001},
}

// unflagged says that nobody set a flag of ours: the seeds are those for which
// the guard was written.
func unflagged() bool {
	none := true
	flag.Visit(func(f *flag.Flag) {
		none = none && strings.HasPrefix(f.Name, "test.")
	})
	return none
}

// forbidden says what no run may have, in whatever org: a call that was sent
// although it was known that it must not be.
func forbidden(runs []Result) (found []string) {
	for _, r := range runs {
		if r.Count.Crossed > 0 {
			found = append(found, fmt.Sprintf("seed %d: %d calls below a floor that a reading had told of", r.Seed, r.Count.Crossed))
		}
		if r.Count.InWindow > 0 {
			found = append(found, fmt.Sprintf("seed %d: %d calls inside of an announced Retry-After", r.Seed, r.Count.InWindow))
		}
	}
	return found
}

// broken says what else the runs of one scenario have that no sound law has.
func broken(name string, runs []Result) (found []string) {
	for _, r := range runs {
		if r.Optimum > 0 && !r.Finished {
			found = append(found, fmt.Sprintf("seed %d was not done, and could have been", r.Seed))
		}
	}
	limit, known := most[name]
	if !known {
		return append(found, "the guard has no limits for it")
	}
	if l := Tally(runs); l.Ratio > limit.ratio || l.Rejected > limit.rejected {
		found = append(found, fmt.Sprintf("took %.2f of the optimum (at most %.2f), %.2f %% refused (at most %.2f %%)",
			l.Ratio, limit.ratio, 100*l.Rejected, 100*limit.rejected))
	}
	return found
}

// TestGuard: the guard finds each of the faults that it is there for, and a
// client that only hammers.
func TestGuard(t *testing.T) {
	sound := Result{Scenario: "fixed", Seed: 3, Makespan: time.Second, Optimum: time.Second, Finished: true, Count: Count{Calls: 100}}
	for name, harm := range map[string]func(*Result){
		"":              func(*Result) {},
		"not done":      func(r *Result) { r.Finished = false },
		"below a floor": func(r *Result) { r.Count.Crossed = 1 },
		"Retry-After":   func(r *Result) { r.Count.InWindow = 1 },
		"optimum":       func(r *Result) { r.Makespan = 2 * time.Second },
		"refused":       func(r *Result) { r.Count.Rejected = 10 },
	} {
		r := sound
		harm(&r)
		if found := append(forbidden([]Result{r, r}), broken("fixed", []Result{r, r})...); (len(found) > 0) != (name != "") || !strings.Contains(strings.Join(found, "; "), name) {
			t.Errorf("%q: found %q", name, found)
		}
	}
	cannot := sound
	cannot.Finished, cannot.Optimum = false, 0
	if found := broken("fixed", []Result{sound, cannot}); len(found) > 0 {
		t.Errorf("what nobody can do is no fault: %q", found)
	}
	for _, name := range Names() {
		if _, known := most[name]; !known {
			t.Errorf("the guard knows nothing of %s", name)
		}
	}
	in, peers := Stated(), Peers()
	in.Calls = 1000
	hammer := peers[slices.IndexFunc(peers, func(p Peer) bool { return p.Name == "go-salesforce" })] // asks again at once
	for _, name := range []string{"fixed", "steps"} {
		var runs []Result
		for seed := range uint64(5) {
			runs = append(runs, hammer.Run(t, Draw(name, seed+1, in)))
		}
		if found := broken(name, runs); !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, "refused") }) {
			t.Errorf("a client with no law at all passes in %s: %q", name, found)
		}
	}
}
