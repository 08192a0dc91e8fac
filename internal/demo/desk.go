package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/pii"
)

// The two persons of the privacy desk: one submits, the other approves.
const (
	clerk    = "kim"
	approver = "lee"
)

// asker is one person who asks for something, and when.
type asker struct {
	at      time.Time
	right   weir.Right
	subject emulator.Subject
}

// desk does what people do in the demonstration: it submits requests as they
// arrive, records evidence of identity, reads plans and approves erasures.
type desk struct {
	demo     *Demo
	askers   []asker // in the order of their arrival
	arrived  int
	erased   []emulator.Subject // who asked for erasure, for the summary
	expected int
}

// Erasures arrive first, because their proof waits for the recycle bin's lag;
// access requests go on arriving meanwhile.
const (
	erasureGap = 20 * time.Minute
	accessGap  = 150 * time.Minute
)

func newDesk(d *Demo, people []emulator.Subject) *desk {
	k := &desk{demo: d}
	for i, p := range people {
		switch {
		case i < d.opts.Erasure:
			k.askers = append(k.askers, asker{d.born.Add(time.Duration(i) * erasureGap), weir.Erasure, p})
			k.erased = append(k.erased, p)
		case i < d.opts.Erasure+d.opts.Access:
			k.askers = append(k.askers, asker{d.born.Add(time.Duration(i-d.opts.Erasure) * accessGap), weir.Access, p})
		}
	}
	slices.SortStableFunc(k.askers, func(a, b asker) int { return a.at.Compare(b.at) })
	k.expected = len(k.askers)
	return k
}

// next is when the next request arrives.
func (k *desk) next() (time.Time, bool) {
	if k.arrived == len(k.askers) {
		return time.Time{}, false
	}
	return k.askers[k.arrived].at, true
}

// work does what is to be done now and says whether there was anything.
func (k *desk) work(ctx context.Context) (acted bool, err error) {
	for at, more := k.next(); more && !k.demo.clock.Now().Before(at); at, more = k.next() {
		if err := k.submit(ctx, k.askers[k.arrived]); err != nil {
			return true, err
		}
		k.arrived++
		acted = true
	}
	waiting, err := k.demo.engine.Requests(ctx, engine.RequestFilter{Stages: []weir.Stage{weir.AwaitingApproval}})
	if err != nil {
		return acted, err
	}
	for _, r := range waiting {
		if err := k.decide(ctx, r); err != nil && !errors.Is(err, engine.ErrMovedElsewhere) && !errors.Is(err, weir.ErrNoSuchTransition) {
			return true, err
		}
		acted = true
	}
	return acted, nil
}

// submit takes a request down. The subject's address goes from the seeds into
// the vault and nowhere else.
func (k *desk) submit(ctx context.Context, a asker) error {
	id, err := engine.ParseIdentifier(pii.NewString("email:" + a.subject.Email))
	if err != nil {
		return err
	}
	n := k.arrived + 1
	r, err := k.demo.engine.Submit(ctx, engine.Submission{
		Org: orgID, Right: a.right, Law: "gdpr", By: clerk, Ref: fmt.Sprintf("DESK-%02d", n), Identifiers: []engine.Identifier{id},
	})
	if err != nil {
		return err
	}
	_, err = k.demo.engine.Verify(ctx, r.ID, fmt.Sprintf("identity file %02d", n), clerk)
	return err
}

// decide approves a plan as the second person. A plan that the world has
// overtaken is made again; nothing was sent for it.
func (k *desk) decide(ctx context.Context, r weir.Request) error {
	if r.Reason == "" {
		_, err := k.demo.engine.Approve(ctx, r.ID, r.PlanHash, "read and compared", approver)
		if !errors.Is(err, engine.ErrStale) {
			return err
		}
	} else if r.Reason != "plan_stale" {
		return fmt.Errorf("request %s of the demonstration cannot be planned: %s", r.ID, r.Reason)
	}
	_, err := k.demo.engine.Replan(ctx, r.ID, clerk)
	return err
}

// over says whether every request has ended, was delivered, or is held by a
// dead letter and has nothing left that weir could do by itself. A request
// without a step that is at work, and not at a stage that people or weir's own
// control round move on, can only be one of these.
func (d *Demo) over(ctx context.Context) (bool, error) {
	if _, more := d.desk.next(); more {
		return false, nil
	}
	t, err := d.engine.Totals(ctx)
	if err != nil {
		return false, err
	}
	busy := 0
	for _, s := range []weir.StepState{weir.StepReady, weir.StepExecuting, weir.StepWaiting, weir.StepConflicted} {
		busy += t.Steps[s]
	}
	for _, s := range []weir.Stage{weir.Received, weir.AwaitingApproval, weir.Sealing} {
		busy += t.Requests[s]
	}
	return busy == 0, nil
}
