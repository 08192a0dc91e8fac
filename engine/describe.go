package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/weirhq/weir"
)

// describeArgs are the arguments of a describe step.
type describeArgs struct {
	Objects []string `json:"objects"` // at most 25, one composite
}

// describe reads what the org says about the mapped objects. An object that
// the integration user cannot see fails the step: a plan made on half a
// describe would under-report (wire reference, section 6.1).
func (e *Engine) describe(ctx context.Context, j *job, s *settlement) error {
	var a describeArgs
	if err := json.Unmarshal(j.steps[0].Args, &a); err != nil {
		return fmt.Errorf("decode describe step: %w", err)
	}
	ans, schemas, faults := j.lane.client.Describe(ctx, a.Objects)
	defer ans.Detail.Clear()
	s.take(ans)
	if s.Fault != nil {
		return nil
	}
	r := result{Verdict: weir.Succeed, Outcome: "described"}
	for _, f := range faults {
		if f != nil {
			r.Fault = f
			break
		}
	}
	if r.Fault == nil {
		s.Schemas = schemas
	}
	for range j.steps { // requests that share the call ask the same
		r.Jitter = e.jitter()
		s.Results = append(s.Results, r)
	}
	return nil
}
