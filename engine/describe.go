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

func decodeDescribe(s weir.Step) (describeArgs, error) {
	var a describeArgs
	if err := json.Unmarshal(s.Args, &a); err != nil {
		return a, fmt.Errorf("decode describe step %s: %w", s.ID, err)
	}
	return a, nil
}

// describe reads what the org says about the mapped objects. An object that
// the integration user cannot see fails the step: a plan made on half a
// describe would under-report (wire reference, section 6.1).
func (e *Engine) describe(ctx context.Context, j *job, s *settlement) error {
	a, err := decodeDescribe(j.steps[0])
	if err != nil {
		return err
	}
	asked, closeAll, err := e.findQuestions(ctx, j, j.riders)
	defer closeAll()
	if err != nil {
		return err
	}
	ans, schemas, faults, answers := j.lane.client.DescribeAndQuery(ctx, a.Objects, asked.queries(), asked.take)
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
	found, err := e.findResults(asked, j.riders, answers, nil)
	s.carry(j.riders, found)
	return err
}
