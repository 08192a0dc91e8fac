package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

const (
	// checkHolds is how long a check guards a write that takes no condition: a
	// deletion, or any write where the org honours none. Nothing tells such a
	// write about an edit that came after its check.
	checkHolds = 30 * time.Second
	// maxRechecks keeps an org that admits a call a minute from reading for ever.
	maxRechecks = 3
)

// recheck sends a write back to its check when a wait, or a weir that was down,
// came between the two. It says whether it did.
func (t *txn) recheck(s weir.Step, a eraseArgs) (bool, error) {
	if a.Rung != weir.RungReadCompare || a.Rechecks >= maxRechecks || t.Now().Sub(a.CheckedAt) <= checkHolds {
		return false, nil
	}
	a.Rechecks++
	args, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("encode erase step %s: %w", s.ID, err)
	}
	return true, t.AdvanceStep(&s, weir.Yield, func(s *weir.Step) { s.Phase, s.Args = weir.PhaseCheck, args })
}
