package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/plan"
	"github.com/weirhq/weir/vault"
)

// eraseArgs are the arguments of an erase step: what the plan says, how the
// record is known to be the subject's, and what the last check learnt. They
// hold digests and dates, never values.
type eraseArgs struct {
	plan.EraseArgs
	Match []plan.Find `json:"match,omitempty"` // how the record was found: it must still hold before a write

	Precondition string `json:"precondition,omitempty"` // ETag, or LastModifiedDate, or SystemModstamp
	Before       string `json:"before,omitempty"`       // keyed digest of the fields as read by the check
	After        string `json:"after,omitempty"`        // keyed digest of the intended values
	Sent         bool   `json:"sent,omitempty"`         // a write was sent at least once
	Alone        bool   `json:"alone,omitempty"`        // it failed in a collection: the next write is a subrequest of its own

	CheckedAt time.Time `json:"checked_at,omitzero"` // when the check read the record
	Rechecks  int       `json:"rechecks,omitempty"`  // checks repeated because they had become old
}

func decodeErase(s weir.Step) (eraseArgs, error) {
	var a eraseArgs
	if err := json.Unmarshal(s.Args, &a); err != nil {
		return a, fmt.Errorf("decode erase step %s: %w", s.ID, err)
	}
	return a, nil
}

// target is one record of the batch while its call is under way.
type target struct {
	step weir.Step
	args eraseArgs
	want intended

	seen      bool // the read returned the record,
	cut       bool // or ended before it came
	version   string
	modified  string      // LastModifiedDate
	rowRead   bool        // the row itself was read,
	etag      string      // which some orgs give no tag
	probe     *weir.Fault // why it was not found out by this record how the org guards writes
	digest    string      // keyed digest of the fields as they are now
	asWanted  bool        // the fields already have the intended values
	ofSubject bool        // the record still belongs to the subject
	refersTo  []reference
}

// reference is what a field of a record refers to, and which objects' records would
// make it the subject's.
type reference struct {
	record  string
	objects []string
}

// erase does one phase of a batch: check, write or confirm.
func (e *Engine) erase(ctx context.Context, j *job, s *settlement) error {
	who, err := e.openRequest(ctx, j.request)
	if err != nil {
		return err
	}
	defer who.close()
	targets, err := aim(who.key, j.steps)
	if err != nil {
		return err
	}
	if j.steps[0].Phase == weir.PhaseWrite {
		return e.write(ctx, j, s, who, targets)
	}
	faults := e.readTargets(ctx, j, s, who, targets)
	if s.Fault != nil {
		return nil
	}
	s.Results, err = e.judge(ctx, j, s, targets, faults)
	return err
}

// aim prepares the records of steps for a call.
func aim(key *vault.Key, steps []weir.Step) ([]*target, error) {
	targets := make([]*target, len(steps))
	for i, st := range steps {
		a, err := decodeErase(st)
		if err != nil {
			return nil, err
		}
		targets[i] = &target{step: st, args: a, want: intend(key, st, a)}
	}
	return targets, nil
}

// judge says what follows for each record that was read, all for checks or all for
// read-backs.
func (e *Engine) judge(ctx context.Context, j *job, s *settlement, targets []*target, faults map[string]*weir.Fault) ([]result, error) {
	decide := (*target).confirmed
	if len(targets) > 0 && targets[0].step.Phase == weir.PhaseCheck {
		if err := e.stillReached(ctx, j.request.ID, targets); err != nil {
			return nil, err
		}
		known := rungs{}
		maps.Copy(known, j.rungs)
		maps.Copy(known, s.Rungs)
		decide = func(t *target) result { return t.checked(known, s.At) }
	}
	results := make([]result, len(targets))
	for i, t := range targets {
		r := result{Fault: faults[t.step.Object]}
		switch {
		case r.Fault != nil:
		case t.cut: // the next call asks again, for fewer
			r = result{Verdict: weir.Yield, Phase: t.step.Phase}
		default:
			r = decide(t)
		}
		r.Jitter = e.jitter()
		results[i] = r
	}
	return results, nil
}

// checked says what follows from reading a record right before its write.
func (t *target) checked(known rungs, at time.Time) result {
	a := &t.args
	switch {
	case !t.seen:
		return result{Verdict: weir.Succeed, Outcome: t.outcome("gone")}
	case a.Action != weir.ActDelete && t.asWanted:
		return t.with(result{Verdict: weir.Succeed, Outcome: t.outcome("already")}, t.digest)
	case t.version != a.Version && !t.ofSubject:
		return result{Fault: ours(weir.Drift, "WEIR_SUBJECT_CHANGED")}
	case t.probe != nil:
		return result{Fault: t.probe}
	case a.Action != weir.ActDelete && (known[t.step.Object] == "" || known[t.step.Object] == weir.RungIfMatch && !t.rowRead):
		return result{Verdict: weir.Yield, Phase: weir.PhaseCheck} // the next check asks by another record, or for the row
	}
	// A version that moved and is still the subject's is what the write is
	// now conditioned on. It costs nothing: only a refused write is a conflict.
	a.Version = t.version
	a.Before, a.After, a.CheckedAt = t.digest, t.want.digest, at
	a.Rung, a.Precondition = weir.RungReadCompare, t.version
	if a.Action != weir.ActDelete {
		switch known[t.step.Object] {
		case weir.RungIfMatch:
			if t.etag != "" {
				a.Rung, a.Precondition = weir.RungIfMatch, t.etag
			}
		case weir.RungUnmodified:
			a.Rung, a.Precondition = weir.RungUnmodified, t.modified
		case weir.RungReadCompare:
		}
	}
	// The first good check ends what failed before it. Later ones do not: a write that
	// the org refuses each time is preceded by a good check each time.
	return t.with(result{Verdict: weir.Yield, Phase: weir.PhaseWrite, Fresh: !a.Sent}, "")
}

// confirmed says what follows from the read-back after a write.
func (t *target) confirmed() result {
	applied := !t.seen
	if t.args.Action != weir.ActDelete && t.seen {
		applied = t.asWanted
	}
	switch {
	case applied:
		return result{Verdict: weir.Succeed, Outcome: "applied", Intent: weir.IntentApplied}
	case t.version == t.args.Version || t.digest == t.args.Before:
		// Nothing happened. The write goes out again with its ORIGINAL
		// precondition: should the first one still land, this one meets 412.
		return result{Fault: ours(weir.PlatformFault, "WEIR_NOT_APPLIED"), Phase: weir.PhaseWrite, Intent: weir.IntentNotApplied}
	default:
		return result{Fault: ours(weir.Conflict, "WEIR_READ_BACK_DIFFERS"), Phase: weir.PhaseCheck, Intent: weir.IntentConflict}
	}
}

// outcome tells a record that weir wrote from one that it found that way.
func (t *target) outcome(otherwise string) string {
	if t.args.Sent {
		return "applied"
	}
	return otherwise
}

func (t *target) with(r result, after string) result {
	if after != "" {
		t.args.After = after
	}
	args, err := json.Marshal(t.args)
	if err != nil { // strings and lists of strings always encode
		panic("engine: encode erase arguments: " + err.Error())
	}
	r.Args = args
	return r
}

// ours is a fault that weir itself found in an answer; nothing was sent for it.
func ours(c weir.Category, code string) *weir.Fault {
	return &weir.Fault{Category: c, Code: code, Scope: weir.ScopeRecord, Effect: weir.EffectNone, Retryable: c != weir.Drift}
}
