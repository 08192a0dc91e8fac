package judge

import (
	"testing"
	"time"
)

// TestInWindow: a call is sent into an announced window only if an answer had
// told somebody of it. What was sent meanwhile could not know.
func TestInWindow(t *testing.T) {
	const ms = time.Millisecond
	refilling := &Scenario{
		Rate: constant(1), Burst: 1, RetryAfter: true, RejectTook: 100 * ms,
		Latency: jittered(0, 10*ms, 0), Workers: 1, Trip: 10 * ms,
	}
	shut := *refilling
	shut.Shut = span{500 * ms, 5000 * ms}
	type arrival struct {
		name  string
		at    time.Duration
		count int // in a window, up to and with this call
		taken bool
	}
	for sc, calls := range map[*Scenario][]arrival{
		refilling: {
			{"the bucket is full", 0, 0, true},
			{"the refusal that announces a window", 10 * ms, 0, false},
			{"sent while its answer is under way", 109 * ms, 0, false},
			{"sent when it is there", 110 * ms, 1, false},
			{"the second answer tells nothing new", 210 * ms, 2, false},
			{"the window is over", 1010 * ms, 2, true},
			{"a second window", 1020 * ms, 2, false},
			{"that nobody knows yet", 1119 * ms, 2, false},
			{"and then everybody", 1120 * ms, 3, false},
		},
		&shut: {
			{"the bucket is full", 0, 0, true},
			{"a window of a second", 400 * ms, 0, false},
			{"in it the org shuts for longer", 600 * ms, 1, false},
			{"the first window is over, the longer one was told", 1450 * ms, 2, false},
			{"the org is open again", 5000 * ms, 2, true},
		},
	} {
		w := NewWorld(sc)
		for _, c := range calls {
			if a := w.Arrive(c.at); (a.Reject == Taken) != c.taken || w.Count.InWindow != c.count {
				t.Errorf("%s, at %v: rejected %q, %d in a window, want %d", c.name, c.at, a.Reject, w.Count.InWindow, c.count)
			}
		}
	}
}
