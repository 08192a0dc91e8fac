package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/governor"
	"github.com/weirhq/weir/internal/store"
)

// ErrMismatch says that a recorded decision does not follow from its recorded
// inputs: the log was altered, or weir is not the weir that decided.
var ErrMismatch = errors.New("recorded decision does not follow from its inputs")

// Explained is one decision, recomputed from what was recorded.
type Explained struct {
	Seq      int64
	At       time.Time
	Kind     string
	Decision weir.Decision
	Sentence string
	Input    json.RawMessage
}

// Why is a step's present state and the decisions that led to it.
type Why struct {
	Step      weir.Step
	Request   weir.Request
	Sentence  string // the newest decision in one sentence
	Decisions []Explained
}

// Why recomputes every recorded decision about a step from its recorded
// inputs, bit for bit. id is a step, a dead letter or a request; for a request
// it explains the step that holds it up. A mismatch is ErrMismatch.
func (e *Engine) Why(ctx context.Context, id string) (Why, error) {
	var w Why
	err := e.view(ctx, func(tx *store.Tx) error {
		step, err := stepToExplain(tx, id)
		if err != nil {
			return err
		}
		if w.Request, err = tx.Request(weir.RequestID(step.Request)); err != nil {
			return err
		}
		w.Step = step
		if step.ID == "" {
			w.Sentence = requestSentence(w.Request)
			return nil
		}
		all, err := tx.DecisionsOf(step.ID)
		if err != nil {
			return err
		}
		policies := policies{}
		for _, d := range all {
			x, err := replay(tx, policies, d)
			if err != nil {
				return err
			}
			w.Decisions = append(w.Decisions, x)
		}
		held, err := e.heldBy(tx, step)
		w.Sentence = stepSentence(tx.Now(), step, w.Decisions) + held
		return err
	})
	return w, err
}

// stepToExplain resolves an id. An empty step stands for a request that waits
// for a person or has ended.
func stepToExplain(tx *store.Tx, id string) (weir.Step, error) {
	switch {
	case strings.HasPrefix(id, "S-"):
		return tx.Step(weir.StepID(id))
	case strings.HasPrefix(id, "DL-"):
		d, err := tx.Letter(weir.LetterID(id))
		if err != nil {
			return weir.Step{}, err
		}
		return tx.Step(d.Step)
	}
	for _, want := range []weir.StepState{weir.StepDead, weir.StepEscalated, weir.StepWaiting, weir.StepConflicted, weir.StepExecuting, weir.StepReady} {
		s, ok, err := tx.FirstIn(weir.RequestID(id), want)
		if err != nil || ok {
			return s, err
		}
	}
	return weir.Step{Request: weir.RequestID(id)}, nil
}

func requestSentence(r weir.Request) string {
	s := fmt.Sprintf("%s is %s", r.ID, r.Stage)
	if r.Reason != "" {
		s += " (" + r.Reason + ")"
	}
	if r.Stage == weir.AwaitingApproval {
		s += ": a person decides; nothing is sent until then"
	}
	return s + "."
}

func stepSentence(now time.Time, s weir.Step, ds []Explained) string {
	if len(ds) == 0 {
		return fmt.Sprintf("Step %s is %s; no call has been decided for it yet.", s.ID, s.State)
	}
	last := ds[len(ds)-1]
	state := fmt.Sprintf("Step %s (%s %s) is %s. ", s.ID, s.Kind, s.Object, s.State)
	if s.State == weir.StepWaiting && s.WakeAt.After(now) {
		state = fmt.Sprintf("Step %s (%s %s) waits until %s. ", s.ID, s.Kind, s.Object, stamp(s.WakeAt))
	}
	return state + last.Sentence
}

// replay folds the recorded inputs from the newest snapshot up to a decision
// and compares ruling and state with what was recorded.
func replay(tx *store.Tx, known policies, d store.Decision) (Explained, error) {
	x := Explained{Seq: d.Seq, At: d.At, Kind: d.Kind, Input: d.Input}
	chain, err := tx.DecisionChain(d.Org, d.Seq)
	if err != nil {
		return x, err
	}
	if len(chain) == 0 || len(chain[0].Snapshot) == 0 {
		return x, fmt.Errorf("decision %d: no snapshot to replay from: %w", d.Seq, ErrMismatch)
	}
	state, err := decodeState(chain[0].Snapshot)
	if err != nil {
		return x, fmt.Errorf("decision %d: %w: %w", d.Seq, ErrMismatch, err)
	}
	for _, c := range chain {
		p, err := known.of(tx, c)
		if err != nil {
			return x, err
		}
		if state, x.Decision, err = recompute(p, state, c); err != nil {
			return x, fmt.Errorf("decision %d: %w", c.Seq, err)
		}
		ruling, err := json.Marshal(x.Decision)
		if err != nil {
			return x, fmt.Errorf("encode ruling: %w", err)
		}
		if !sameJSON(ruling, c.Ruling) || governor.Hash(state) != c.StateHash {
			return x, fmt.Errorf("decision %d of %s at %s: %w", c.Seq, c.Org, stamp(c.At), ErrMismatch)
		}
	}
	x.Sentence = governor.Explain(x.Decision)
	return x, nil
}

// policies are those that were read and checked already, by their hashes.
type policies map[string]governor.Policy

// of is the policy under which a decision was made.
func (known policies) of(tx *store.Tx, d store.Decision) (governor.Policy, error) {
	if p, ok := known[d.PolicyHash]; ok {
		return p, nil
	}
	var p governor.Policy
	doc, err := tx.Policy(d.PolicyHash)
	if err != nil {
		return p, err
	}
	if digest(doc) != d.PolicyHash {
		return p, fmt.Errorf("decision %d: policy %.12s was altered: %w", d.Seq, d.PolicyHash, ErrMismatch)
	}
	if err := json.Unmarshal(doc, &p); err != nil {
		return p, fmt.Errorf("decode policy: %w", err)
	}
	known[d.PolicyHash] = p
	return p, nil
}

// recompute runs the pure function that made a decision.
func recompute(p governor.Policy, state governor.State, d store.Decision) (governor.State, weir.Decision, error) {
	switch d.Kind {
	case kindAdmit, kindGuestAdmit:
		var a weir.Ask
		if err := json.Unmarshal(d.Input, &a); err != nil {
			return state, weir.Decision{}, fmt.Errorf("decode input: %w", err)
		}
		admit := governor.Admit
		if d.Kind == kindGuestAdmit {
			admit = governor.AdmitGuest
		}
		s, dec := admit(p, state, a)
		return s, dec, nil
	case kindObserve, kindGuestObserve:
		var o weir.Outcome
		if err := json.Unmarshal(d.Input, &o); err != nil {
			return state, weir.Decision{}, fmt.Errorf("decode input: %w", err)
		}
		observe := governor.Observe
		if d.Kind == kindGuestObserve {
			observe = governor.ObserveGuest
		}
		s, dec := observe(p, state, o)
		return s, dec, nil
	case kindClock:
		var c clockStep
		if err := json.Unmarshal(d.Input, &c); err != nil {
			return state, weir.Decision{}, fmt.Errorf("decode input: %w", err)
		}
		return governor.Shift(state, c.By), weir.Decision{Ruling: weir.Proceed}, nil
	case kindProof:
		var a proofAsk
		if err := json.Unmarshal(d.Input, &a); err != nil {
			return state, weir.Decision{}, fmt.Errorf("decode input: %w", err)
		}
		return state, decideProof(a), nil
	}
	return state, weir.Decision{}, fmt.Errorf("kind %q: %w", d.Kind, ErrMismatch)
}

func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return false
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}
