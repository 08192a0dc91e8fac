package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/plan"
)

// claim takes the most urgent steps that fit one call, asks the governor and
// commits the intents. It returns no job when there is nothing to do now; the
// flag says whether state moved all the same.
func (e *Engine) claim(ctx context.Context, l *lane) (*job, bool, error) {
	var j *job
	worked := false
	began, mark := time.Now(), e.pulse.mark()
	id := e.randomID(12)
	e.claims.begin(id)
	err := e.update(ctx, crash.Claim, func(tx *txn) error {
		j, worked = nil, false
		g, err := tx.lockGovernor(l)
		if err != nil {
			return err
		}
		steps, err := tx.urgent(l.ID)
		if err != nil || len(steps) == 0 {
			return err
		}
		if steps, err = tx.together(g, steps); err != nil {
			return err
		}
		inFlight, err := tx.InFlight(l.ID)
		if err != nil || inFlight >= governor.Width(l.Governor, g.state) {
			return err
		}
		ask, err := tx.askFor(g, steps, inFlight)
		if err != nil {
			return err
		}
		worked = true
		if dec, dies := doomed(l.Governor, g.state, ask); dies {
			if err := tx.doom(g, ask, dec); err != nil {
				return err
			}
			return g.save()
		}
		dec, err := g.admit(ask, steps)
		if err != nil {
			return err
		}
		switch {
		case dec.Ruling == weir.Proceed:
			j, err = tx.take(l, g, steps, id)
		case dec.Object != "": // only its steps wait: the next turn finds others
			worked, err = tx.holdObject(l, g.state, ask, dec)
		default:
			worked = false
			g.hold(ask, dec)
			tx.noteGate(l.ID, dec)
		}
		if err != nil {
			return err
		}
		return g.save()
	})
	if err == nil && j != nil && len(j.steps) > 0 {
		j.began, j.mark = began, mark
		return j, worked, nil
	}
	e.claims.end(id) // if it was committed all the same, the next beat finds it
	if err != nil {
		return nil, false, fmt.Errorf("claim for org %s: %w", l.ID, err)
	}
	return nil, worked, nil
}

// urgent returns the most urgent ready step and those that can share its call.
func (t *txn) urgent(org weir.OrgID) ([]weir.Step, error) {
	first, ok, err := t.NextReady(org)
	if err != nil || !ok {
		return nil, err
	}
	mates, err := t.fill(first)
	if err != nil {
		return nil, err
	}
	if shared, err := t.share(first, mates); err != nil || shared != nil {
		return shared, err
	}
	return mates, nil
}

// fill finds steps that share a call with the given one. Where they do not fill it,
// steps of the same shape that have yet to come to its phase go first: what is checked
// row by row is written in one call, and what several calls wrote is read back in one.
func (t *txn) fill(first weir.Step) ([]weir.Step, error) {
	for {
		most := capacity(first)
		ready, err := t.Batchmates(first, most)
		if err != nil {
			return nil, err
		}
		mates, err := fit(ready)
		before := earlier(first)
		if err != nil || len(mates) == most || len(mates) < len(ready) || before == nil {
			return mates, err
		}
		next, ok, err := t.ReadyIn(first, before...)
		if err != nil || !ok {
			return mates, err
		}
		first = next
	}
}

// earlier lists the phases that come before that of a mutation.
func earlier(s weir.Step) []weir.Phase {
	switch {
	case s.Kind == weir.StepErase && s.Phase == weir.PhaseConfirm:
		return []weir.Phase{weir.PhaseCheck, weir.PhaseWrite}
	case s.Kind == weir.StepErase && s.Phase == weir.PhaseWrite:
		return []weir.Phase{weir.PhaseCheck}
	}
	return nil
}

