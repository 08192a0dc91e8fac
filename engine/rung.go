package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/weirhq/weir"
)

// rungs remembers, per object of an org, the strongest precondition that the
// org was seen to honour inside a composite.
type rungs map[string]weir.Rung

func decodeRungs(b []byte) (rungs, error) {
	r := rungs{}
	if len(b) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("decode capabilities: %w", err)
	}
	return r, nil
}

// needsProbe says whether the first write to an object must wait for the
// harmless question whether the org honours conditions there.
func needsProbe(s weir.Step, known rungs) bool {
	if s.Kind != weir.StepErase || s.Phase != weir.PhaseCheck {
		return false
	}
	a, err := decodeErase(s)
	if err != nil || a.Action == weir.ActDelete { // DELETE takes no condition (wire reference, section 4.1)
		return false
	}
	return known[s.Object] == ""
}

// probeRung asks for one row under a condition that must fail. Where the org
// answers 412 it honours conditions; elsewhere the rung falls to reading and
// comparing.
func (e *Engine) probeRung(ctx context.Context, j *job, s *settlement) error {
	st := j.steps[0]
	ans, honours := j.lane.client.HonoursConditions(ctx, st.Object, st.Record)
	defer ans.Detail.Clear()
	s.take(ans)
	if s.Fault != nil {
		return nil
	}
	rung := weir.RungReadCompare
	switch {
	case honours && st.Object == "Account": // the only object with documented ETags
		rung = weir.RungIfMatch
	case honours:
		rung = weir.RungUnmodified
	}
	s.Rungs = map[string]weir.Rung{st.Object: rung}
	s.Results = []result{{Verdict: weir.Yield, Phase: weir.PhaseCheck, Outcome: "probed", Jitter: e.jitter()}}
	return nil
}
