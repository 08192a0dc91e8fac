package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/salesforce"
)

// write sends the mutations in one composite, each with its own precondition, and
// reads the records back in the same call, and behind them those that are written next,
// whose checks ride. An element's failure is that element's
// alone; what failed beside others in a collection goes again by itself, because one
// record's trigger may have failed them all.
func (e *Engine) write(ctx context.Context, j *job, s *settlement, who openedRequest, targets []*target) error {
	ms := make([]salesforce.Mutation, len(targets))
	for i, t := range targets {
		ms[i] = t.mutation()
		t.args.Sent = true
	}
	next, err := aim(who.key, j.riders)
	if err != nil {
		return err
	}
	back, checks := reading(targets), reading(next)
	probes := checks.probes(j.rungs)
	n := len(back.queries)
	backSink, checkSink := back.sink(who), checks.sink(who)
	ans, answers, read, guards := j.lane.client.MutateAndQuery(ctx, ms, slices.Concat(back.queries, checks.queries), probes,
		func(i int, row salesforce.Row) error {
			if i < n {
				return backSink(i, row)
			}
			return checkSink(i-n, row)
		})
	defer ans.Detail.Clear()
	s.take(ans)
	unread := back.faults(read[:n])
	for i, t := range targets {
		a := answers[i]
		apart := s.Fault == nil && a.Shared && mayBeAnothers(a.Fault)
		t.args.Alone = t.args.Alone || apart
		args, err := json.Marshal(t.args)
		if err != nil {
			return fmt.Errorf("encode erase step %s: %w", t.step.ID, err)
		}
		var r result
		switch {
		case s.Fault != nil: // the call's fault decides
			r.Verdict = weir.Yield
		case apart:
			r = result{Alone: true, Phase: weir.PhaseCheck, Intent: weir.IntentNotApplied, Code: a.Fault.Code}
		case a.Fault != nil:
			r = result{Fault: a.Fault, Sealed: e.sealDetail(ctx, who.key, t.step, a.Fault, a.Detail, j.lane.Governor)}
		case unread[t.step.Object] != nil || t.cut: // acknowledged; the read-back is asked for again
			r = result{Verdict: weir.Yield, Phase: weir.PhaseConfirm}
		default:
			r = t.confirmed()
		}
		a.Detail.Clear()
		r.Args, r.Jitter = args, e.jitter()
		s.Results = append(s.Results, r)
	}
	if s.Fault != nil {
		return nil
	}
	checks.learn(s, probes, guards)
	if checked, err := e.judge(ctx, j, s, next, checks.faults(read[n:])); err == nil { // else they ask by themselves: what was written is what counts
		s.carry(j.riders, checked)
	}
	return nil
}

// mayBeAnothers says whether the fault of a record in a collection may be owed to
// another one of it, and the record surely was not changed. What is said of an object
// would come again, locks pass by themselves, and a record that is gone is gone.
func mayBeAnothers(f *weir.Fault) bool {
	return blames(f) && f.Scope != weir.ScopeObject && f.Effect == weir.EffectNone &&
		f.Category != weir.LockContention && f.Category != weir.Gone
}

func (t *target) mutation() salesforce.Mutation {
	m := salesforce.Mutation{Object: t.step.Object, ID: t.step.Record, Alone: t.args.Alone}
	if t.args.Action == weir.ActDelete {
		m.Delete = true
		return m
	}
	m.Fields = t.want.fields
	switch t.args.Rung {
	case weir.RungIfMatch:
		m.IfMatch = t.args.Precondition
	case weir.RungUnmodified:
		if at, err := parseStamp(t.args.Precondition); err == nil {
			m.IfUnmodifiedSince = at.Truncate(time.Second) // the header's granularity
		}
	case weir.RungReadCompare: // the check just before is the guard
	}
	return m
}