// take claims the steps and opens the intents of those that are about to write.
func (t *txn) take(l *lane, g *governed, steps []weir.Step, claim string) (*job, error) {
	j := &job{lane: l, claim: claim, rungs: g.rungs}
	var err error
	if j.request, err = t.Request(steps[0].Request); err != nil {
		return nil, err
	}
	until := t.Now().Add(l.Claim)
	claimed, err := t.ClaimSteps(steps, j.claim, t.e.node, until)
	if err != nil {
		return nil, err
	}
	if j.others, err = t.requestsOf(claimed, j.request.ID); err != nil {
		return nil, err
	}
	j.steps = claimed
	if first := steps[0]; first.Kind == weir.StepErase && first.Phase == weir.PhaseWrite {
		if j.steps, err = t.openIntents(l, claimed); err != nil {
			return nil, err
		}
	}
	if j.riders, err = t.riders(j, g.state); err != nil {
		return nil, err
	}
	g.org.WakeAt = time.Time{}
	return j, nil
}

// openIntents opens the intents of steps that are about to write, and returns those
// that may. One whose check has become old begins with it again. Where another
// request is writing the record right now, its intent must close before ours opens, so
// that two never write one record at once.
func (t *txn) openIntents(l *lane, steps []weir.Step) ([]weir.Step, error) {
	var ready []weir.Step
	var intents []weir.Intent
	for _, s := range steps {
		a, err := decodeErase(s)
		if err != nil {
			return nil, err
		}
		if again, err := t.recheck(s, a); again || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		ready = append(ready, s)
		intents = append(intents, weir.Intent{
			Step: s.ID, Request: s.Request, Org: s.Org, Object: s.Object, Record: s.Record,
			Action: a.Action, Epoch: s.Epoch, Rung: a.Rung, Precondition: a.Precondition,
			BeforeDigest: a.Before, AfterDigest: a.After, State: weir.IntentOpen, OpenedAt: t.Now(),
		})
	}
	opened, err := t.OpenIntents(intents)
	if err != nil {
		return nil, err
	}
	var open []weir.Step
	for _, s := range ready {
		if slices.Contains(opened, s.ID) {
			open = append(open, s)
		} else if err := t.deferBehindIntent(s, l.Governor.Settle); err != nil {
			return nil, err
		}
	}
	return open, nil
}

func (t *txn) deferBehindIntent(s weir.Step, settle time.Duration) error {
	return t.AdvanceStep(&s, weir.Defer, func(s *weir.Step) {
		s.Phase, s.Cause, s.WakeAt = weir.PhaseCheck, weir.Conflict, t.Now().Add(settle)
	})
}

// capacity is how many steps of a kind one call carries (wire reference,
// section 1.8).
func capacity(s weir.Step) int {
	switch s.Kind {
	case weir.StepDescribe:
		return 1
	case weir.StepFind, weir.StepExport:
		return plan.CompositeQueries
	case weir.StepErase:
		switch {
		case byRow(s):
			return 1
		case s.Phase == weir.PhaseWrite:
			return plan.CollectionSize
		}
		return plan.QueryIDs
	case weir.StepPurge:
		return plan.PurgeSize
	}
	return 1
}

// fit cuts a batch of erasures to what one call carries: those whose records are read
// go into one query per object, and writes are read back that way in the same call.
func fit(steps []weir.Step) ([]weir.Step, error) {
	if len(steps) == 0 || steps[0].Kind != weir.StepErase {
		return steps, nil
	}
	if steps[0].Phase == weir.PhaseWrite {
		return fitWrites(steps)
	}
	objects := map[string]bool{}
	kept := steps[:0:0]
	for _, s := range steps {
		if objects[s.Object] || len(objects) < plan.CompositeQueries {
			objects[s.Object] = true
			kept = append(kept, s)
		}
	}
	return kept, nil
}

func fitWrites(steps []weir.Step) ([]weir.Step, error) {
	writes, err := writesOf(steps)
	if err != nil {
		return nil, err
	}
	return steps[:plan.FitWrites(writes)], nil
}

func writesOf(steps []weir.Step) ([]plan.Write, error) {
	writes := make([]plan.Write, len(steps))
	for i, s := range steps {
		a, err := decodeErase(s)
		if err != nil {
			return nil, err
		}
		writes[i] = plan.Write{Object: s.Object, Delete: a.Action == weir.ActDelete, Alone: a.Alone || a.Rung != weir.RungReadCompare}
	}
	return writes, nil
}
