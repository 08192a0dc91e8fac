package engine

import (
	"context"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/salesforce"
)

// readTargets reads the batch's records, by one query per object or, where an
// ETag will guard its write, the one row. It returns the faults of objects that were not read.
func (e *Engine) readTargets(ctx context.Context, j *job, s *settlement, who openedRequest, targets []*target) map[string]*weir.Fault {
	if byRow(j.steps[0]) && j.rungs[j.steps[0].Object] == weir.RungIfMatch {
		e.readRow(ctx, j, s, who, targets[0])
		return nil
	}
	r := reading(targets)
	var probes []salesforce.Probe
	if j.steps[0].Phase == weir.PhaseCheck {
		probes = r.probes(j.rungs)
	}
	ans, answers, guards := j.lane.client.QueryAndProbe(ctx, r.queries, probes, r.sink(who))
	defer ans.Detail.Clear()
	s.take(ans)
	if s.Fault != nil {
		return nil
	}
	r.learn(s, probes, guards)
	return r.faults(answers)
}

// byRow says whether a step reads the row itself, for its ETag, and so is alone in
// its call.
func byRow(s weir.Step) bool { return s.Shape == plan.ShapeByRow && s.Phase == weir.PhaseCheck }

func (e *Engine) readRow(ctx context.Context, j *job, s *settlement, who openedRequest, t *target) {
	ans, row, etag := j.lane.client.Row(ctx, t.step.Object, t.step.Record, t.fields())
	defer ans.Detail.Clear()
	s.take(ans)
	if s.Fault != nil && (s.Fault.Category == weir.Gone || s.Fault.Category == weir.NotFound) {
		s.Fault = nil // not there: the decision knows what that means
		return
	}
	if s.Fault == nil {
		t.look(row, who)
		t.rowRead, t.etag = true, etag
	}
}

// reads are the queries that read the records of a batch, one per object.
type reads struct {
	targets []*target
	objects []string // of the queries
	queries []salesforce.Query
}

func reading(targets []*target) reads {
	r := reads{targets: targets}
	ids, fields := map[string][]string{}, map[string][]string{}
	for _, t := range targets {
		o := t.step.Object
		if ids[o] == nil {
			r.objects = append(r.objects, o)
		}
		ids[o] = append(ids[o], t.step.Record)
		fields[o] = union(fields[o], t.fields())
	}
	for _, o := range r.objects {
		r.queries = append(r.queries, salesforce.Query{Object: o, Fields: fields[o], Where: salesforce.In("Id", ids[o])})
	}
	return r
}

// sink gives each row to the targets that it is about.
func (r reads) sink(who openedRequest) func(int, salesforce.Row) error {
	sought := map[string][]*target{}
	for _, t := range r.targets {
		id := significant(t.step.Record)
		sought[id] = append(sought[id], t)
	}
	return func(_ int, row salesforce.Row) error {
		for _, t := range sought[significant(row.ID)] {
			t.look(row, who)
		}
		return nil
	}
}

// faults returns the faults of objects that were not read, and marks the targets that
// an answer did not come to: Salesforce pages wide rows below the number that was
// asked for.
func (r reads) faults(answers []salesforce.QueryAnswer) map[string]*weir.Fault {
	faults := map[string]*weir.Fault{}
	for i, o := range r.objects {
		answers[i].Detail.Clear() // the org's words may echo values
		if answers[i].Fault != nil {
			faults[o] = answers[i].Fault
		}
		for _, t := range r.targets {
			t.cut = t.cut || !answers[i].Done && t.step.Object == o && !t.seen
		}
	}
	return faults
}
