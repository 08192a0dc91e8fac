package engine

import (
	"context"

	"github.com/weirhq/weir"
)

// purge empties deleted records from the recycle bin, up to 200 in one SOAP
// call. It needs no intent: purging by id is idempotent, a repeat answers that
// the record is not there, and the proof reads the end state anyway.
func (e *Engine) purge(ctx context.Context, j *job, s *settlement) error {
	ids := make([]string, len(j.steps))
	for i, st := range j.steps {
		ids[i] = st.Record
	}
	ans, items := j.lane.client.EmptyRecycleBin(ctx, ids)
	defer ans.Detail.Clear()
	s.take(ans)
	if s.Fault != nil {
		return nil
	}
	for i := range j.steps {
		r := result{Verdict: weir.Succeed, Outcome: "purged", Jitter: e.jitter()}
		if f := items[i].Fault; f != nil && f.Category != weir.Gone && f.Category != weir.NotFound {
			r.Fault = f
		}
		s.Results = append(s.Results, r)
	}
	return nil
}
