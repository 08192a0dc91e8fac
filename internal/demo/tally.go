package demo

import (
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
	Lost      int                   `json:"lost_answers"` // writes whose effect was unknown, and that were read back
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
		if class == weir.UnknownOutcome && n.Detail["phase"] != string(weir.PhaseRead) {
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
