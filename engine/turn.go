package engine

import (
	"context"
	"time"

	"github.com/weirhq/weir"
)

// claimMargin is by which part of the HTTP timeout a claim lives longer: a write
// is sent only while its claim outlives the call (design section 6), so that this
// is the time between claim and sending. With the default it is 30 s.
const claimMargin = 4

// longCall is from when on Salesforce counts a call against its concurrency
// limit (wire reference, section 1.5).
const longCall = 20 * time.Second

// job is what one claim took: steps of one kind and phase that share one call.
type job struct {
	lane    *lane
	claim   string
	request weir.Request   // of the most urgent step: the call counts as its own
	others  []weir.Request // that share the call; see share.go
	steps   []weir.Step
	riders  []weir.Step // see riders.go
	rungs   rungs       // as they were known when it was claimed

	began time.Time // when the claim began, by the machine's clock
	mark  int       // of the node's pulse at that time
}

// requests are all that the call is for.
func (j *job) requests() []weir.Request { return append([]weir.Request{j.request}, j.others...) }

// mutates says whether the job's call may change the org.
func (j *job) mutates() bool {
	return writes(j.steps[0])
}

// Turn does at most one call for the org: claim, admit, call, commit. It says
// whether it did anything; false means that there is nothing to do now. It is
// a plain function: simulations call it without a queue.
func (e *Engine) Turn(ctx context.Context, org weir.OrgID) (bool, error) {
	l, err := e.lane(org)
	if err != nil {
		return false, err
	}
	if err := e.replaySpill(ctx); err != nil {
		return false, err
	}
	j, worked, err := e.claim(ctx, l)
	if err != nil || j == nil {
		if err != nil || !worked {
			e.park(l)
		}
		return worked, err
	}
	l.parked.Store(false)
	s := e.perform(ctx, j)
	if err := e.commitOrSpill(ctx, &s); err != nil {
		return true, err
	}
	if s.renew {
		return true, e.renew(ctx, l)
	}
	return true, nil
}

// perform sends the one call of the job and turns its answer into data.
func (e *Engine) perform(ctx context.Context, j *job) settlement {
	ctx, cancel := context.WithTimeout(ctx, j.lane.Timeout)
	defer cancel()
	ctx = e.whileHeld(ctx, j)
	s := settlement{Org: j.lane.ID, Request: j.request.ID, Claim: j.claim, Jitter: e.jitter(), Carried: len(j.riders) > 0}
	for _, st := range j.steps {
		s.Steps = append(s.Steps, held{ID: st.ID, Epoch: st.Epoch, Request: st.Request})
	}
	var err error
	switch j.steps[0].Kind {
	case weir.StepDescribe:
		err = e.describe(ctx, j, &s)
	case weir.StepFind:
		err = e.find(ctx, j, &s)
	case weir.StepExport:
		err = e.export(ctx, j, &s)
	case weir.StepPurge:
		err = e.purge(ctx, j, &s)
	case weir.StepErase:
		err = e.erase(ctx, j, &s)
	}
	if err != nil {
		e.storageFault(&s, err)
	}
	return s
}
