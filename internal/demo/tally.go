package demo

import (
	"maps"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
)

// tally counts lines of the ledger as they are read.
type tally struct {
	Entries   int                   `json:"entries"`
	Waits     map[weir.Category]int `json:"waits"` // durable waits of steps, by cause
	Throttled int                   `json:"throttled"`
	Longest   float64               `json:"longest_seconds"`
	LongestOf weir.Category         `json:"longest_cause"`
	Conflicts int                   `json:"conflicts"`
	Lost      int                   `json:"read_backs"` // waits before a write whose effect is unknown is read back
	Reauths   int                   `json:"token_renewals"`
	Drifts    int                   `json:"drifts"`
}

func newTally() tally { return tally{Waits: map[weir.Category]int{}} }

func (t *tally) count(n weir.Entry) {
	t.Entries++
	switch n.Act {
	case "step.wait":
		class := weir.Category(n.Detail[engine.KeyClass])
		t.Waits[class]++
		if class.Throttled() {
			t.Throttled++
		}
		if unanswered(n) {
			t.Lost++
		}
		until, err := time.Parse(time.RFC3339Nano, n.Detail[engine.KeyWaitUntil])
		if d := until.Sub(n.At).Seconds(); err == nil && d > t.Longest {
			t.Longest, t.LongestOf = d, class
		}
	case "step.conflict":
		t.Conflicts++
	case "org.reauth":
		t.Reauths++
	case "request.drift":
		t.Drifts++
	}
}

// unanswered says whether a wait is that of a write whose effect is unknown.
func unanswered(n weir.Entry) bool {
	return weir.Category(n.Detail[engine.KeyClass]) == weir.UnknownOutcome && n.Detail["phase"] == string(weir.PhaseConfirm)
}

func (t tally) clone() tally {
	t.Waits = maps.Clone(t.Waits)
	return t
}
